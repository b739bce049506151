"""Item parameters from the engine's own adaptive sittings."""

import numpy as np
import pytest

from benchmarks.bench_adaptive import bank, estimable, recovery, sittings
from calibration.mml import Settings, fit
from calibration.priors import RECALIBRATION


def recovered(n_items, n_persons, length, enough):
    items = bank(n_items)
    matrix = estimable(sittings(items, n_persons, length))
    truth = items.b[[items.row(name) for name in matrix.item]]
    found = fit(matrix, ["2pl"] * matrix.n_items, Settings(RECALIBRATION))
    assert found.converged
    return recovery(found.items.b, truth, matrix.item_counts() >= enough)


def test_difficulty_is_recovered_from_adaptive_sittings():
    slope, rmse = recovered(120, 1500, 20, 200)
    assert 0.95 < slope < 1.05
    assert rmse < 0.2


@pytest.mark.long
def test_difficulty_is_recovered_from_four_thousand_sittings_of_a_large_bank():
    slope, rmse = recovered(500, 4000, 25, 200)
    assert 0.95 < slope < 1.05
    assert rmse < 0.15


def test_what_nobody_or_everybody_solved_is_not_judged():
    assert np.isfinite(recovered(60, 400, 10, 40)).all()
