import numpy as np
import pytest
from support.reference_banks import every_model_bank, mixed_bank

from engine.lookup import HIGH, INTERVALS, LOW, WIDTH, information_lookup, interval_of
from engine.models import dispatch


def test_no_item_has_more_information_than_its_bound_anywhere_in_an_interval():
    items = every_model_bank()
    everything = np.arange(len(items))
    lookup = information_lookup(items, everything, len(items))
    rng = np.random.default_rng(2)
    theta = np.sort(rng.uniform(LOW, HIGH, 3000))
    place, outside = interval_of(theta)
    assert not outside.any()
    information = dispatch.information(theta, items)
    bounds = lookup.bound[place][:, :-1]
    assert (np.take_along_axis(information, lookup.rows[place], axis=1) <= bounds).all()


def test_the_bound_after_the_last_item_covers_all_that_are_left_out():
    items = mixed_bank()
    lookup = information_lookup(items, np.arange(len(items)), 20)
    theta = LOW + WIDTH * (np.arange(INTERVALS) + 0.9)
    information = dispatch.information(theta, items)
    np.put_along_axis(information, lookup.rows, 0.0, axis=1)
    assert (information.max(axis=1) <= lookup.bound[:, -1]).all()


def test_bounds_fall():
    lookup = information_lookup(mixed_bank(), np.arange(140), 30)
    assert (np.diff(lookup.bound, axis=1) <= 0).all()


def test_rows_are_those_of_the_bank_and_nothing_is_left_of_a_small_pool():
    rows = np.array([5, 50, 100])
    lookup = information_lookup(mixed_bank(), rows, 10)
    assert lookup.depth == 3
    assert set(lookup.rows[100].tolist()) == {5, 50, 100}
    assert (lookup.bound[:, -1] == 0.0).all()


@pytest.mark.parametrize("theta", [LOW - 0.01, HIGH, HIGH + 3])
def test_what_lies_outside_the_intervals_is_said_to(theta):
    assert interval_of(np.array([theta]))[1].tolist() == [True]
