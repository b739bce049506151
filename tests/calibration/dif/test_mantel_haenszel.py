import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.dif.findings import benjamini_hochberg
from calibration.dif.mantel_haenszel import ets_class, mantel_haenszel
from calibration.dif.study import study
from calibration.dif.ways import Options


def persons(table):
    """Scores, groups and strata of a table (strata, groups, scores)."""
    cells = [np.full(int(n), code) for code, n in enumerate(np.ravel(table))]
    code = np.concatenate(cells) if cells else np.zeros(0, int)
    k, (s, g, x) = np.shape(table)[2], np.unravel_index(code, np.shape(table))
    return x, g == 1, s, k


def test_chi_square_p_and_odds_ratio_are_those_of_r(simulated, facts):
    (found,) = study(simulated, Options(purify=False))
    for result in found.results:
        chi_square, p, odds = facts["mantel_haenszel"][result.item]
        assert result.first.statistic == pytest.approx(chi_square, abs=1e-9)
        assert result.first.p == pytest.approx(p, abs=1e-9)
        assert 1 / result.first.more["odds_ratio"] == pytest.approx(odds, rel=1e-9)
        assert result.first.effect == pytest.approx(2.35 * np.log(odds), rel=1e-9)


def test_classes_of_the_simulated_items_follow_their_size(simulated):
    (found,) = study(simulated, Options())
    by_item = {result.item: result for result in found.results}
    assert by_item["i03"].last.ets_class == "C"
    assert by_item["i03"].last.effect < -1.5
    assert by_item["i09"].last.effect > 1.0
    assert by_item["i01"].last.ets_class == "A"


def test_reference_and_focal_group_changed_over_change_the_sign(simulated):
    (one,) = study(simulated, Options(purify=False))
    (other,) = study(simulated, Options(purify=False, reference="B"))
    for mine, theirs in zip(one.results, other.results, strict=True):
        assert mine.first.effect == pytest.approx(-theirs.first.effect, abs=1e-9)
        assert mine.first.statistic == pytest.approx(theirs.first.statistic, abs=1e-9)
    assert (other.reference, other.focal) == ("B", "A")


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=8, max_size=8))
def test_mantel_for_two_scores_is_mantel_haenszel_without_correction(counts):
    table = np.array(counts, float).reshape(2, 2, 2)
    wide = np.concatenate((table, np.zeros((2, 2, 1))), axis=2)
    score, focal, stratum, _k = persons(table)
    two = mantel_haenszel(score, focal, stratum, 2)
    three = mantel_haenszel(*persons(wide)[:3], 3)
    n = table.sum(axis=(1, 2))
    m1, nr, nf = table[:, :, 1].sum(axis=1), table[:, 0].sum(axis=1), table[:, 1].sum(axis=1)
    away = (table[:, 0, 1] - nr * m1 / n).sum()
    v = (nr * nf * m1 * (n - m1) / (n**2 * (n - 1))).sum()
    assert three.statistic == pytest.approx(away**2 / v, rel=1e-9, abs=1e-12)
    assert two.statistic == pytest.approx(
        (abs(away) - 0.5 * (abs(away) >= 0.5)) ** 2 / v, rel=1e-9, abs=1e-12
    )


@settings(deadline=None)
@given(st.lists(st.integers(1, 20), min_size=12, max_size=12), st.integers(2, 4))
def test_statistics_do_not_depend_on_the_order_of_persons_or_names_of_strata(counts, factor):
    table = np.array(counts).reshape(2, 2, 3)
    score, focal, stratum, k = persons(table)
    order = np.random.default_rng(1).permutation(score.size)
    one = mantel_haenszel(score, focal, stratum, k)
    other = mantel_haenszel(score[order], focal[order], -factor * stratum[order], k)
    assert other.statistic == pytest.approx(one.statistic)
    assert other.effect == pytest.approx(one.effect)


def test_standardised_mean_difference_weights_strata_by_the_focal_group():
    table = np.array([[[10, 0, 10], [0, 5, 0]], [[0, 10, 0], [0, 0, 15]]])
    found = mantel_haenszel(*persons(table))
    assert found.effect == pytest.approx(0.25 * 0.0 + 0.75 * 1.0)


def test_nothing_is_said_where_groups_never_meet():
    found = mantel_haenszel(
        np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]) > 0, np.array([0, 0, 1, 1]), 2
    )
    assert np.isnan(found.statistic)
    assert found.note == "no stratum with persons of both groups"


def test_nothing_is_said_where_the_score_never_varies():
    found = mantel_haenszel(np.ones(6, int), np.arange(6) % 2 > 0, np.zeros(6, int), 2)
    assert np.isnan(found.statistic)
    assert "does not vary" in found.note


def test_infinite_odds_have_a_test_but_no_delta():
    table = np.array([[[0, 10], [5, 5]]])
    found = mantel_haenszel(*persons(table))
    assert found.p < 0.05
    assert np.isnan(found.effect)
    assert "infinite" in found.note


@pytest.mark.parametrize(
    ("delta", "error", "p", "letter"),
    [
        (-2.0, 0.3, 0.001, "C"),
        (2.0, 0.3, 0.001, "C"),
        (-1.6, 0.5, 0.001, "B"),
        (-1.2, 0.1, 0.001, "B"),
        (-0.9, 0.1, 0.001, "A"),
        (-3.0, 2.0, 0.06, "A"),
    ],
)
def test_ets_classes(delta, error, p, letter):
    assert ets_class(delta, error, p) == letter


def test_benjamini_hochberg_is_worked_by_hand():
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.5])
    expected = [0.04, 0.16 / 3, np.nan, 0.16 / 3, 0.5]
    np.testing.assert_allclose(benjamini_hochberg(p), expected)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_never_smaller_and_keep_their_order(values):
    p = np.array(values)
    adjusted = benjamini_hochberg(p)
    assert np.all(adjusted >= p - 1e-15)
    assert np.all(adjusted <= 1)
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= -1e-15)
