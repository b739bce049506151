"""Mixed banks of which some scores were never given, and items with a handful of answers."""

import re

import numpy as np
import pytest

from calibration.fitting import Options
from calibration.matrix import from_dense
from calibration.mml import Settings, fit
from calibration.priors import RECALIBRATION
from calibration.recalibration import recalibrate
from calibration.recalibrations.plans import Plan, make_plan, without_unused
from calibration.recalibrations.unused import as_wide, merged, unused_scores
from calibration.report import report
from calibration.standard_errors import standard_errors
from calibration.summary import summary
from engine.errors import AnswerIsNo, InputError
from engine.items import item_parameters
from engine.models import dispatch

PERSONS = 300
MODELS = ("2pl",) * 8 + ("3pl",) * 2 + ("grm",) * 4 + ("gpcm",) * 4 + ("pcm",) * 2 + ("nrm",) * 2
N = len(MODELS)
OPERATIONAL = ("operational",) * N


@pytest.fixture(scope="module")
def release():
    rng = np.random.default_rng(5)
    thresholds, slopes, intercepts = np.full((3, N, 3), np.nan)
    a, b, c = np.full((3, N), np.nan)
    for k, model in enumerate(MODELS):
        if model == "nrm":
            slopes[k], intercepts[k] = [0.5, 1.0, 1.5], [0.5, 0.4, -0.3]
            continue
        a[k] = 1.0 if model == "pcm" else 1.2
        if model in {"2pl", "3pl"}:
            b[k], c[k] = rng.normal(), 0.2 if model == "3pl" else np.nan
        else:
            thresholds[k] = np.array([-1.0, 0.0, 1.0]) + rng.normal(0, 0.3)
    return item_parameters(
        [f"{model}-{k}" for k, model in enumerate(MODELS)], MODELS,
        a=a, b=b, c=c, thresholds=thresholds, slopes=slopes, intercepts=intercepts,
    )  # fmt: skip


@pytest.fixture(scope="module")
def scores(release):
    rng = np.random.default_rng(1)
    chance = dispatch.probabilities(rng.normal(0, 1, PERSONS), release).cumsum(axis=2)
    return (rng.random((PERSONS, N, 1)) > chance[:, :, :-1]).sum(axis=2)


def counts_of(matrix):
    return dict(zip(matrix.item, matrix.item_counts().tolist(), strict=True))


def with_scores(release, scores, item, given, *, n=PERSONS):
    """The item has only the given scores, from its first n persons."""
    changed, seen = scores.copy(), np.ones(scores.shape, dtype=bool)
    row = release.row(item)
    changed[:, row] = np.resize(given, PERSONS)
    seen[n:, row] = False
    # A person without one answer makes the data routed, as adaptive sittings are.
    seen[PERSONS - 1, 0] = False
    return from_dense(changed, seen, item=release.item, routed=True)


GIVEN = {
    "grm-10": [1, 2, 3], "grm-11": [0, 1, 3], "grm-12": [0, 1, 2], "gpcm-14": [0, 3],
    "gpcm-15": [0, 1], "pcm-18": [0, 1, 3], "pcm-19": [2], "nrm-20": [0, 1, 3],
}  # fmt: skip
"""The scores that were given: without the lowest, one or two of the middle, or of the highest."""


def lacking(given):
    return " or ".join(str(score) for score in range(4) if score not in given)


@pytest.fixture(scope="module")
def incomplete(release, scores):
    """Half of the polytomous items have a score that nobody had."""
    changed, seen = scores.copy(), np.ones(scores.shape, dtype=bool)
    for name, given in GIVEN.items():
        row = release.row(name)
        changed[:, row] = np.array(given)[np.minimum(changed[:, row], len(given) - 1)]
    seen[-1, 0] = False
    return from_dense(changed, seen, item=release.item, routed=True)


@pytest.fixture(scope="module")
def recalibrated(release, incomplete):
    plan = make_plan(release, OPERATIONAL, counts_of(incomplete), "all")
    return recalibrate(incomplete, release, plan)


