"""The array types of the engine, and what is done to arrays everywhere.

Used by every module of ``engine`` and ``calibration``. Imports numpy only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]


def frozen_floats(values: npt.ArrayLike) -> Floats:
    """Copy values into a read-only float array."""
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array


def log_sums(logs: Floats) -> Floats:
    """Logarithm of the sum of exponentials over the last axis, which stays with length 1.

    Parameters
    ----------
    logs
        The largest of each row is finite. For the few categories of items this takes a third of
        the time of ``scipy.special.logsumexp``, which expects everything.
    """
    largest = logs.max(axis=-1, keepdims=True)
    sums: Floats = largest + np.log(np.exp(logs - largest).sum(axis=-1, keepdims=True))
    return sums
