import numpy as np
import pytest

from calibration.matrix import from_dense
from calibration.screening import check_scores, recode, screen
from engine.errors import InputError


def matrix_of(*columns, observed=None):
    return from_dense(np.column_stack(columns), observed, item=list("abcdef")[: len(columns)])


def test_data_from_1_to_k_are_shifted_and_gaps_closed_only_when_asked():
    matrix = matrix_of([1, 2, 3, 1], [1, 2, 4, 4])
    with pytest.raises(InputError, match=r"a: expected scores from 0 \(or --recode\)"):
        check_scores(matrix, ["gpcm", "gpcm"])
    found, done = recode(matrix)
    np.testing.assert_array_equal(found.dense()[0], [[0, 0], [1, 1], [2, 2], [0, 2]])
    assert done == {"a": "scores shifted by -1", "b": "scores 1, 2, 4 recoded to 0..2"}
    check_scores(found, ["gpcm", "gpcm"])


def test_data_from_0_are_left_alone_by_recoding():
    matrix = matrix_of([0, 1, 2, 0], [0, 1, 1, 1])
    found, done = recode(matrix)
    assert found.sha256() == matrix.sha256()
    assert done == {}


def test_a_gap_is_named_and_allowed_where_the_categories_are_given():
    matrix = matrix_of([0, 2, 2, 0], [0, 1, 1, 0])
    with pytest.raises(InputError, match="a: expected scores from 0 without a gap"):
        check_scores(matrix, ["gpcm", "2pl"])
    check_scores(matrix, ["gpcm", "2pl"], n_categories={"a": 3})


def test_a_score_above_the_model_is_named_with_the_file():
    matrix = matrix_of([0, 2, 1], [0, 1, 1])
    with pytest.raises(InputError, match=r"x.csv: a: expected scores from 0 to 1 \(model 2pl\)"):
        check_scores(matrix, ["2pl", "2pl"], file="x.csv")


def test_items_without_variation_and_persons_without_responses_are_taken_out():
    observed = np.array([[True] * 4, [True] * 4, [True] * 4, [False] * 4]) & [1, 1, 1, 0]
    matrix = matrix_of([0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0] * 4, observed=observed)
    found = screen(matrix)
    assert found.matrix.item == ("a", "b")
    assert found.matrix.n_persons == 3
    assert found.dropped == {"c": "dropped: every score is 1", "d": "dropped: no responses"}
    assert found.empty_persons == ("4",)
    assert found.thin["a"] == "only 3 responses"


def test_held_and_operational_items_are_never_taken_out():
    matrix = matrix_of([0, 1, 1], [1, 1, 1], [1, 0, 1])
    assert screen(matrix, held=["b"]).dropped == {}
    assert screen(matrix, keep=["b"]).dropped == {}


def test_thin_categories_are_reported():
    rng = np.random.default_rng(1)
    matrix = matrix_of([1] * 98 + [0] * 2, rng.integers(0, 2, 100))
    assert screen(matrix).thin == {"a": "only 2 responses with score 0"}


@pytest.mark.parametrize("columns", [([0, 1, 1],), ([1, 1], [1, 1]), ([0], [1])])
def test_one_item_one_person_or_no_variation_cannot_be_fitted(columns):
    with pytest.raises(InputError, match="at least 2 items that vary and 2 persons"):
        screen(matrix_of(*columns))
