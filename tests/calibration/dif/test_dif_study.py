import numpy as np
import pytest
from support.group_data import drawn, joined, two_groups

from calibration.dif.matching import on_theta, quantile_strata
from calibration.dif.pass_rates import pass_rates
from calibration.dif.study import group_names, pair_of, study
from calibration.dif.ways import Options
from calibration.matrix import from_dense
from engine.errors import InputError
from engine.items import item_parameters

METHODS = ["mantel-haenszel", "logistic", "lr"]


def rejections(method, *, runs, n, impact=0.0, shift=0.0, seed=1):
    """Unadjusted p values below .05, of the studied item and of the rest."""
    rng = np.random.default_rng(seed)
    studied, rest = [], []
    for _ in range(runs):
        matrix = two_groups(rng, n, 12, impact=impact, shift=shift)
        (found,) = study(matrix, Options(method=method, purify=False))
        p = [result.first.p < 0.05 for result in found.results]
        studied.append(p[0])
        rest += p[1:]
    return np.mean(studied), np.mean(rest)


@pytest.mark.parametrize("method", ["mantel-haenszel", "logistic"])
def test_without_dif_about_one_in_twenty_is_rejected_although_groups_differ(method):
    _studied, rate = rejections(method, runs=25, n=600, impact=0.5)
    assert 0.02 < rate < 0.09


def test_without_dif_about_one_in_twenty_is_rejected_by_likelihood_ratios():
    _studied, rate = rejections("lr", runs=6, n=400, impact=0.5)
    assert rate < 0.16


@pytest.mark.parametrize(("method", "runs"), [(METHODS[0], 8), (METHODS[1], 8), (METHODS[2], 2)])
def test_an_item_that_is_much_harder_for_one_group_is_found(method, runs):
    power, _rest = rejections(method, runs=runs, n=800, shift=0.8)
    assert power > 0.85


def test_the_flagged_items_are_those_that_were_simulated(simulated):
    some = simulated.items([*range(10), 13])
    for method in ("logistic", "lr"):
        (found,) = study(some, Options(method=method))
        assert [found.results[k].item for k in found.flagged] == ["i03", "i09", "i14"]
        assert all(result.purified is not None for result in found.results)


def test_every_focal_group_is_compared_with_the_reference_group(simulated):
    names = ["A", "B", "C"] * 1000
    grouped = from_dense(simulated.dense()[0][:, :6], group=names)
    found = study(grouped, Options(reference="B", purify=False))
    assert [(c.reference, c.focal) for c in found] == [("B", "A"), ("B", "C")]
    assert all(c.pair.n_persons == 2000 for c in found)


def test_small_groups_are_remarked_and_still_answered():
    matrix = two_groups(np.random.default_rng(2), 60, 10)
    for method in METHODS:
        (found,) = study(matrix, Options(method=method, purify=False))
        assert any("Only 30 persons in group A" in text for text in found.remarks)
        for result in found.results:
            assert not np.isnan(result.first.statistic) or result.first.note


def test_items_of_which_nothing_can_be_said_have_a_reason():
    matrix = two_groups(np.random.default_rng(3), 200, 6)
    scores = matrix.dense()[0].copy()
    scores[:, 2] = 1
    focal = np.array(matrix.group) == "B"
    scores[focal, 4] = 0
    changed = from_dense(scores, group=matrix.group)
    (found,) = study(changed, Options(method="lr", purify=False))
    assert found.dropped == {
        "3": "dropped: every score is 1",
        "5": "dropped: no score of 1 in the focal group",
    }
    assert [result.item for result in found.results] == ["1", "2", "4", "6"]


def test_persons_with_missing_responses_have_no_total_score():
    matrix = two_groups(np.random.default_rng(4), 300, 6)
    scores, observed = (np.array(part) for part in matrix.dense())
    observed[:40, 0] = False
    partly = from_dense(scores, observed, group=matrix.group)
    (found,) = study(partly, Options(purify=False))
    (rest,) = study(matrix.persons(40, 300), Options(purify=False))
    assert any("40 persons with missing responses" in text for text in found.remarks)
    assert [r.first.statistic for r in found.results] == [r.first.statistic for r in rest.results]


def test_fewer_than_two_groups_and_unknown_references_are_refused():
    matrix = two_groups(np.random.default_rng(5), 40, 4)
    with pytest.raises(InputError, match="at least 2 groups"):
        group_names(from_dense(matrix.dense()[0], group=["A"] * 40), None)
    with pytest.raises(InputError, match="one of A, B"):
        group_names(matrix, "C")


def test_items_without_the_given_parameters_are_refused():
    matrix = two_groups(np.random.default_rng(6), 100, 4)
    bank = item_parameters(["1", "2"], "2pl", a=[1, 1], b=[0, 0])
    with pytest.raises(InputError, match="parameters of every item"):
        study(matrix, Options(method="lr", parameters=bank))


