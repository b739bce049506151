"""A fit whose expectation steps run on the workers of a Dask scheduler.

Each part of the persons is prepared once on some worker and stays there; an expectation step sends
the tables of the items out and brings the sums of the parts back, which are added in the order of
the parts, so that the result is that of one machine. What a dead worker held is prepared again on
another. Called by the command line for ``--scheduler``.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from calibration.cluster import check_versions, connected
from calibration.design import Design, PersonBlock, parts
from calibration.expectation import PartSums, Sums, Tables, part_sums
from calibration.summary import versions

if TYPE_CHECKING:
    from distributed import Client

Spread = Callable[[Design], PartSums]
"""Takes a design to the workers, and gives what works its sums out there."""


@contextmanager
def spread_over(address: str) -> Iterator[Spread]:
    """Connect to a scheduler for the time of a fit; see `calibration.cluster.connected`."""
    with connected(address, "the fit") as client:
        yield lambda design: _on_workers(client, design)


def _on_workers(client: Client, design: Design) -> PartSums:
    blocks = [client.submit(_unpacked, pickle.dumps(part), pure=False) for part in parts(design)]

    def sums(tables: Tables) -> Iterator[Sums]:
        packed = pickle.dumps(tables)
        tasks = [client.submit(_worked, part, packed, pure=False) for part in blocks]
        for task in tasks:
            theirs, found = task.result()
            check_versions(versions("mml"), theirs)
            yield found

    return sums


def _unpacked(part: bytes) -> tuple[PersonBlock, ...]:
    blocks: tuple[PersonBlock, ...] = pickle.loads(part)  # noqa: S301 - from our own client
    return blocks


def _worked(blocks: tuple[PersonBlock, ...], packed: bytes) -> tuple[dict[str, Any], Sums]:
    """One task, on a worker: its versions and its sums."""
    return versions("mml"), part_sums(blocks, _tables(packed))


@lru_cache(maxsize=2)
def _tables(packed: bytes) -> Tables:
    tables: Tables = pickle.loads(packed)  # noqa: S301 - from our own client
    return tables
