from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from engine.results.proportions import wilson


@pytest.mark.parametrize(("count", "n"), [(0, 5), (12, 20), (20, 20), (499, 1000), (1, 1)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilsons_interval_is_that_of_scipy(count, n, level):
    found = wilson(count, n, level=level)

    expected = binomtest(count, n).proportion_ci(level, method="wilson")
    np.testing.assert_allclose([found.low, found.high], [*expected], atol=1e-12)
    assert found.low <= found.share <= found.high


def test_of_nothing_there_is_no_share():
    assert wilson(0, 0) is None