def test_the_fit_of_a_mixed_bank_with_unused_scores_converges_with_errors(recalibrated):
    calibration = recalibrated.calibration
    assert calibration.fit.converged
    whole = [k for k, name in enumerate(calibration.fit.items.item) if name not in GIVEN]
    for k in whole:
        if MODELS[k] == "nrm":
            assert np.isfinite(calibration.errors.slopes[k]).all()
        elif MODELS[k] in {"2pl", "3pl"}:
            assert np.isfinite(calibration.errors.b[k])
        else:
            assert np.isfinite(calibration.errors.thresholds[k]).all()
    assert np.isfinite(calibration.persons.theta).all()
    assert np.isfinite(calibration.persons.se).all()


@pytest.mark.parametrize("name", GIVEN)
def test_an_item_with_an_unused_score_keeps_the_releases_parameters(release, recalibrated, name):
    calibration, row = recalibrated.calibration, release.row(name)
    why = f"nobody had a score of {lacking(GIVEN[name])}"
    assert name in recalibrated.plan.kept
    assert name not in recalibrated.plan.anchors
    assert name not in recalibrated.plan.free
    assert why in calibration.screening.notes(name)[0]
    assert any(f"{name} ({why})" in remark for remark in calibration.remarks)
    items, errors = calibration.fit.items, calibration.errors
    for table in ("a", "thresholds", "slopes", "intercepts"):
        np.testing.assert_array_equal(getattr(items, table)[row], getattr(release, table)[row])
    assert np.isnan(errors.a[row])
    assert np.isnan(errors.thresholds[row]).all()
    assert np.isnan(errors.slopes[row]).all()


def test_all_other_items_are_estimated(release, recalibrated):
    assert set(recalibrated.plan.free) == set(release.item) - set(GIVEN)
    assert set(recalibrated.plan.kept) == set(GIVEN)


def test_fit_statistics_and_the_report_of_held_items_have_no_silent_nan(recalibrated):
    calibration = recalibrated.calibration
    ordered = [k for k, model in enumerate(MODELS) if model != "nrm"]
    assert np.isfinite(calibration.item_fit.infit[ordered]).all()
    assert np.isfinite(calibration.item_fit.outfit[ordered]).all()
    assert np.isfinite(calibration.item_fit.rmsd).all()
    figures = summary(calibration, Options(), data_sha256="0" * 64, settings={"way": "all"})
    page = report(calibration, figures, title="Recalibration")
    assert not re.search(r"\b(nan|NaN|inf|Infinity)\b", page)
    for name, given in GIVEN.items():
        assert f"{name} (nobody had a score of {lacking(given)})" in page


@pytest.mark.parametrize(
    ("item", "n"), [("grm-10", 0), ("grm-10", 5), ("gpcm-14", 1), ("nrm-20", 0)]
)
def test_items_with_a_handful_of_answers_take_part_and_spoil_nothing(release, scores, item, n):
    matrix = with_scores(release, scores, item, [3, 0], n=n)
    plan = make_plan(release, OPERATIONAL, counts_of(matrix), "all")

    found = recalibrate(matrix, release, plan)

    assert found.calibration.fit.converged
    assert "fewer than 30" in found.plan.kept[item]
    assert np.isfinite(found.calibration.persons.theta).all()
    assert np.isfinite(found.calibration.persons.se).all()
    assert np.isfinite(found.calibration.errors.b[2:10]).all()


def test_pretest_items_with_an_unused_score_are_held_like_operational_ones(release, scores):
    matrix = with_scores(release, scores, "grm-11", [0, 1, 3])
    statuses = tuple("pretest" if name in {"grm-11", "grm-12"} else "operational"
                     for name in release.item)  # fmt: skip
    plan = make_plan(release, statuses, counts_of(matrix), "pretest")

    found = recalibrate(matrix, release, plan)

    assert found.plan.free == ("grm-12",)
    items = found.calibration.fit.items
    np.testing.assert_array_equal(items.thresholds[11], release.thresholds[11])
    assert not np.array_equal(items.thresholds[12], release.thresholds[12])
    assert found.calibration.fit.converged


