"""A simulation on a Dask cluster: parts of the examinees as tasks, one record in the end.

Each part is a task of its own that can be repeated anywhere: a worker that dies costs the time of
its unfinished parts. Called by the simulation command for ``--scheduler``. Imports the engine, and
``distributed`` only when it is asked for, since it is an optional package.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calibration.cluster import check_versions, connected
from calibration.simulations.examinees import Examinees
from calibration.simulations.outputs import versions
from engine.arrays import Bools, Floats
from engine.items import ItemParameters
from engine.rules.designs import ExamDesign
from engine.simulation.parts import joined, parts
from engine.simulation.run import Simulated, Surroundings, simulate

if TYPE_CHECKING:
    from distributed import Client, Future


@dataclass(frozen=True, eq=False)
class _Part:
    """The examinees of one task."""

    first: int
    theta: Floats | None
    scores: npt.NDArray[np.int16] | None
    observed: Bools | None


def simulate_on_cluster(
    address: str,
    items: ItemParameters,
    design: ExamDesign,
    examinees: Examinees,
    *,
    seed: int,
    pretest: Bools,
    advance: Callable[[int], object],
) -> Simulated:
    """Simulate on the workers of a Dask scheduler.

    Examinees keep the seeds of their places, and parts the blocks of one machine, so the record is
    that of `engine.simulation.run.simulate` for any number of workers.

    Parameters
    ----------
    address
        Such as ``tcp://host:8786``.
    items, design, examinees, seed, pretest
        The simulation; ``pretest`` of shape ``(n_items,)`` marks the items that are tried out.
    advance
        Called with the number of examinees done since the last call.

    Raises
    ------
    InputError
        When ``distributed`` is not installed, the scheduler does not answer or has no worker, its
        workers have other versions, or the cluster is lost on the way.
    """
    pieces = parts(len(examinees.person), len(items), design, tried_out=bool(pretest.any()))
    setting = pickle.dumps((items, design, seed, pretest))
    with connected(address, "the simulation") as client:
        tasks = [
            client.submit(_simulated, setting, _part(examinees, piece), pure=False)
            for piece in pieces
        ]
        records = [_checked(found) for found in _gathered(client, tasks, pieces, advance)]
    # With the bank that was handed in, and not a copy of it from a worker.
    return replace(joined(records), items=items, design=design)


def _part(examinees: Examinees, places: range) -> _Part:
    here = slice(places.start, places.stop)
    theta, scores, observed = examinees.theta, examinees.scores, examinees.observed
    return _Part(
        places.start,
        None if theta is None else theta[here],
        None if scores is None else scores[here].astype(np.int16),
        None if observed is None else observed[here],
    )


def _simulated(setting: bytes, part: _Part) -> tuple[dict[str, Any], Simulated]:
    """One task, on a worker: its versions and its part of the record."""
    items, design, seed, pretest = _unpacked(setting)
    record = simulate(
        items,
        design,
        theta=part.theta,
        scores=None if part.scores is None else part.scores.astype(np.int64),
        observed=part.observed,
        seed=seed,
        surroundings=Surroundings(pretest=pretest, first=part.first),
    )
    return versions(), record


@lru_cache(maxsize=2)
def _unpacked(setting: bytes) -> tuple[ItemParameters, ExamDesign, int, Bools]:
    """Bank and rules, once on each worker: what is looked up in a bank is kept with it."""
    unpacked: tuple[ItemParameters, ExamDesign, int, Bools] = pickle.loads(setting)  # noqa: S301 - from our own client
    return unpacked


def _gathered(
    client: Client,
    tasks: Sequence[Future],
    pieces: Sequence[range],
    advance: Callable[[int], object],
) -> list[tuple[dict[str, Any], Simulated]]:
    """All results in the order of the parts, with progress as they come."""
    from distributed import as_completed  # noqa: PLC0415 - optional

    places = {task.key: place for place, task in enumerate(tasks)}
    found: dict[int, tuple[dict[str, Any], Simulated]] = {}
    for task, result in as_completed(tasks, loop=client.loop, with_results=True):
        if isinstance(result, BaseException):  # a future that was cancelled
            raise result
        place = places[task.key]
        found[place] = result
        advance(len(pieces[place]))
        task.release()
    return [found[place] for place in range(len(tasks))]


def _checked(found: tuple[dict[str, Any], Simulated]) -> Simulated:
    theirs, record = found
    check_versions(versions(), theirs)
    return record
