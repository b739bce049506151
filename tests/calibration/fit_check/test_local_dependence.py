import numpy as np
import pytest
from support.group_data import drawn

from calibration.expectation import person_estimates
from calibration.fit_check.local_dependence import local_dependence, pair_tables
from calibration.matrix import from_dense
from calibration.mml import Settings, at_parameters, fit
from engine.items import item_parameters


def checked(matrix, found):
    theta = person_estimates(found.design, found.tables, found.theta)[0]
    return local_dependence(matrix, found, theta)


@pytest.mark.parametrize(
    "name", ["lsat6_2pl", "lsat6_rasch", "lsat7_2pl", "science_graded", "science_gpcm"]
)
def test_q3_and_ld_x2_are_those_of_mirt(fitted, facts, name):
    own = checked(*fitted[name])
    q3, ld = facts[name]["Q3"], facts[name]["LD"]
    for k, (i, j) in enumerate(zip(own.first, own.second, strict=True)):
        assert own.q3[k] == pytest.approx(q3[i][j], abs=1e-5)
        assert own.ld_x2[k] == pytest.approx(ld[j][i], abs=1e-3)
        assert own.v[k] == pytest.approx(ld[i][j], abs=1e-4)


def test_corrected_q3_has_mean_zero(fitted):
    own = checked(*fitted["lsat6_2pl"])
    assert own.q3_corrected.mean() == pytest.approx(0.0, abs=1e-12)
    assert own.q3.mean() < 0
    assert not own.flagged.any()


@pytest.fixture(scope="module")
def doubled():
    """Ten items at their true parameters, and the fifth once more with a few answers changed."""
    rng = np.random.default_rng(6)
    scores = drawn(rng, rng.normal(size=800), np.full(10, 1.2), np.linspace(-1.5, 1.5, 10))
    copy = np.where(
        rng.random(800) < 0.85,
        scores[:, 4],
        drawn(rng, rng.normal(size=800), np.ones(1), np.zeros(1))[:, 0],
    )
    matrix = from_dense(np.column_stack((scores, copy)))
    b = np.append(np.linspace(-1.5, 1.5, 10), np.linspace(-1.5, 1.5, 10)[4])
    items = item_parameters(matrix.item, "2pl", a=np.full(11, 1.2), b=b)
    return matrix, at_parameters(matrix, items, Settings())


def test_an_item_asked_twice_is_flagged_alone(doubled):
    own = checked(*doubled)
    flagged = [(int(own.first[k]), int(own.second[k])) for k in np.flatnonzero(own.flagged)]
    assert (4, 10) in flagged
    top = int(np.argmax(own.q3_corrected))
    assert (own.first[top], own.second[top]) == (4, 10)
    assert own.v[top] > 0
    assert own.ld_standardised[top] > 10


def test_pairs_of_unrelated_items_are_rarely_significant(doubled):
    matrix = doubled[0].items(range(10))
    own = checked(matrix, fit(matrix, ("2pl",) * 10, Settings()))
    assert (own.ld_p < 0.05).mean() < 0.15


def test_tables_count_the_persons_who_answered_both():
    scores = np.array([[0, 1], [1, 1], [1, 0], [0, 0]])
    observed = np.array([[1, 1], [1, 1], [1, 0], [0, 1]], bool)
    tables, starts = pair_tables(from_dense(scores, observed), [2, 2])
    np.testing.assert_array_equal(starts, [0, 2, 4])
    np.testing.assert_array_equal(tables[:2, 2:], [[0, 1], [0, 1]])
    np.testing.assert_array_equal(np.diag(tables), [1, 2, 1, 2])


def test_routed_data_have_q3_but_no_ld_x2(doubled, adaptive):
    rng = np.random.default_rng(7)
    bank = doubled[1].items
    matrix = adaptive(bank, 9, rng.normal(size=120), rng, length=6, n_new=1)
    own = checked(matrix, at_parameters(matrix, bank, Settings()))
    assert np.isnan(own.ld_x2).all()
    assert all("routed" in note for note in own.notes)
    assert own.n.min() >= 30
    assert own.left_out + own.n.size == 55
    assert own.flagged.sum() <= 2
    assert not np.isnan(own.q3).all()


def test_pairs_that_few_met_are_blank_with_the_count(doubled):
    matrix, found = doubled
    scores, observed = (np.array(part) for part in matrix.dense())
    observed[20:, 0] = False
    partly = from_dense(scores, observed, item=matrix.item)
    own = checked(partly, at_parameters(partly, found.items, Settings()))
    thin = own.first == 0
    assert np.isnan(own.q3[thin]).all()
    assert np.isnan(own.ld_x2[thin]).all()
    assert own.notes[0] == "only 20 persons answered both"
    assert not np.isnan(own.q3[~thin]).any()
