"""A process of ours beside another: kept running, and gone when the one that started it is gone.

The server has the worker so (`server`), and the worker its long lane (`upkeep`).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping

from web.logs import log

FOLLOW = "TAROZU_FOLLOW_PARENT"


class Companion:
    """A `tarozu` command: started, again when it dies, stopped at the end."""

    def __init__(self, command: str, database_url: str, grace_seconds: float) -> None:
        self._command, self._grace = command, grace_seconds
        self._database_url = database_url  # by the environment: a command line shows its password
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def was_started(self) -> bool:
        """Whether it was started before, be it alive or not."""
        return self._process is not None

    def keep_running(self) -> None:
        """Start it where it does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None:
            log.warning("process ended, starting another", command=self._command)
        environment = {"TAROZU_DATABASE_URL": self._database_url, FOLLOW: str(os.getpid())}
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "tarozu", *self._command.split()],
            env=os.environ | environment,
        )

    def stop(self) -> None:
        """Ask it to end, and wait for it."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self._grace)
        self._process.kill()


def is_left_alone(environ: Mapping[str, str]) -> Callable[[], bool]:
    """Return what says whether the process that started this one is gone."""
    parent = int(environ[FOLLOW]) if FOLLOW in environ else None
    return lambda: parent not in (None, os.getppid())
