import numpy as np
import pytest

from calibration.matrix import from_dense, numbered, response_matrix_from_codes
from calibration.mml import Settings
from calibration.priors import RECALIBRATION
from calibration.recalibration import changes, recalibrate
from calibration.recalibrations.plans import make_plan
from engine.errors import AnswerIsNo, InputError
from engine.items import item_parameters

N_ITEMS = 80
N_OLD = 64


@pytest.fixture(scope="module")
def bank():
    rng = np.random.default_rng(11)
    return item_parameters(
        [f"i{k:02d}" for k in range(N_ITEMS)],
        "2pl",
        a=rng.lognormal(0.1, 0.2, N_ITEMS),
        b=rng.normal(0, 1, N_ITEMS),
        content=["algebra", "geometry"] * (N_ITEMS // 2),
    )


STATUSES = ("operational",) * N_OLD + ("pretest",) * (N_ITEMS - N_OLD)


@pytest.fixture(scope="module")
def sittings(bank, adaptive):
    """Ten operational items chosen by the answers so far, three pretest items at random."""
    rng = np.random.default_rng(12)
    theta = rng.normal(0.5, 1.2, 5000)
    return adaptive(bank, N_OLD, theta, rng, length=10, n_new=3)


def counts_of(matrix):
    return dict(zip(matrix.item, matrix.item_counts().tolist(), strict=True))


def preliminary(bank):
    """The release as it was before: pretest items with a guess."""
    a, b = np.array(bank.a), np.array(bank.b)
    a[N_OLD:], b[N_OLD:] = 1.0, 0.0
    return item_parameters(bank.item, bank.model, a=a, b=b, content=bank.content)


def test_pretest_items_are_found_and_operational_ones_stay_digit_for_digit(bank, sittings):
    release = preliminary(bank)
    plan = make_plan(release, STATUSES, counts_of(sittings), "pretest")
    found = recalibrate(sittings, release, plan)
    fit = found.calibration.fit
    assert plan.way == "fixed"
    assert plan.free == bank.item[N_OLD:]
    assert fit.converged
    np.testing.assert_array_equal(fit.items.b[:N_OLD], bank.b[:N_OLD])
    assert np.sqrt(np.mean((fit.items.b - bank.b)[N_OLD:] ** 2)) < 0.15
    assert fit.latent_mean[0] == pytest.approx(0.5, abs=0.06)
    assert fit.latent_sd[0] == pytest.approx(1.2, abs=0.06)
    assert fit.items.content == bank.content


def test_with_all_items_free_the_release_keeps_its_scale(bank, sittings):
    plan = make_plan(bank, ("operational",) * N_ITEMS, counts_of(sittings), "pretest")
    found = recalibrate(sittings, bank, plan)
    fit = found.calibration.fit
    assert plan.way == "all"
    assert "no pretest items" in plan.notes[0]
    assert fit.converged
    assert found.link.method == "stocking-lord"
    assert np.sqrt(np.mean((fit.items.b - bank.b) ** 2)) < 0.15
    assert np.mean(fit.items.b - bank.b) == pytest.approx(0, abs=0.03)
    assert fit.latent_mean[0] == pytest.approx(0.5, abs=0.06)
    # Routed answers say little of a factor common to all a: the priors pull it by some percent.
    assert fit.latent_sd[0] == pytest.approx(1.2, abs=0.12)


def test_standardised_changes_are_as_large_as_their_errors_say(bank, sittings):
    plan = make_plan(bank, ("operational",) * N_ITEMS, counts_of(sittings), "all")
    rows = changes(recalibrate(sittings, bank, plan))
    z = np.array([row[-1] for row in rows])
    assert len(rows) == N_ITEMS
    assert np.sqrt(np.mean(z**2)) == pytest.approx(1.0, abs=0.25)


def test_items_with_few_responses_keep_the_parameters_and_say_so(bank, sittings):
    few = response_with(sittings, item=3, at_most=20)
    plan = make_plan(bank, ("operational",) * N_ITEMS, counts_of(few), "all")
    found = recalibrate(few, bank, plan)
    items = found.calibration.fit.items
    assert list(plan.kept) == ["i03"]
    assert (items.a[3], items.b[3]) == (bank.a[3], bank.b[3])
    assert np.isnan(found.calibration.errors.b[3])
    assert any("1 items with fewer than 30" in text for text in found.calibration.remarks)
    assert "keeps the release's parameters" in found.calibration.screening.notes("i03")[0]


def response_with(matrix, item, at_most):
    own = np.flatnonzero(matrix.column == item)
    keep = np.ones(matrix.n_responses, dtype=bool)
    keep[own[at_most:]] = False
    codes = (matrix.rows()[keep], matrix.column[keep], matrix.score[keep])
    return response_matrix_from_codes(matrix.person, matrix.item, codes, routed=True)


def test_chosen_codes_are_free_and_all_others_hold_the_scale(bank, sittings):
    plan = make_plan(bank, ("operational",) * N_ITEMS, counts_of(sittings), "i70, i71")
    found = recalibrate(sittings, bank, plan)
    moved = np.flatnonzero(found.calibration.fit.items.b != bank.b)
    np.testing.assert_array_equal(moved, [70, 71])


def test_an_item_that_everybody_solved_stays_in_the_data(bank, sittings):
    score = sittings.score.copy()
    score[sittings.column == 5] = 1
    matrix = sittings.with_scores(score)
    plan = make_plan(bank, ("operational",) * N_ITEMS, counts_of(matrix), "all")
    found = recalibrate(matrix, bank, plan)
    assert found.calibration.screening.dropped == {}
    assert found.calibration.fit.items.b[5] < bank.b.min()
    assert found.calibration.fit.converged


def test_statistics_that_routing_does_not_allow_are_blank_with_the_reason(bank, sittings):
    plan = make_plan(bank, STATUSES, counts_of(sittings), "pretest")
    fit = recalibrate(sittings, bank, plan).calibration.item_fit
    assert np.isnan(fit.point_biserial).all()
    assert np.isnan(fit.s_x2.statistic).all()
    assert "routed" in fit.notes[0]
    assert np.isfinite(fit.infit).all()
    assert fit.rmsd.max() < 0.1


def test_rasch_banks_keep_their_unit():
    rng = np.random.default_rng(3)
    bank = item_parameters(numbered(12), "rasch", a=1.0, b=np.linspace(-2, 2, 12))
    theta = rng.normal(-0.4, 1.3, 3000)
    chance = 1 / (1 + np.exp(bank.b - theta[:, None]))
    scores = (rng.random(chance.shape) < chance).astype(int)
    matrix = from_dense(scores, item=bank.item, routed=True)
    plan = make_plan(bank, ("operational",) * 12, counts_of(matrix), "all")
    found = recalibrate(matrix, bank, plan)
    fit = found.calibration.fit
    assert set(fit.items.model) == {"rasch"}
    assert found.link.A == 1.0
    assert fit.latent_mean[0] == pytest.approx(-0.4, abs=0.08)
    assert fit.latent_sd[0] == pytest.approx(1.3, abs=0.08)


def test_too_few_iterations_are_not_convergence(bank, sittings):
    plan = make_plan(bank, ("operational",) * N_ITEMS, counts_of(sittings), "all")
    found = recalibrate(sittings, bank, plan, Settings(RECALIBRATION, max_iterations=2))
    assert not found.calibration.fit.converged
    assert "Not converged" in " ".join(found.calibration.remarks)


def test_plans_that_cannot_be_are_refused(bank):
    counts = dict.fromkeys(bank.item, 100)
    with pytest.raises(InputError, match="found x1"):
        make_plan(bank, STATUSES, counts, "i01,x1")
    with pytest.raises(InputError, match="some items to hold the scale"):
        make_plan(bank, STATUSES, counts, ",".join(bank.item))
    with pytest.raises(AnswerIsNo, match="nothing to estimate"):
        make_plan(bank, STATUSES, {}, "all")
