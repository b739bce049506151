"""A Dask cluster, connected or refused in one line, for simulations and for fits.

Work goes out as tasks that carry what they need and can be repeated anywhere: a worker that dies
costs the time of its unfinished tasks. Called by ``simulations.cluster`` and ``fit_cluster``.
Imports ``distributed`` only when it is asked for, since it is an optional package.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer, and to have a first worker."""


@contextmanager
def connected(address: str, work: str) -> Iterator[Client]:
    """Connect, or say in one line why not; also when the cluster is lost on the way.

    Parameters
    ----------
    address
        Such as ``tcp://host:8786``.
    work
        What the cluster is to stay for, in words.

    Raises
    ------
    InputError
        When ``distributed`` is not installed, the scheduler does not answer or has no worker, its
        workers cannot import Tarozu, or the cluster is lost on the way.
    """
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
        # Recorded answers are large.
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
        try:
            _await_worker(client, address)
            yield client
        except ImportError as error:
            expected = "workers that have Tarozu installed"
            raise InputError(expected, str(error), column="--scheduler") from error
        except (OSError, CancelledError, asyncio.CancelledError, KilledWorker) as error:
            expected = f"a cluster that stays until {work} is done"
            found = f"{address} lost ({type(error).__name__})"
            raise InputError(expected, found, column="--scheduler") from error


def _await_worker(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError as error:
        expected = "a scheduler with at least one worker"
        raise InputError(expected, f"none at {address}", column="--scheduler") from error


def check_versions(own: Mapping[str, object], theirs: Mapping[str, object]) -> None:
    """Refuse workers with other software.

    Raises
    ------
    InputError
        Naming both sides.
    """
    if theirs != own:
        raise InputError(_words(own), _words(theirs), column="--scheduler")


def _words(found: Mapping[str, object]) -> str:
    return "workers with " + ", ".join(f"{name} {value}" for name, value in found.items())
