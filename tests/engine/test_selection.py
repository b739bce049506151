import numpy as np
import pytest
from support.reference_banks import mixed_bank

from engine.ability.answers import answers
from engine.criteria.situation import CriterionRules, Situation
from engine.errors import InputError
from engine.models import dispatch
from engine.randomness import words
from engine.selection import criterion_values, pick_items

SEEDS = words(np.array([1, 2], dtype=np.uint64))
THETA = np.array([-0.5, 0.7])


def picked(values, eligible=None, k=1):
    values = np.array([values], dtype=float)
    mask = np.ones(values.shape, bool) if eligible is None else np.array([eligible], dtype=bool)
    rows, found = pick_items(values, mask, k)
    return rows[0].tolist(), found[0].tolist()


def test_the_largest_value_is_picked():
    assert picked([1.0, 3.0, 2.0]) == ([1], [3.0])


def test_only_eligible_items_are_picked():
    assert picked([1.0, 3.0, 2.0], [1, 0, 1]) == ([2], [2.0])


def test_values_within_1e_10_of_the_best_are_tied_and_the_lowest_row_wins():
    assert picked([2.0 * (1 - 0.9e-10), 2.0, 1.0])[0] == [0]
    assert picked([2.0 * (1 - 1.1e-10), 2.0, 1.0])[0] == [1]


def test_ties_of_negative_values_are_relative_to_their_size():
    assert picked([-2.0 * (1 + 0.9e-10), -2.0])[0] == [0]
    assert picked([-2.0 * (1 + 1.1e-10), -2.0])[0] == [1]


def test_the_best_few_come_best_first():
    assert picked([1.0, 3.0, 2.0, 3.0], k=3)[0] == [1, 3, 2]


def test_places_without_an_eligible_item_are_minus_1():
    assert picked([1.0, 3.0], [0, 1], k=2) == ([1, -1], [3.0, -np.inf])
    assert picked([1.0], [0])[0] == [-1]


def values(criterion, theta=THETA, position=0):
    nothing = np.empty((2, 0), dtype=np.int64)
    now = Situation(theta, answers(nothing, nothing), SEEDS, position)
    return criterion_values(CriterionRules(criterion), now, mixed_bank())


def test_maximum_information_is_fisher_information():
    assert np.array_equal(values("max_information"), dispatch.information(THETA, mixed_bank()))


def test_random_values_depend_on_sitting_and_step_and_not_on_theta():
    first = values("random")
    assert np.array_equal(first, values("random", -THETA))
    assert not np.array_equal(first, values("random", position=1))
    assert not np.array_equal(first[0], first[1])


def test_an_unknown_criterion_is_refused():
    with pytest.raises(InputError, match=r"one of max_information, .*, random, found 'best'"):
        values("best")
