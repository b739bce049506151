"""Randomness that is derived, not drawn: a hash of (seed, position, purpose, row).

The same numbers come out for a scalar and for arrays, in any order, on any machine, so a sitting
can be replayed and a simulation can be cut into blocks. Called by selection, exposure and
simulation. Imports numpy only.

The finaliser is SplitMix64's (Steele, Lea and Flood, 2014).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from engine.arrays import Floats, Words

MASK = (1 << 64) - 1
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
FNV_OFFSET = 0xCBF29CE484222325
FNV_PRIME = 0x100000001B3


def derived(
    seed: int | Words, position: npt.ArrayLike, purpose: str, row: npt.ArrayLike = 0
) -> Words:
    """64 bits that depend on the four arguments and on nothing else.

    Parameters
    ----------
    seed
        Of a sitting, or an array of them; taken modulo 2^64.
    position
        Of the step in the sitting, from 0.
    purpose
        What the number is for: two purposes never share a number.
    row
        Bank row, where each item needs a number of its own.

    Returns
    -------
    Words
        The broadcast shape of seed, position and row, at least one-dimensional.
    """
    return _of_row(stream(seed, position, purpose), row)


def uniform(
    seed: int | Words, position: npt.ArrayLike, purpose: str, row: npt.ArrayLike = 0
) -> Floats:
    """Numbers in [0, 1) with 53 bits, shaped and derived as by `derived`."""
    return row_uniform(stream(seed, position, purpose), row)


def stream(seed: int | Words, position: npt.ArrayLike, purpose: str) -> Words:
    """What `derived` comes to before it looks at the row; for many rows of the same sittings."""
    state = _mixed(words(seed) + GOLDEN)
    return _mixed(state ^ _mixed(words(position) + _purpose_word(purpose)))


def row_uniform(streams: Words, row: npt.ArrayLike) -> Floats:
    """Numbers as by `uniform`, from streams made before; the broadcast shape of both."""
    return (_of_row(streams, row) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def sitting_seeds(seed: int, n: int) -> Words:
    """Seeds of the sittings of a simulation, shape ``(n,)``."""
    return derived(seed, np.arange(n), "sitting")


def words(values: int | npt.ArrayLike) -> Words:
    """Take integers modulo 2^64, at least one-dimensional."""
    if isinstance(values, int):
        return np.array([values & MASK], dtype=np.uint64)
    # One-dimensional at least: numpy warns when a scalar product wraps, an array's may.
    return np.atleast_1d(np.asarray(values)).astype(np.uint64)


def _of_row(streams: Words, row: npt.ArrayLike) -> Words:
    return _mixed(streams ^ _mixed(words(row) + GOLDEN))


def _mixed(words: Words) -> Words:
    words = (words ^ (words >> np.uint64(30))) * FIRST
    words = (words ^ (words >> np.uint64(27))) * SECOND
    return words ^ (words >> np.uint64(31))


@lru_cache(maxsize=256)
def _purpose_word(purpose: str) -> np.uint64:
    """FNV-1a hash of a name (Fowler, Noll and Vo)."""
    word = FNV_OFFSET
    for byte in purpose.encode():
        word = ((word ^ byte) * FNV_PRIME) & MASK
    return np.uint64(word)
