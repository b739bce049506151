"""A simulation on a Dask cluster: parts of the examinees as tasks, one record in the end.

Each part is a task of its own that can be repeated anywhere: a worker that dies costs the time of
its unfinished parts. Called by the simulation command for ``--scheduler``. Imports the engine, and
``distributed`` only when it is asked for, since it is an optional package.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calibration.simulations.examinees import Examinees
from calibration.simulations.outputs import versions
from engine.arrays import Bools, Floats
from engine.errors import InputError
from engine.items import ItemParameters
from engine.rules.designs import ExamDesign
from engine.simulation.parts import joined, parts
from engine.simulation.run import Simulated, Surroundings, simulate

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer, and to have a first worker."""


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
    with _cluster(address) as client:
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
    if theirs != versions():
        raise InputError(_words(versions()), _words(theirs), column="--scheduler")
    return record


def _words(found: dict[str, Any]) -> str:
    return "workers with " + ", ".join(f"{name} {value}" for name, value in found.items())


@contextmanager
def _cluster(address: str) -> Iterator[Client]:
    """Connect, or say in one line why not; also when the cluster is lost on the way."""
    try:
        from distributed import Client, KilledWorker  # noqa: PLC0415 - optional
    except ImportError as error:
        expected = "the package distributed (pip install 'tarozu[cluster]')"
        raise InputError(expected, "none", column="--scheduler") from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (TimeoutError, OSError, ValueError, TypeError) as error:
        expected = "the address of a Dask scheduler that answers, such as tcp://host:8786"
        raise InputError(expected, repr(address), column="--scheduler") from error
    with client, warnings.catch_warnings():
        # Recorded answers to a large bank are large.
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
        try:
            _await_worker(client, address)
            yield client
        except ImportError as error:
            expected = "workers that have Tarozu installed"
            raise InputError(expected, str(error), column="--scheduler") from error
        except (OSError, CancelledError, asyncio.CancelledError, KilledWorker) as error:
            expected = "a cluster that stays until the simulation is done"
            found = f"{address} lost ({type(error).__name__})"
            raise InputError(expected, found, column="--scheduler") from error


def _await_worker(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError as error:
        expected = "a scheduler with at least one worker"
        raise InputError(expected, f"none at {address}", column="--scheduler") from error
