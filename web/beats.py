"""What each web process does beside requests: every two seconds it says that the site is up.

From the pause between two beats the site knows how long it was down, and gives that time back. A
request never writes where a page was last heard from: it notes it here, in memory, and the next
beat keeps it. A beat never ends its thread: a database that is away comes back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import cast

from flask import Flask, current_app

from item_bank.exams.presence import Heard
from web.logs import log

EVERY_SECONDS = 2.0
AT_MOST = 100_000  # pages heard from while the database is away
_KEY = "tarozu-heard"


class Hearing:
    """What requests noted since the last beat; the last of each sitting."""

    def __init__(self) -> None:
        self._heard: dict[str, Heard] = {}
        self._lock = threading.Lock()

    def note(self, heard: Heard) -> None:
        """Remember one."""
        with self._lock:
            if len(self._heard) < AT_MOST:
                self._heard[heard.sitting_id] = heard

    def take(self) -> list[Heard]:
        """Return what was noted since the last call, and forget it."""
        with self._lock:
            heard, self._heard = self._heard, {}
        return list(heard.values())

    def give_back(self, heard: Sequence[Heard]) -> None:
        """Remember again what could not be kept, unless there is newer."""
        with self._lock:
            self._heard = {one.sitting_id: one for one in heard} | self._heard


def init_hearing(app: Flask) -> None:
    """Give the application its memory."""
    app.extensions[_KEY] = Hearing()


def hearing(app: Flask) -> Hearing:
    """Return the memory of an application."""
    return cast(Hearing, app.extensions[_KEY])


def note_presence(sitting_id: str, organisation_id: str, address: str, agent: str) -> None:
    """Remember that a sitting's page was heard from, until the next beat."""
    hearing(current_app).note(Heard(sitting_id, organisation_id, address, agent))


class Beats:
    """The thread that beats.

    Parameters
    ----------
    beat
        Says that the site is up.
    keep
        Keeps where pages were heard from.
    """

    def __init__(
        self,
        beat: Callable[[], object],
        keep: Callable[[Sequence[Heard]], object],
        heard: Hearing,
        *,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._beat, self._keep, self._heard, self._every = beat, keep, heard, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beats", daemon=True)

    def start(self) -> None:
        """Beat once, so that an outage is made good before anybody asks; then go on."""
        self._once()
        self._thread.start()

    def stop(self) -> None:
        """End the thread after what it is doing, and keep what is left."""
        self._stop.set()
        self._thread.join(self._every)
        self._flush()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._once()

    def _once(self) -> None:
        try:
            self._beat()
        except Exception as error:  # noqa: BLE001 - whatever keeps the database away
            log.error("beat failed", kind=type(error).__name__)
        self._flush()

    def _flush(self) -> None:
        heard = self._heard.take()
        if not heard:
            return
        try:
            self._keep(heard)
        except Exception as error:  # noqa: BLE001 - whatever keeps the database away
            log.error("presence not kept", kind=type(error).__name__, pages=len(heard))
            self._heard.give_back(heard)
