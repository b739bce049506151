"""The production server: gunicorn over our web processes, and the worker process beside it.

Used by `web/cli.py`. What a web process does with its connections is in `web/connections.py`. Each
web process opens its own database after it was forked: a SQLite connection must not cross a fork.
The worker process follows the server: when the server is gone, however it went, the worker goes
too.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from engine.errors import InputError
from item_bank.exams.presence import note_presence
from item_bank.exams.pulses import beat_site
from item_bank.store.schema import open_site
from web.beats import Beats, hearing
from web.companions import Companion
from web.connections import THREADS, BufferingWorker
from web.logs import configure_logs
from web.settings import Settings
from web.site import site_of

REQUEST_SECONDS = 60
GRACE_SECONDS = 20
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Read by the metrics library when it is first imported, which happens after the fork."""


@dataclass(frozen=True)
class Serving:
    """Where and what to serve."""

    database_url: str
    kind: str
    host: str
    port: int
    workers: int
    settings: Settings
    on_ready: Callable[[], None]
    extend: Callable[[Flask], None] | None = None  # by what measures the server, from outside


def serve(serving: Serving) -> None:
    """Serve until told to stop; in-flight requests are finished first."""
    refuse_busy_port(serving.host, serving.port)
    server = os.getpid()
    configure_logs(serving.settings.log_level)
    folder = tempfile.mkdtemp(prefix="tarozu-metrics-")
    os.environ[METRICS_FOLDER] = folder
    try:
        _Server(serving).run()
    finally:
        if os.getpid() == server:  # a web process leaves this way, too
            shutil.rmtree(folder, ignore_errors=True)


def refuse_busy_port(host: str, port: int) -> None:
    """Say so when another program has the port."""
    if not port_is_free(host, port):
        raise InputError("a free port (choose one with --port)", f"port {port} in use on {host}")


def port_is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class _Arbiter(Arbiter):  # type: ignore[misc]  # gunicorn publishes no types
    """Gunicorn's master, which looks after the worker process once a second."""

    def murder_workers(self) -> None:
        super().murder_workers()
        self.app.upkeep.keep_running()


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn publishes no types
    """Gunicorn, set up in code."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.upkeep = Companion("worker", serving.database_url, GRACE_SECONDS)
        super().__init__()

    def load_config(self) -> None:
        host = f"[{self.serving.host}]" if ":" in self.serving.host else self.serving.host
        for name, value in self._options(f"{host}:{self.serving.port}").items():
            self.cfg.set(name, value)

    def _options(self, address: str) -> dict[str, Any]:
        return {
            "bind": address,
            "workers": self.serving.workers,
            "worker_class": BufferingWorker,
            "threads": THREADS,
            "timeout": REQUEST_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "tarozu",
            "when_ready": lambda _server: self.serving.on_ready(),
            "on_exit": lambda _server: self.upkeep.stop(),
        }

    @property
    def max_body(self) -> int:
        """The largest body that the site takes, in bytes."""
        return self.serving.settings.max_request_kib * 1024

    def beats(self, app: Flask) -> Beats:
        """Return what a web process does beside requests."""
        db = site_of(app).database
        return Beats(lambda: beat_site(db), lambda heard: note_presence(db, heard), hearing(app))

    def load(self) -> Flask:
        from web.app import create_app  # noqa: PLC0415 - after the fork

        db = open_site(self.serving.database_url, kind=self.serving.kind)
        app = create_app(db, self.serving.settings)
        if self.serving.extend:
            self.serving.extend(app)
        return app

    def run(self) -> None:
        _Arbiter(self).run()
