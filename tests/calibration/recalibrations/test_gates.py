from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from calibration.parameter_file import StandardErrors
from calibration.recalibrations.gates import (
    Gates,
    gates_text,
    read_dif,
    read_gates,
    verdicts,
)
from engine.errors import InputError
from engine.items import item_parameters

GOOD = {"n": 500, "a": 1.1, "se_a": 0.1, "se_b": 0.1, "rmsd": 0.03}


@dataclass(frozen=True)
class Found:
    """What a calibration says of one item, in the shape that gates read."""

    fit: SimpleNamespace
    errors: StandardErrors
    item_fit: SimpleNamespace


def one_item(**changed):
    value = GOOD | changed
    items = item_parameters(["x"], changed.get("model", "2pl"), a=value["a"], b=0.0)
    blank = np.array([np.nan])
    se = StandardErrors(
        np.array([value["se_a"]]), np.array([value["se_b"]]), blank, blank, np.array([[np.nan]])
    )
    fit = SimpleNamespace(n=np.array([value["n"]]), rmsd=np.array([value["rmsd"]]))
    return Found(SimpleNamespace(items=items), se, fit)


def verdict(found, gates=None, **how):
    return verdicts(found, ["x"], gates or Gates(), **how)["x"]


def test_an_item_within_all_limits_passes():
    found = verdict(one_item(), dif={"x": "B"})
    assert found.passed
    assert found.reasons == ()
    assert found.unchecked == ()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"n": 199}, "199 responses, fewer than 200"),
        ({"a": 0.2}, "a 0.200 below 0.3"),
        ({"se_a": 0.6}, "SE of a 0.600 above 0.5"),
        ({"se_b": 0.45}, "SE of b 0.450 above 0.4"),
        ({"se_b": np.nan}, "SE of b not known"),
        ({"rmsd": 0.15}, "RMSD 0.150 above 0.1"),
    ],
)
def test_an_item_beyond_a_limit_fails_with_the_reason(changed, reason):
    found = verdict(one_item(**changed))
    assert not found.passed
    assert found.reasons == (reason,)


def test_rasch_items_need_no_standard_error_of_a():
    assert verdict(one_item(model="rasch", a=1.0, se_a=np.nan)).passed


def test_dif_and_drift_fail_an_item_and_what_nobody_checked_is_said():
    assert verdict(one_item()).unchecked == ("DIF",)
    assert verdict(one_item(), dif={"x": "C"}).reasons == ("DIF of class C",)
    assert verdict(one_item(), Gates(worst_dif="C"), dif={"x": "C"}).passed
    drifted = {"x": "easier"}
    assert verdict(one_item(), drifted=drifted).reasons == ("drifted, easier",)
    assert verdict(one_item(), Gates(allow_drift=True), drifted=drifted).passed


def test_the_least_sure_threshold_counts():
    items = item_parameters(["x"], "grm", a=1.0, thresholds=[[-1.0, 1.0]])
    blank = np.array([np.nan])
    se = StandardErrors(np.array([0.1]), blank, blank, blank, np.array([[0.1, 0.7]]))
    fit = SimpleNamespace(n=np.array([500]), rmsd=np.array([0.01]))
    found = verdict(Found(SimpleNamespace(items=items), se, fit))
    assert found.reasons == ("SE of b 0.700 above 0.4",)


def test_the_default_gates_are_a_file_that_gives_them(tmp_path):
    file = tmp_path / "gates.toml"
    file.write_text(gates_text(Gates()))
    assert read_gates(file) == Gates() == read_gates(None)
    file.write_text("min_n = 500\nmax_rmsd = 0.05")
    assert read_gates(file) == Gates(min_n=500, max_rmsd=0.05)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_m = 3", "min_m: expected one of min_n"),
        ("min_n = 2.5", "min_n: expected a whole number from 0, found 2.5"),
        ("max_se_b = true", "max_se_b: expected a number from 0"),
        ("max_rmsd = -1", "max_rmsd: expected a number from 0"),
        ("worst_dif = 'D'", "worst_dif: expected A, B or C"),
        ("allow_drift = 1", "allow_drift: expected true or false"),
        ("min_n =", "expected a TOML file"),
    ],
)
def test_files_that_are_no_gates_are_refused(tmp_path, text, message):
    (tmp_path / "gates.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_gates(tmp_path / "gates.toml")


def test_the_worst_class_of_an_item_counts(tmp_path):
    file = tmp_path / "dif.csv"
    file.write_text("item,effect,ets_class\nx,1,A\nx,2,C\ny,0,\nz,0,B\n")
    assert read_dif(file) == {"x": "C", "z": "B"}
    file.write_text("item,ets_class\nx,D\n")
    with pytest.raises(InputError, match=r"dif.csv:2: ets_class: expected A, B, C"):
        read_dif(file)
    file.write_text("item,class\nx,A\n")
    with pytest.raises(InputError, match="a column ets_class"):
        read_dif(file)