@pytest.fixture(scope="module")
def sittings(request):
    """Adaptive sittings of two groups that differ by 0.6; i3 is harder for B by 1."""
    adaptive = request.getfixturevalue("adaptive")
    rng = np.random.default_rng(9)
    n_items = 30
    a, b = rng.uniform(0.8, 1.6, n_items), rng.normal(0, 1, n_items)
    names = [f"i{k}" for k in range(n_items)]
    hard = b.copy()
    hard[3] += 1.0
    bank = item_parameters(names, "2pl", a=a, b=b)
    other = item_parameters(names, "2pl", a=a, b=hard)
    first = adaptive(bank, 28, rng.normal(0.0, 1, 400), rng, length=12, n_new=2)
    second = adaptive(other, 28, rng.normal(-0.6, 1, 400), rng, length=12, n_new=2)
    return joined(first, second), bank


@pytest.mark.parametrize("method", METHODS)
def test_adaptive_data_are_matched_on_theta_and_not_on_a_total_score(sittings, method):
    matrix, bank = sittings
    new = frozenset({"i28", "i29"})
    options = Options(method=method, parameters=bank, pretest=new, purify=False)
    (found,) = study(matrix, options)
    by_item = {result.item: result.first for result in found.results}
    assert by_item["i3"].p < 0.01
    others = [own.p for name, own in by_item.items() if name != "i3" and not np.isnan(own.p)]
    assert len(others) > 20
    assert np.mean(np.array(others) < 0.05) < 0.2
    if method == "mantel-haenszel":
        assert by_item["i3"].effect < -1.0


def test_routed_items_without_parameters_are_fitted_with_priors(sittings):
    matrix, _bank = sittings
    (found,) = study(matrix, Options())
    assert any("fitted with priors" in text for text in found.remarks)
    assert any("Not purified" in text for text in found.remarks)
    assert {result.item: result.first for result in found.results}["i3"].p < 0.05


def test_thin_routed_items_are_blank_with_the_count(sittings):
    matrix, bank = sittings
    few = matrix.persons(360, 440)
    (found,) = study(few, Options(parameters=bank))
    thin = [result for result in found.results if min(result.n_reference, result.n_focal) < 30]
    assert thin
    for result in thin:
        assert np.isnan(result.first.statistic)
        assert "responses in the" in result.first.note


def test_theta_of_the_other_items_does_not_move_with_the_studied_score(sittings):
    matrix, bank = sittings
    pair = pair_of(matrix, "A", "B")
    changed = pair.with_scores(np.where(pair.column == 3, 1 - pair.score, pair.score))
    everything, density = np.ones(30, bool), (np.zeros(2), np.ones(2))
    grid = np.linspace(-6, 6, 61)
    one = on_theta(pair, bank, everything, density, grid)(3)
    other = on_theta(changed, bank, everything, density, grid)(3)
    np.testing.assert_allclose(one.standing, other.standing, atol=1e-12)
    np.testing.assert_array_equal(one.score, 1 - other.score)


def test_theta_is_the_mean_under_the_density_of_the_own_group():
    bank = item_parameters(["x", "y"], "2pl", a=[1.2, 1.0], b=[0.0, 0.5])
    matrix = from_dense([[1, 1], [1, 1]], item=["x", "y"], group=["0", "1"], routed=True)
    grid = np.linspace(-6, 6, 241)
    density = (np.array([0.0, -1.0]), np.array([1.0, 0.5]))
    found = on_theta(matrix, bank, np.ones(2, bool), density, grid)(1)
    for theta, mean, sd in zip(found.standing, *density, strict=True):
        weight = np.exp(-0.5 * ((grid - mean) / sd) ** 2) / (1 + np.exp(-1.2 * grid))
        assert theta == pytest.approx((weight @ grid) / weight.sum(), abs=1e-9)


def test_strata_are_of_equal_size():
    strata = quantile_strata(np.random.default_rng(1).normal(size=400), 8)
    assert set(np.bincount(strata)) == {50}
    assert quantile_strata(np.zeros(0)).size == 0
    assert np.ptp(quantile_strata(np.arange(30.0))) == 0


def test_pass_rates_change_for_the_group_that_the_flagged_items_hurt():
    rng = np.random.default_rng(12)
    n, focal = 1200, np.arange(1200) % 2 == 1
    a, b = np.full(10, 1.3), np.linspace(-1, 1, 10)
    hard = np.tile(b, (n, 1))
    hard[np.ix_(focal, [2, 6])] += 1.0
    matrix = from_dense(
        drawn(rng, rng.normal(size=n), a, hard), group=np.where(focal, "B", "A").tolist()
    )
    options = Options()
    (found,) = study(matrix, options)
    assert set(found.flagged) >= {2, 6}
    first, second = pass_rates(found, options, [0.2])
    assert (first.group, second.group) == ("A", "B")
    assert (first.n, second.n) == (600, 600)
    assert second.without_flagged > second.as_it_is + 0.01
    assert second.by_group > second.as_it_is + 0.01
    assert abs(first.by_group - second.by_group) < abs(first.as_it_is - second.as_it_is)


def test_without_flagged_items_nothing_changes_for_anyone():
    matrix = two_groups(np.random.default_rng(14), 300, 8)
    (found,) = study(matrix, Options(alpha=1e-9))
    assert found.flagged == ()
    for rate in pass_rates(found, Options(), [-0.5, 0.5]):
        assert rate.as_it_is == rate.without_flagged == rate.by_group
