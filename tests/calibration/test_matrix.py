import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from calibration.matrix import from_dense, response_matrix, response_matrix_from_log
from engine.errors import InputError

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 5))


@given(
    SHAPES.flatmap(
        lambda s: st.tuples(
            hnp.arrays(np.int16, s, elements=st.integers(0, 4)), hnp.arrays(np.bool_, s)
        )
    )
)
def test_dense_data_come_back_as_they_went_in(case):
    scores, observed = case
    matrix = from_dense(scores, observed)
    again, seen = matrix.dense()
    np.testing.assert_array_equal(seen, observed)
    np.testing.assert_array_equal(again, np.where(observed, scores, 0))
    assert matrix.n_responses == observed.sum()
    np.testing.assert_array_equal(matrix.item_counts(), observed.sum(axis=0))
    np.testing.assert_array_equal(matrix.person_counts(), observed.sum(axis=1))
    assert matrix.complete == observed.all()


def test_category_counts_count_scores_by_item():
    matrix = from_dense([[0, 2], [1, 2], [1, 0]])
    np.testing.assert_array_equal(matrix.category_counts(), [[1, 2, 0], [1, 0, 2]])


def test_some_items_and_some_persons_can_be_taken():
    matrix = from_dense([[0, 1, 2], [1, 1, 0], [2, 0, 1]], item=["a", "b", "c"])
    part = matrix.items([2, 0])
    assert part.item == ("c", "a")
    np.testing.assert_array_equal(part.dense()[0], [[2, 0], [0, 1], [1, 2]])
    np.testing.assert_array_equal(matrix.persons(1, 3).dense()[0], [[1, 1, 0], [2, 0, 1]])


def test_records_in_any_order_make_the_same_matrix():
    records = [("p", "x", 1), ("p", "y", 0), ("q", "x", 0)]
    matrix = response_matrix(records)
    assert (matrix.person, matrix.item) == (("p", "q"), ("x", "y"))
    scores, observed = matrix.dense()
    np.testing.assert_array_equal(observed, [[True, True], [True, False]])
    np.testing.assert_array_equal(scores, [[1, 0], [0, 0]])


def test_a_response_given_twice_is_named():
    with pytest.raises(InputError, match="found person p, item x twice"):
        response_matrix([("p", "x", 1), ("p", "x", 0)])


def test_only_the_first_sitting_of_a_person_counts():
    log = [("p", "x", 1, "s1"), ("p", "y", 0, "s1"), ("q", "x", 1, "s2"), ("p", "x", 0, "s3")]
    matrix = response_matrix_from_log(log, items=["y", "x"])
    assert matrix.routed
    assert matrix.item == ("y", "x")
    np.testing.assert_array_equal(matrix.dense()[0], [[0, 1], [0, 1]])


def test_the_fingerprint_sees_scores_names_and_groups():
    matrix = from_dense([[0, 1], [1, 1]])
    others = [
        from_dense([[0, 1], [1, 0]]),
        from_dense([[0, 1], [1, 1]], item=["a", "b"]),
        from_dense([[0, 1], [1, 1]], group=["a", "b"]),
        from_dense([[0, 1], [1, 1]], [[True, True], [False, True]]),
    ]
    prints = {m.sha256() for m in (matrix, *others)}
    assert len(prints) == 5
    assert from_dense([[0, 1], [1, 1]]).sha256() == matrix.sha256()


def test_scores_that_are_no_integers_are_refused():
    with pytest.raises(InputError, match="integers from 0"):
        from_dense([[0.5, 1.0]])
