import csv
import json
from pathlib import Path

import numpy as np
import pytest

from calibration.item_fit import item_fit
from calibration.matrix import from_dense
from calibration.mml import Settings, fit
from calibration.observed_information import observed_information
from calibration.parameter_file import no_errors, parameter_text, read_parameter_file
from calibration.parameter_space import from_vector, to_vector
from calibration.standard_errors import standard_errors
from engine.items import item_parameters
from engine.models import dispatch

REFERENCE = Path(__file__).parents[1] / "reference" / "nominal_direct.json"


@pytest.fixture(scope="module")
def facts():
    return json.loads(REFERENCE.read_text())


@pytest.fixture(scope="module")
def bock(facts):
    table = facts["bock1997_patterns"]
    scores = np.repeat([row[:-1] for row in table], [row[-1] for row in table], axis=0)
    return from_dense(scores, item=["Item.1", "Item.2", "Item.3"])


@pytest.fixture(scope="module")
def bank():
    rng = np.random.default_rng(6)
    slopes = np.column_stack((rng.normal(0, 0.6, (12, 2)), np.full(12, np.nan)))
    slopes[:6, 2] = rng.lognormal(0.3, 0.2, 6)
    slopes[6:, 1] = rng.lognormal(0.3, 0.2, 6)
    intercepts = np.where(np.isnan(slopes), np.nan, rng.normal(0, 0.7, (12, 3)))
    return item_parameters(
        [f"n{k}" for k in range(12)], "nrm", slopes=slopes, intercepts=intercepts
    )


def drawn(items, theta, rng):
    chances = np.cumsum(dispatch.probabilities(theta, items), axis=2)
    scores = (rng.random(chances.shape[:2])[:, :, None] > chances).sum(axis=2)
    return np.minimum(scores, items.n_categories - 1)


def test_the_maximum_is_that_of_direct_numerical_optimisation(bock, facts):
    found = fit(bock, ["nrm"] * 3)
    assert found.converged
    assert found.log_likelihood == pytest.approx(facts["log_likelihood"], abs=1e-5)
    np.testing.assert_allclose(found.items.slopes, facts["slopes"], atol=2e-5)
    np.testing.assert_allclose(found.items.intercepts, facts["intercepts"], atol=2e-5)


def test_known_parameters_are_recovered(bank):
    rng = np.random.default_rng(2)
    found = fit(from_dense(drawn(bank, rng.normal(size=6000), rng), item=bank.item), bank.model)
    assert found.converged
    sign = np.sign(np.nansum(found.items.slopes * bank.slopes))
    assert np.sqrt(np.nanmean((sign * found.items.slopes - bank.slopes) ** 2)) < 0.1
    assert np.sqrt(np.nanmean((found.items.intercepts - bank.intercepts) ** 2)) < 0.1


def test_in_a_mixed_test_the_ordered_items_say_which_way_theta_grows(bank):
    rng = np.random.default_rng(3)
    ordered = item_parameters([f"o{k}" for k in range(10)], "2pl", a=1.2, b=np.linspace(-2, 2, 10))
    theta = rng.normal(size=4000)
    scores = np.column_stack((drawn(bank, theta, rng), drawn(ordered, theta, rng)))
    matrix = from_dense(scores, item=[*bank.item, *ordered.item])
    found = fit(matrix, [*bank.model, *ordered.model])
    assert found.converged
    assert np.nanmax(np.abs(found.items.slopes[:12] - bank.slopes)) < 0.35
    assert np.isnan(found.items.a[:12]).all()


def test_nominal_items_can_be_held(bank):
    rng = np.random.default_rng(4)
    matrix = from_dense(drawn(bank, rng.normal(0.8, 1.2, 5000), rng), item=bank.item)
    found = fit(matrix, ["nrm"] * 12, fixed=bank.subset(np.arange(9)))
    assert found.converged
    np.testing.assert_array_equal(found.items.slopes[:9], bank.slopes[:9])
    assert found.latent_mean[0] == pytest.approx(0.8, abs=0.1)
    assert found.latent_sd[0] == pytest.approx(1.2, abs=0.1)
    assert np.nanmax(np.abs(found.items.slopes[9:] - bank.slopes[9:])) < 0.4


