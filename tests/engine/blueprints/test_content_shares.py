import numpy as np
import pytest
from support.reference_banks import mixed_bank

from engine.blueprints.content_shares import (
    area_masks,
    check_areas,
    check_shares,
    needed_area,
    shortfalls,
    violations,
)
from engine.errors import InputError

SHARES = (("A", 0.5), ("B", 0.3), ("C", 0.2))


def needed(counts, available=(True, True, True)):
    short = shortfalls(np.array([counts]), SHARES, sum(counts))
    area, skipped = needed_area(short, np.array([available]))
    return int(area[0]), skipped[0].tolist()


def test_the_first_item_comes_from_the_largest_share():
    assert needed((0, 0, 0))[0] == 0


def test_the_area_that_falls_shortest_comes_next():
    assert needed((1, 0, 0))[0] == 1
    assert needed((1, 1, 0))[0] == 2
    assert needed((1, 1, 1))[0] == 0


def test_equal_shortfalls_go_to_the_area_named_first():
    short = shortfalls(np.array([[0, 0]]), (("A", 0.5), ("B", 0.5)), 0)
    assert needed_area(short, np.ones((1, 2), bool))[0].tolist() == [0]


def test_an_area_without_items_is_passed_over_and_named():
    assert needed((1, 0, 0), (True, False, True)) == (2, [False, True, False])


def test_without_any_item_no_area_is_chosen():
    assert needed((1, 0, 0), (False, False, False)) == (-1, [True, True, True])


def test_shares_are_met_within_one_item_at_every_length():
    counts = np.zeros((1, 3), dtype=np.int64)
    for n in range(60):
        area, _ = needed_area(shortfalls(counts, SHARES, n), np.ones((1, 3), bool))
        counts[0, area[0]] += 1
        assert not violations(counts, np.array([n + 1]), [0.5, 0.3, 0.2])[0]


def test_a_test_one_item_off_violates_its_blueprint():
    counts = np.array([[5, 3, 2], [6, 2, 2]])
    assert violations(counts, np.array([10, 10]), [0.5, 0.3, 0.2]).tolist() == [False, True]


def test_masks_are_those_of_the_areas():
    masks = area_masks((("B", 1.0),), mixed_bank())
    assert np.flatnonzero(masks[0]).tolist() == list(range(1, 140, 4))


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((("A", 0.5), ("B", 0.4)), "shares that add up to 1, found 0.9"),
        ((("A", 1.5), ("B", -0.5)), "selection.content.A: expected a share above 0"),
        ((("A", 0.0), ("B", 1.0)), "selection.content.A"),
        ((("A", float("nan")),), "selection.content.A"),
        ((("A", 0.5), ("A", 0.5)), "each content area once"),
    ],
)
def test_wrong_shares_are_refused(shares, message):
    with pytest.raises(InputError, match=message):
        check_shares(shares)


def test_an_area_that_the_bank_lacks_is_refused():
    with pytest.raises(InputError, match=r"areas \(A, B, C, D\), found 'Z'"):
        check_areas((("Z", 1.0),), mixed_bank())
