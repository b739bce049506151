"""A web process: waitress reads requests whole, and threads answer them, on gunicorn's sockets.

Used by `web/server.py` as gunicorn's worker class. One loop watches every connection, so that a
line that trickles holds a little memory and never a thread; a thread works on a request only when
all of it is there. Asked to stop, a process takes no new connection, answers what has arrived, and
only then ends.
"""

from __future__ import annotations

import logging
import os
import resource
import select
import time
from collections.abc import Iterable
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask

THREADS = 8
CONNECTIONS = 2000
SPARE_FILES = 100  # of the process: database, log, media
MAX_HEADER = 32 * 1024
IDLE_SECONDS = 75  # longer than a proxy keeps its connections
RECEIVE_SECONDS = 90
LAST_WORDS_SECONDS = 5
"""How long a process that was asked to stop waits for requests that have begun to arrive."""
NEW_SECONDS = 1
TURN_SECONDS = 1.0

logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is not worth a line each time


class _Task(WSGITask):  # type: ignore[misc]  # waitress publishes no types
    """One request, whose answer says so when the connection ends with it."""

    def build_response_header(self) -> Any:
        if self.channel.server.stopping and self.version == "1.1":
            self.set_close_on_finish()
        return super().build_response_header()


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress publishes no types
    """One connection."""

    task_class = _Task
    receiving_since: float | None = None

    @property
    def is_working(self) -> bool:
        """Whether an answer is being made or sent."""
        return bool(self.requests or self.total_outbufs_len)

    def note_receiving(self, now: float) -> None:
        """Close a connection whose request takes too long to arrive."""
        if self.request is None:
            self.receiving_since = None
        elif self.receiving_since is None:
            self.receiving_since = now
        elif now - self.receiving_since > RECEIVE_SECONDS and not self.requests:
            self.will_close = True


class _Listener(TcpWSGIServer):  # type: ignore[misc]  # waitress publishes no types
    """One of gunicorn's sockets."""

    channel_class = _Channel
    stopping = False

    def accept_all(self) -> None:
        """Take every connection that waits: when the socket closes, they would be cut."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        while poll.poll(0) and len(self._map) < self.adj.connection_limit:
            self.handle_accept()

    def stop_listening(self) -> None:
        self.stopping = True
        self.accept_all()
        self.accepting = False
        self.del_channel()
        self.socket.close()


class _Watch:
    """Which connections wait for what; only those that changed are looked at again.

    Waitress's own loop asks every connection at every turn, which a thousand idle ones make slow.
    """

    def __init__(self, wake_up: int) -> None:
        self.map: dict[int, Any] = {}
        self._poll = select.poll()
        self._known: dict[int, tuple[Any, int]] = {}
        self._changed: set[int] = set()
        self._wake_up = wake_up
        self._poll.register(wake_up, select.POLLIN)

    def turn(self, seconds: float) -> None:
        """Wait for something to happen, and let it."""
        for fd in list(self._changed):
            self._look_at(fd)
        for fd, flags in self._poll.poll(int(seconds * 1000)):
            if fd == self._wake_up:
                os.read(fd, 4096)
                continue
            self._changed.add(fd)
            one = self.map.get(fd)
            if one is not None:
                wasyncore.readwrite(one, flags)
            if isinstance(one, _Listener):
                self._changed.update(self.map.keys() - self._known.keys())

    def look_at_all(self) -> None:
        """Ask every connection again, after something else than an event touched them."""
        self._changed.update(self.map.keys() | self._known.keys())

    def channels(self) -> list[_Channel]:
        """Return the open connections."""
        return [one for one in self.map.values() if isinstance(one, _Channel)]

    def _look_at(self, fd: int) -> None:
        one = self.map.get(fd)
        wants = _wants(one)
        if not wants:
            if self._known.pop(fd, None):
                self._poll.unregister(fd)
        elif self._known.get(fd) != (one, wants):
            self._poll.register(fd, wants)
            self._known[fd] = (one, wants)
        if not (isinstance(one, _Channel) and one.is_working):
            self._changed.discard(fd)  # a thread may change what a working one waits for


def _wants(one: Any) -> int:
    if one is None:
        return 0
    reads = select.POLLIN | select.POLLPRI if one.readable() else 0
    return reads | (select.POLLOUT if one.writable() and not one.accepting else 0)


class BufferingWorker(Worker):  # type: ignore[misc]  # gunicorn publishes no types
    """Gunicorn's worker process around waitress."""

    def run(self) -> None:
        """Serve until asked to stop, then finish."""
        beats = self.app.beats(self.wsgi)
        beats.start()
        self.watch = _Watch(self.PIPE[0])
        self.threads = ThreadedTaskDispatcher()
        self.threads.set_thread_count(self.cfg.threads)
        listeners = [self._listener(one) for one in self.sockets]
        self.watch.look_at_all()
        while self.alive and self.ppid == os.getppid():
            self._turn(listeners)
        self._finish(listeners)
        beats.stop()

    def _listener(self, socket: Any) -> _Listener:
        one = _Listener(
            self.wsgi,
            map=self.watch.map,
            _start=False,
            _sock=socket.sock,
            dispatcher=self.threads,
            adj=adjustments(self.cfg.threads, self.app.max_body),
            sockinfo=(socket.sock.family, socket.sock.type, None, socket.sock.getsockname()),
            bind_socket=False,
        )
        one.accepting = True
        return one

    def _turn(self, listeners: Iterable[_Listener]) -> None:
        self.watch.turn(TURN_SECONDS)
        now = time.monotonic()
        if now < getattr(self, "_next_round", 0.0):
            return
        self._next_round = now + TURN_SECONDS
        self.notify()
        for listener in listeners:
            listener.maintenance(time.time())
        for channel in self.watch.channels():
            channel.note_receiving(now)
        self.watch.look_at_all()

    def _finish(self, listeners: list[_Listener]) -> None:
        """Answer what has arrived; nobody was told of what has not."""
        for listener in listeners:
            listener.stop_listening()
        begun = time.time()
        end = begun + self.cfg.graceful_timeout - 2
        while time.time() < end:
            waiting = [one for one in self.watch.channels() if not _is_over(one, begun)]
            if not self.watch.channels():
                break
            self.watch.look_at_all()
            self.watch.turn(0.1 if waiting else 0)
            self.notify()
        self.threads.shutdown(cancel_pending=False, timeout=1)


def _is_over(channel: _Channel, begun: float) -> bool:
    """Close a connection that has nothing more to say to a process that was asked to stop."""
    late = time.time() - begun
    is_new = channel.creation_time > begun - NEW_SECONDS and late < NEW_SECONDS
    is_arriving = channel.request is not None and late < LAST_WORDS_SECONDS
    if channel.is_working or is_arriving or (is_new and channel.last_activity < begun):
        return False
    channel.will_close = True
    return True


def adjustments(threads: int, max_body: int) -> Adjustments:
    """Return waitress's settings; the site's own page says 413 up to twice its limit."""
    return Adjustments(
        threads=threads,
        sockets=[],
        connection_limit=connection_limit(),
        channel_timeout=IDLE_SECONDS,
        max_request_header_size=MAX_HEADER,
        max_request_body_size=2 * max_body,
        inbuf_overflow=2 * max_body + 1,  # in memory: it is small
        clear_untrusted_proxy_headers=False,  # the site decides which of them it believes
        log_socket_errors=False,
        ident=None,
    )


def connection_limit() -> int:
    """Raise the limit of open files as far as it goes, and return how many connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return CONNECTIONS if soft >= wanted else max(soft - SPARE_FILES, 10)
