import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_banks import mixed_bank, reference_bank

from engine.fast.leading import computed, leading, leading_of_one
from engine.fast.lookup import information_lookup
from engine.items import item_parameters
from engine.models import dispatch


def random_bank(n, seed=0):
    rng = np.random.default_rng(seed)
    return item_parameters(
        [f"i{number}" for number in range(n)],
        "3pl",
        a=rng.uniform(0.5, 2.5, n),
        b=rng.normal(0, 1.5, n),
        c=rng.uniform(0, 0.3, n),
        content=["A", "B", "C", "D"] * (n // 4),
    )


def tied_bank():
    """Every item four times, and a fifth time a hair more discriminating."""
    items = reference_bank("3pl").subset(range(120))
    parts = {name: np.tile(getattr(items, name), 5) for name in ("a", "b", "c")}
    parts["a"][-120:] *= 1 + 1e-12
    names = [f"t{number}" for number in range(600)]
    return item_parameters(names, "3pl", content=["A", "B", "C", "D"] * 150, **parts)


BANKS = {
    "large": random_bank(3000),
    "tied": tied_bank(),
    "mixed": mixed_bank(),
    "small": random_bank(12),
}


def assert_the_same(pool, theta, free, items, k, taken):
    plain, found = computed(pool, theta, free, k), leading(pool, theta, free, items, k, taken)
    assert np.array_equal(found.rows, plain.rows)
    assert np.array_equal(found.values, plain.values)
    assert np.array_equal(found.largest, plain.largest)


def held(items, theta, rng, share):
    """Free items: not the most informative ones near theta, where tests take theirs, nor others."""
    free = rng.random((len(theta), len(items))) > share * rng.random((len(theta), 1))
    close = np.argsort(np.abs(items.thresholds[:, 0] - theta[:, None]), axis=1)[:, :25]
    np.put_along_axis(free, close, rng.random(close.shape) > 0.7, axis=1)
    return free


@pytest.mark.parametrize("area", [None, "B"])
@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("name", BANKS)
def test_thousands_of_random_states_give_what_the_whole_pool_gives(name, k, area):
    items, rng = BANKS[name], np.random.default_rng(7)
    theta = rng.normal(0, 2.5, 600)
    pool = information_lookup(items, area, 80)
    for share in (0.0, 0.5, 1.0):
        assert_the_same(
            pool, theta, held(items, theta, rng, share), items, k, int(rng.integers(60))
        )


@pytest.mark.parametrize("name", BANKS)
def test_one_person_at_a_time_gives_the_same(name):
    items, rng = BANKS[name], np.random.default_rng(8)
    pool = information_lookup(items, None, 80)
    for theta in rng.normal(0, 2.5, 300):
        here = np.array([theta])
        free = held(items, here, rng, 0.5)
        assert_the_same(pool, here, free, items, int(rng.integers(1, 7)), int(rng.integers(40)))


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("name", BANKS)
def test_what_serves_one_person_gives_what_the_whole_pool_gives(name, k):
    items, rng = BANKS[name], np.random.default_rng(9)
    pool = information_lookup(items, None, 80)
    for theta in rng.normal(0, 2.5, 300):
        free = held(items, np.array([theta]), rng, 0.5)
        answered = rng.permutation(len(items))[: rng.integers(9)]
        plain = computed(pool, np.array([theta]), free, k)
        found = leading_of_one(pool, theta, free[0], answered, items, k)
        wanted = plain.rows[0] >= 0
        assert found.rows == plain.rows[0][wanted].tolist()
        assert found.values == plain.values[0][wanted].tolist()
        assert found.largest == plain.largest[0]
        everything = dispatch.information(np.array([theta]), items)[0]
        assert np.array_equal(found.answered, everything[answered])


@settings(deadline=None, max_examples=60)
@given(st.floats(-9, 9), st.integers(1, 8), st.integers(0, 300), st.integers(0, 2**31))
def test_any_theta_any_number_wanted_and_any_number_free(theta, k, n_free, seed):
    items = BANKS["tied"]
    free = np.zeros((2, 600), dtype=bool)
    free[:, np.random.default_rng(seed).permutation(600)[:n_free]] = True
    pool = information_lookup(items, None, 80)
    assert_the_same(pool, np.array([theta, -theta]), free, items, k, 20)
    assert_the_same(pool, np.array([theta]), free[:1], items, k, 20)


def test_nobody_has_nothing():
    items = BANKS["mixed"]
    free = np.zeros((2, len(items)), dtype=bool)
    found = leading(information_lookup(items, None, 64), np.zeros(2), free, items, 3, 0)
    assert (found.rows == -1).all()
    assert np.isneginf(found.largest).all()
