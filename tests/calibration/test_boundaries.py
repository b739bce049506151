import csv
import json

import numpy as np
import pytest

from calibration.boundaries import boundaries
from calibration.matrix import from_dense
from calibration.mml import Settings, fit
from calibration.priors import Priors
from calibration.standard_errors import standard_errors


def drawn(n=800, n_items=8, seed=1, a=1.2, c=0.0):
    rng = np.random.default_rng(seed)
    b, theta = np.linspace(-1.5, 1.5, n_items), rng.normal(size=(n, 1))
    chance = c + (1 - c) / (1 + np.exp(-a * (theta - b)))
    return (rng.random(chance.shape) < chance).astype(int)


def found_at(scores, model="2pl", **settings):
    matrix = from_dense(scores)
    found = fit(matrix, [model] * matrix.n_items, Settings(**settings))
    return boundaries(found, standard_errors(found).se, matrix.item_counts())


def test_a_fit_without_trouble_has_no_boundaries():
    assert found_at(drawn()) == {}


def test_an_item_that_goes_against_the_rest_is_at_the_lowest_discrimination():
    scores = drawn()
    scores[:, 2] = 1 - scores[:, 2]
    (note,) = found_at(scores)["3"]
    assert "lowest limit (0.01)" in note


def test_an_item_that_separates_persons_by_all_others_is_named():
    scores = drawn(600, 12, a=2.5)
    scores[:, 5] = scores[:, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]].sum(axis=1) >= 6
    notes = found_at(scores, max_iterations=2000)
    assert any("separate" in note for note in notes["6"])


def test_an_asymptote_at_its_end_is_named_where_no_prior_keeps_it_away():
    notes = found_at(drawn(1500, 8, seed=3), "3pl", priors=Priors(), max_iterations=2000)
    assert any("lower asymptote at its lowest limit" in " ".join(own) for own in notes.values())


def test_an_upper_asymptote_at_1_is_named():
    notes = found_at(drawn(1500, 8, seed=3), "4pl", priors=Priors(), max_iterations=3000)
    assert any("upper asymptote at its highest limit" in " ".join(own) for own in notes.values())


def test_an_item_with_few_responses_is_named():
    scores = drawn()
    matrix = from_dense(scores, np.arange(scores.size).reshape(scores.shape) % 8 < 7)
    few = np.ones(scores.shape, dtype=bool)
    few[20:, 4] = False
    matrix = from_dense(scores, few)
    found = fit(matrix, ["2pl"] * 8)
    notes = boundaries(found, None, matrix.item_counts())
    assert list(notes) == ["5"]
    assert notes["5"][-1] == "20 responses are too few to estimate 2 parameters"


def test_every_file_and_the_terminal_name_what_is_at_a_limit(run_command, tmp_path):
    scores = np.column_stack((drawn(), np.ones(800, int)))
    scores[:, 2] = 1 - scores[:, 2]
    path, out = tmp_path / "data.csv", tmp_path / "out"
    rows = [",".join(f"i{k}" for k in range(9)), *(",".join(map(str, row)) for row in scores)]
    path.write_text("\n".join(rows) + "\n")
    _status, _said, err = run_command("calibrate", "fit", path, "--out", out)
    summary = json.loads((out / "summary.json").read_text())
    assert list(summary["boundaries"]) == ["i2"]
    assert "Not to be used as they are: i2 (discrimination at its lowest limit" in err
    assert "i8 (dropped: every score is 1)" in " ".join(summary["remarks"])
    with (out / "parameters.csv").open() as stream:
        notes = {row["item"]: row["notes"] for row in csv.DictReader(stream)}
    assert "check the key" in notes["i2"]
    assert notes["i1"] == ""
    theta = tmp_path / "theta.csv"
    assert run_command("calibrate", "score", path, out / "parameters.csv", "--out", theta)[0] == 0
    bank = tmp_path / "bank.csv"
    bank.write_text((out / "parameters.csv").read_text())
    assert "notes" not in run_command("bank", "check", bank)[1]


@pytest.mark.parametrize("what", ["boundaries", "remarks"])
def test_the_summary_always_has_the_fields(run_command, lsat7_file, tmp_path, what):
    run_command("calibrate", "fit", lsat7_file, "--out", tmp_path / "out")
    assert not json.loads((tmp_path / "out" / "summary.json").read_text())[what]
