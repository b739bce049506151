"""The array types of the engine, and one way to make arrays that nobody can change.

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