def test_the_information_is_minus_the_change_of_the_gradient(bock):
    found = fit(bock, ["nrm"] * 3, Settings(max_iterations=400))
    information = observed_information(found)
    vector, h = to_vector(found.space, found.state), 1e-4
    for column in (0, 5, 10, 17):
        step = np.eye(vector.size)[column] * h
        ends = [log_likelihood_slope(found, bock, vector + s * step) for s in (1, -1)]
        numeric = -(ends[0] - ends[1]) / (2 * h)
        np.testing.assert_allclose(information[column], numeric, rtol=1e-4, atol=1e-2)


def log_likelihood_slope(found, matrix, vector):
    """By differences of the scores of whole persons, nothing of the fit's own derivatives."""
    h = 1e-4
    scores, _all = matrix.dense()
    patterns, counts = np.unique(scores, axis=0, return_counts=True)

    def value(at):
        state = from_vector(found.space, at, found.state)
        slopes, intercepts = np.split(state.local[0], 2, axis=1)
        items = item_parameters(found.items.item, "nrm", slopes=slopes, intercepts=intercepts)
        log_p = dispatch.log_probabilities(found.theta, items)
        weights = np.exp(found.tables.log_weights[0])
        joint = sum(log_p[:, k, patterns[:, k]] for k in range(3))
        return float(counts @ np.log(weights @ np.exp(joint)))

    steps = np.eye(vector.size) * h
    return np.array([(value(vector + s) - value(vector - s)) / (2 * h) for s in steps])


def test_no_statistic_takes_the_number_of_a_category_for_a_score(bock):
    found = fit(bock, ["nrm"] * 3)
    statistics = item_fit(bock, found, np.zeros(bock.n_persons))
    for values in (
        statistics.p_value, statistics.point_biserial, statistics.infit, statistics.s_x2.statistic
    ):  # fmt: skip
        assert np.isnan(values).all()
    assert (statistics.rmsd < 0.05).all()
    assert all("no order" in note for note in statistics.notes)


def test_errors_of_nominal_parameters_survive_the_file(bock, tmp_path):
    found = fit(bock, ["nrm"] * 3)
    se = standard_errors(found).se
    assert (se.slopes > 0).all()
    (tmp_path / "p.csv").write_text(parameter_text(found.items, se))
    again = read_parameter_file(tmp_path / "p.csv")
    np.testing.assert_array_equal(again.items.slopes, found.items.slopes)
    np.testing.assert_array_equal(again.se.slopes, se.slopes)
    np.testing.assert_array_equal(again.se.intercepts, se.intercepts)
    assert "se_slope1" in parameter_text(found.items, no_errors(3, 1)).splitlines()[0]


def test_the_command_fits_and_scores_nominal_items(run_command, bock, tmp_path):
    scores, _all = bock.dense()
    path, out = tmp_path / "bock.csv", tmp_path / "out"
    rows = ["Item.1,Item.2,Item.3", *(",".join(map(str, row)) for row in scores + 1)]
    path.write_text("\n".join(rows) + "\n")
    status, _said, err = run_command("calibrate", "fit", path, "--model", "nrm", "--out", out)
    assert status == 2
    assert "--recode" in err
    command = ("calibrate", "fit", path, "--model", "nrm", "--recode", "--out", out)
    assert run_command(*command)[0] == 0
    assert "slope 1" in (out / "report.html").read_text()
    rows[1:] = [",".join(map(str, row)) for row in scores]
    path.write_text("\n".join(rows) + "\n")
    target = tmp_path / "theta.csv"
    run_command("calibrate", "score", path, out / "parameters.csv", "--out", target)
    np.testing.assert_allclose(thetas(target), thetas(out / "persons.csv"), atol=1e-6)


def thetas(path):
    with path.open() as stream:
        return [float(row["theta"]) for row in csv.DictReader(stream)]
