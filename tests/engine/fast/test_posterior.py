import numpy as np
import pytest
from support.reference_banks import mixed_bank

from engine.ability.estimates import eap_scores
from engine.ability.grids import Grid
from engine.ability.priors import Prior
from engine.fast.posterior import Posterior


@pytest.mark.parametrize(
    ("prior", "grid"),
    [(Prior(), Grid()), (Prior(0.5, 1.3), Grid(-4, 4, 33)), (Prior(-3, 0.5), Grid(-8, 8, 161))],
)
def test_it_equals_the_estimate_from_all_answers_at_every_step(prior, grid):
    items, rng = mixed_bank(), np.random.default_rng(1)
    n, steps = 50, 60
    rows = np.argsort(rng.random((n, len(items))), axis=1)[:, :steps]
    scores = (rng.random(rows.shape) * items.n_categories[rows]).astype(np.int64)
    table, seen = np.zeros((n, len(items)), dtype=np.int64), np.zeros((n, len(items)), dtype=bool)
    posterior = Posterior(n, items, prior, grid)
    for step in range(steps):
        theta, se = posterior.update(rows[:, step], scores[:, step])
        table[np.arange(n), rows[:, step]] = scores[:, step]
        seen[np.arange(n), rows[:, step]] = True
        expected = eap_scores(table, seen, items, prior=prior, grid=grid)
        np.testing.assert_allclose(theta, expected[0], atol=1e-11)
        np.testing.assert_allclose(se, expected[1], atol=1e-10)


def test_what_one_person_gets_does_not_depend_on_the_others():
    items, rng = mixed_bank(), np.random.default_rng(2)
    rows = rng.integers(0, len(items), (40, 5))
    whole, alone = (Posterior(n, items, Prior(), Grid()) for n in (40, 1))
    for step in range(5):
        many = whole.update(rows[:, step], np.zeros(40, dtype=np.int64))
        one = alone.update(rows[7:8, step], np.zeros(1, dtype=np.int64))
        assert (many[0][7], many[1][7]) == (one[0][0], one[1][0])


def test_some_can_be_left_behind():
    items = mixed_bank()
    posterior, fewer = (Posterior(n, items, Prior(), Grid()) for n in (3, 2))
    first = np.array([1, 2, 3])
    posterior.update(first, np.ones(3, dtype=np.int64))
    fewer.update(first[[0, 2]], np.ones(2, dtype=np.int64))
    posterior.keep(np.array([True, False, True]))
    after = posterior.update(np.array([5, 6]), np.zeros(2, dtype=np.int64))
    np.testing.assert_array_equal(
        after, fewer.update(np.array([5, 6]), np.zeros(2, dtype=np.int64))
    )
