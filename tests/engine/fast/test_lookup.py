import gc
import weakref

import numpy as np
import pytest
from support.reference_banks import mixed_bank

from engine.fast.lookup import COARSE, FINE, HIGH, LOW, information_lookup
from engine.items import item_parameters
from engine.models import dispatch


def bank(n=700, seed=0):
    rng = np.random.default_rng(seed)
    return item_parameters(
        [f"i{number}" for number in range(n)],
        "3pl",
        a=rng.uniform(0.5, 2.5, n),
        b=rng.normal(0, 1.5, n),
        c=rng.uniform(0, 0.3, n),
        content=["A", "B"] * (n // 2),
    )


@pytest.mark.parametrize("name", ["coarse", "fine"])
@pytest.mark.parametrize("items", [mixed_bank(), bank()], ids=["mixed", "3pl"])
def test_no_item_has_more_information_than_its_bound_anywhere_in_an_interval(name, items):
    level = getattr(information_lookup(items, None, 64), name)
    theta = np.sort(np.random.default_rng(2).uniform(LOW, HIGH, 3000))
    place, outside = level.places(theta)
    assert not outside.any()
    information = dispatch.information(theta, items)
    bounds = level.bound[place][:, :-1]
    assert (np.take_along_axis(information, level.rows[place], axis=1) <= bounds).all()


@pytest.mark.parametrize("name", ["coarse", "fine"])
def test_the_bound_after_the_last_item_covers_all_that_are_left_out(name):
    items = bank()
    level = getattr(information_lookup(items, None, 1), name)
    assert level.depth < len(items)
    theta = LOW + level.width * (np.arange(level.intervals)[::7] + 0.9)
    place, _ = level.places(theta)
    information = dispatch.information(theta, items)
    np.put_along_axis(information, level.rows[place], 0.0, axis=1)
    assert (information.max(axis=1) <= level.bound[place, -1]).all()


def test_bounds_fall_and_are_closer_on_the_fine_level():
    lookup = information_lookup(bank(), None, 64)
    theta = np.linspace(-5.9, 5.9, 400)
    (coarse, _), (fine, _) = lookup.coarse.places(theta), lookup.fine.places(theta)
    for level, place in ((lookup.coarse, coarse), (lookup.fine, fine)):
        assert (np.diff(level.bound[place], axis=1) <= 0).all()
    slack = [
        (level.bound[place, 0] / dispatch.information(theta, bank()).max(axis=1)).mean() - 1
        for level, place in ((lookup.coarse, coarse), (lookup.fine, fine))
    ]
    assert slack[1] < 0.3 * slack[0]
    assert (lookup.coarse.intervals, lookup.fine.intervals) == (COARSE, FINE)


def test_rows_are_those_of_the_bank_and_nothing_is_left_of_a_small_pool():
    items = mixed_bank()
    lookup = information_lookup(items, "B", 64)
    assert lookup.rows.tolist() == np.flatnonzero(items.areas["B"]).tolist()
    place, _ = lookup.fine.places(np.array([0.3]))
    assert lookup.fine.depth == 35
    assert set(lookup.fine.rows[place[0]].tolist()) == set(lookup.rows.tolist())
    assert lookup.fine.bound[place[0], -1] == 0.0


@pytest.mark.parametrize("theta", [LOW - 0.01, HIGH, HIGH + 3])
def test_what_lies_outside_the_intervals_is_said_to(theta):
    for name in ("coarse", "fine"):
        level = getattr(information_lookup(mixed_bank(), None, 64), name)
        assert level.places(np.array([theta]))[1].tolist() == [True]


def test_a_look_up_is_made_once_and_leaves_with_its_bank():
    items = bank(seed=3)
    assert information_lookup(items, "A", 50) is information_lookup(items, "A", 60)
    assert information_lookup(items, "A", 50) is not information_lookup(items, "B", 50)
    gone = weakref.ref(items)
    del items
    gc.collect()
    assert gone() is None
