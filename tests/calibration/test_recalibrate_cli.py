import csv
import json

import pytest

BANK = "low-altitude"


@pytest.fixture
def recalibrate(demonstration, run_command, tmp_path):
    def run(*arguments):
        url = f"sqlite:///{demonstration}"
        return run_command(
            "--json", "--database", url, "calibrate", "recalibrate", "--bank", BANK,
            "--out", tmp_path / "out", *arguments,
        )  # fmt: skip

    return run


def rows(path):
    with path.open(newline="") as stream:
        return {row["item"]: row for row in csv.DictReader(stream)}


def test_recorded_sittings_become_a_run_a_folder_and_a_draft(
    recalibrate, demonstration, run_command, tmp_path
):
    status, said, err = recalibrate()
    summary = json.loads(said)
    assert status == 0
    assert summary["converged"] is True
    assert summary["n_persons"] == 60
    assert summary["settings"]["way"] == "fixed"
    assert "60 of 60 sittings are simulated" in err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "parameters.csv", "persons.csv", "item_fit.csv", "summary.json", "report.html",
        "response_times.csv",
    }  # fmt: skip
    found = rows(tmp_path / "out" / "parameters.csv")
    estimated = {name for name, row in found.items() if row["se_b"]}
    assert len(found) == summary["n_items"] == 125
    tried = {name for name, row in found.items() if row["status"] == "pretest"}
    assert tried == {"AIR-16", "OPS-16", "SAF-16", "WX-16"}
    assert len(estimated) > 0
    assert estimated <= tried
    url = f"sqlite:///{demonstration}"
    _status, told, _err = run_command(
        "--json", "--database", url, "bank", "diff", BANK, "1", "draft"
    )
    for name in estimated:
        assert name in told


def test_items_that_were_tried_out_have_the_responses_of_two_in_each_sitting(
    recalibrate, demonstration, tmp_path
):
    recalibrate()
    fit = rows(tmp_path / "out" / "item_fit.csv")
    counts = [int(fit[name]["n"]) for name in ("AIR-16", "OPS-16", "SAF-16", "WX-16")]
    assert sum(counts) == 120
    assert max(counts) - min(counts) <= 4


def test_all_items_can_be_estimated_anew(recalibrate, tmp_path):
    status, said, _err = recalibrate("--free", "all")
    assert status == 0
    assert json.loads(said)["settings"]["way"] == "all"
    found = rows(tmp_path / "out" / "parameters.csv")
    estimated = sum(bool(row["se_b"] or row.get("se_b1")) for row in found.values())
    assert 4 < estimated < len(found)


def test_chosen_items_are_free_and_the_others_as_the_release_has_them(recalibrate, tmp_path):
    recalibrate()
    first = rows(tmp_path / "out" / "parameters.csv")
    name = next(item for item, row in first.items() if row["se_b"])
    status, said, _err = recalibrate("--free", name)
    assert status == 0
    assert json.loads(said)["settings"]["way"] == "fixed"
    again = rows(tmp_path / "out" / "parameters.csv")
    assert [item for item, row in again.items() if row["se_b"]] == [name]


def test_a_day_after_all_sittings_leaves_nothing_to_do(recalibrate, tmp_path):
    status, _said, err = recalibrate("--since", "2100-01-01")
    assert status == 1
    assert f"no recorded sittings on bank {BANK}" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--since", "yesterday"], "--since: expected a day as 2026-01-31"),
        (["--strategy", "free"], "--strategy: expected fixed or link"),
        (["--screen", "x"], "--screen: expected none or robust-z"),
        (["--limit", "0"], "--limit: expected a limit above 0"),
        (["--gates", "nowhere.toml"], "nowhere.toml: --gates: expected a readable file"),
        (["--dif", "nowhere.csv"], "nowhere.csv: expected a readable file"),
        (["--free", "nothing"], "--free: expected items of the release"),
        (["--bank", "none"], "expected one of the banks"),
        (["--prior", "a=normal(0,1)"], "--prior: expected one of"),
        (["--tolerance", "-1"], "expected a tolerance above 0"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(recalibrate, tmp_path, options, message):
    status, said, err = recalibrate(*options)
    assert status == 2
    assert said == ""
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "out").exists()