def test_merged_scores_are_the_limit_that_the_full_model_tends_to(release, scores):
    """A graded item whose two inner thresholds meet gives nobody the score between them."""
    matrix = with_scores(release, scores, "grm-10", [0, 1, 3])
    data, start = merged(matrix, release)
    row = release.row("grm-10")
    few = fit(data, release.model, Settings(RECALIBRATION), start=start)
    steps = few.items.thresholds[row]

    close = np.array(few.items.thresholds)
    close[row] = [steps[0], steps[1], steps[1] + 1e-6]
    wide = item_parameters(
        release.item, release.model, a=few.items.a, b=few.items.b, c=few.items.c,
        thresholds=close, slopes=few.items.slopes, intercepts=few.items.intercepts,
    )  # fmt: skip
    theta = np.linspace(-4, 4, 9)
    narrow, full = (dispatch.probabilities(theta, items)[:, row] for items in (few.items, wide))
    np.testing.assert_allclose(full[:, [0, 1, 3]], narrow[:, :3], atol=1e-5)
    assert few.items.n_categories[row] == 3


def test_only_unused_scores_are_merged(release, scores):
    matrix = with_scores(release, scores, "gpcm-15", [0, 3])
    data, start = merged(matrix, release)
    row = release.row("gpcm-15")
    assert unused_scores(matrix, release) == {"gpcm-15": (1, 2)}
    assert start.n_categories[row] == 2
    assert start.thresholds[row, 0] == pytest.approx(release.thresholds[row].mean())
    own = data.column == row
    np.testing.assert_array_equal(data.score[own] * 3, matrix.score[own])
    np.testing.assert_array_equal(data.score[~own], matrix.score[~own])
    whole = from_dense(scores, item=release.item)
    assert merged(whole, release) == (whole, release)


def test_errors_of_narrower_items_become_as_wide_as_the_release(release, scores):
    bank = release.subset([0, 1, 10])
    matrix = from_dense(np.minimum(scores[:, [0, 1, 10]], 1), item=bank.item)
    data, start = merged(matrix, bank)
    errors = standard_errors(fit(data, bank.model, Settings(RECALIBRATION), start=start)).se
    wide = as_wide(errors, bank)
    assert wide.thresholds.shape == bank.thresholds.shape
    assert np.isnan(wide.thresholds[2, 1:]).all()
    assert np.isfinite(wide.thresholds[2, 0])


def test_a_free_graded_item_with_an_unused_score_is_refused_by_name(release, scores):
    matrix = with_scores(release, scores, "grm-10", [0, 1, 3])
    with pytest.raises(InputError, match="grm-10: expected an item of which every score occurs"):
        fit(matrix, release.model, Settings(RECALIBRATION), start=release)


def test_nothing_to_estimate_or_to_link_through_is_said():
    plan = Plan("link", ("p",), {}, (), ("a", "b"))
    with pytest.raises(AnswerIsNo, match="p: nobody had a score of 1 or 2"):
        without_unused(plan, {"p": (1, 2)})
    with pytest.raises(AnswerIsNo, match="1 operational items have 30 responses and answers"):
        without_unused(plan, {"a": (0,)})
    assert without_unused(plan, {"other": (0,)}) is plan


@pytest.mark.parametrize("seed", [1, 3, 6])
def test_graded_thresholds_never_cross_on_the_way(seed):
    """Few persons and rare scores: the accelerated step would take thresholds out of order."""
    rng = np.random.default_rng(seed)
    bank = item_parameters(
        [f"g{k}" for k in range(6)], "grm", a=2.5,
        thresholds=np.linspace(-1.5, 1.5, 6)[:, None] + [-0.1, 0.0, 0.02],
    )  # fmt: skip
    chance = dispatch.probabilities(rng.normal(0, 1, 40), bank).cumsum(axis=2)
    drawn = (rng.random((40, 6, 1)) > chance[:, :, :-1]).sum(axis=2)
    drawn[:4] = np.arange(4)[:, None]
    seen = rng.random(drawn.shape) < 0.8
    seen[:4] = True
    found = fit(from_dense(drawn, seen, item=bank.item), bank.model, Settings())
    assert found.converged
    assert (np.diff(found.items.thresholds, axis=1) > 0).all()
    assert np.isfinite(found.log_likelihood)
