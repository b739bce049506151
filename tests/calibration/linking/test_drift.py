import csv
import json

import numpy as np
import pytest

from calibration.linking.anchors import Anchors
from calibration.linking.drift import areas, drift, placed
from calibration.linking.scales import Link, inverse, location_errors, transformed
from calibration.parameter_file import StandardErrors, no_errors
from engine.items import item_parameters
from engine.models import dispatch


def bank(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return item_parameters(
        [f"i{k:02d}" for k in range(n)], "2pl", a=rng.lognormal(0, 0.2, n), b=rng.normal(size=n)
    )


def estimated(items, rng, *, moved=None, error=0.05):
    b = items.b + rng.normal(0, error, len(items))
    for name, shift in (moved or {}).items():
        b[items.row(name)] += shift
    a = items.a * np.exp(rng.normal(0, error, len(items)))
    return item_parameters(items.item, "2pl", a=a, b=b)


def compared(new, old, error=np.nan):
    blank, known = np.full(len(new), np.nan), np.full(len(new), error)
    se = StandardErrors(blank, known, blank, blank, np.full((len(new), 1), np.nan))
    return Anchors(new, old, se, se)


@pytest.mark.parametrize("seed", range(4))
def test_exactly_the_items_that_moved_are_flagged_with_their_direction(seed):
    old, rng = bank(), np.random.default_rng(seed)
    new = estimated(old, rng, moved={"i04": 0.7, "i30": -0.6})
    found = drift(compared(new, old), limit=4.5)
    flags = dict(zip(found.item, found.flags, strict=True))
    assert set(found.flagged) == {"i04", "i30"}
    assert "harder" in flags["i04"]
    assert "easier" in flags["i30"]


def test_z_is_the_difference_by_both_standard_errors():
    old = bank(6)
    new = item_parameters(old.item, "2pl", a=old.a, b=old.b + 0.3)
    found = drift(compared(new, old, error=0.1))
    np.testing.assert_allclose(found.z, 0.3 / np.hypot(0.1, 0.1))
    assert np.isnan(drift(compared(new, old)).z).all()


def test_unchanged_items_have_no_area_and_no_flag():
    found = drift(compared(bank(), bank()))
    assert found.flagged == ()
    assert found.area.max() == 0


def test_the_area_is_the_mean_distance_over_the_reference_population():
    old = item_parameters(["x"], "3pl", a=1.2, b=0.3, c=0.2)
    new = item_parameters(["x"], "3pl", a=0.7, b=-0.2, c=0.25)
    theta = np.random.default_rng(1).normal(size=400_000)
    gap = dispatch.expected_score(theta, new) - dispatch.expected_score(theta, old)
    assert areas(new, old)[0] == pytest.approx(np.abs(gap).mean(), rel=0.01)


def test_a_curve_that_crosses_the_old_one_is_seen_by_its_area():
    old = item_parameters([f"i{k}" for k in range(6)], "2pl", a=0.5, b=0.0)
    a = np.full(6, 0.5)
    a[2] = 3.0
    found = drift(compared(item_parameters(old.item, "2pl", a=a, b=0.0), old))
    assert found.flagged == ("i2",)
    assert found.flags[2] == ("steeper", "curve")
    assert found.d_b[2] == 0


def test_polytomous_items_count_by_the_mean_of_their_thresholds():
    steps = np.array([[-1.0, 0.0, 1.0]] * 5)
    old = item_parameters(list("abcde"), "grm", a=1.0, thresholds=steps)
    new = item_parameters(list("abcde"), "grm", a=1.0, thresholds=steps + 0.2)
    se = StandardErrors(*np.full((4, 5), np.nan), np.full((5, 3), 0.3))
    found = drift(Anchors(new, old, se, se))
    np.testing.assert_allclose(found.d_b, 0.2)
    np.testing.assert_allclose(location_errors(new, se), 0.3 / np.sqrt(3))
    assert np.isnan(location_errors(new, no_errors(5, 3))).all()


def test_on_one_scale_drift_does_not_depend_on_where_the_new_file_stood():
    old, link = bank(), Link("known", 1.3, -0.5, 40)
    new = estimated(old, np.random.default_rng(1), moved={"i10": 0.8})
    there = Anchors(transformed(new, inverse(link)), old, *[no_errors(40, 1)] * 2)
    here, again = drift(compared(new, old)), drift(placed(there, link))
    np.testing.assert_allclose(again.d_b, here.d_b, atol=1e-12)
    assert again.flags == here.flags


@pytest.fixture
def files(tmp_path):
    def write(name, shift, scale=1.0, n=8):
        lines = ["item,model,a,b,se_b"]
        lines += [f"i{k},2pl,{1 / scale},{scale * (k / 4 - 1) + shift},0.1" for k in range(n)]
        (tmp_path / name).write_text("\n".join(lines))
        return tmp_path / name

    return write


def test_the_command_writes_one_row_by_item(files, tmp_path, run_command):
    old, new = files("old.csv", 0.0), files("new.csv", 0.0)
    new.write_text(new.read_text().replace("i3,2pl,1.0,-0.25", "i3,2pl,1.0,0.75"))
    status, said, err = run_command(
        "--json", "calibrate", "drift", old, new, "--out", tmp_path / "d.csv"
    )
    assert (status, err) == (0, "")
    assert json.loads(said)["n_flagged"] == 1
    with (tmp_path / "d.csv").open() as stream:
        rows = {row["item"]: row for row in csv.DictReader(stream)}
    assert list(rows["i3"]) == ["item", "d_a", "d_b", "z", "robust_z", "area", "flag"]
    assert float(rows["i3"]["d_b"]) == pytest.approx(1.0)
    assert float(rows["i3"]["z"]) == pytest.approx(1 / 0.02**0.5)
    assert rows["i3"]["flag"] == "harder;curve"
    assert rows["i0"]["flag"] == ""


def test_files_on_two_scales_are_remarked_and_can_be_linked(files, tmp_path, run_command):
    old, new = files("old.csv", 0.0), files("new.csv", 0.5, 1.2)
    command = ("--json", "calibrate", "drift", old, new, "--out", tmp_path / "d.csv")
    assert "two scales" in run_command(*command)[2]
    status, said, err = run_command(*command, "--link", "stocking-lord")
    assert status == 0
    assert "A = 0.833333" in err
    assert json.loads(said)["n_flagged"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--limit", "-1"], "--limit: expected a limit above 0"),
        (["--largest-area", "0"], "--largest-area: expected an area above 0"),
        (["--link", "x"], "--link: expected none or stocking-lord"),
    ],
)
def test_options_that_cannot_be_are_refused(files, tmp_path, run_command, options, message):
    old, new = files("old.csv", 0.0), files("new.csv", 0.0)
    out = tmp_path / "d.csv"
    status, said, err = run_command("calibrate", "drift", old, new, "--out", out, *options)
    assert (status, said, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not out.exists()


def test_files_without_common_items_are_refused(files, tmp_path, run_command):
    old, new = files("old.csv", 0.0), files("new.csv", 0.0)
    new.write_text(new.read_text().replace("i", "j").replace("jtem", "item"))
    status, _said, err = run_command("calibrate", "drift", old, new, "--out", tmp_path / "d.csv")
    assert status == 2
    assert "found none" in err
