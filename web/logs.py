"""Structured logs: one JSON line for each request and each fault, without personal data.

A line names the route's rule, never the address that was asked for, and no header, cookie, form
field or client address.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import TextIO, cast

import structlog
from flask import Flask, Response, g, request

_QUIET = ("static", "assets.htmx", "health.healthz", "metrics.show")
log = structlog.stdlib.get_logger("tarozu.web")


class WholeLines:
    """Writes lines to a file descriptor; where there is no room, lines are lost and nothing else.

    A line of which only the start found room is ended before the next one.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._torn = descriptor, False

    def write(self, text: str) -> None:
        """Write a line in one piece, or what there is room for."""
        line = ("\n" + text if self._torn else text).encode()
        try:
            self._torn = os.write(self._descriptor, line) < len(line)
        except OSError:  # a disk without room must not fail the request that was logged
            self._torn = True

    def flush(self) -> None:
        """Nothing is kept back."""


def configure_logs(level: str) -> None:
    """Send structlog's lines as JSON to stderr; called once by a process that serves."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # they hold names
            ),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, WholeLines(sys.stderr.fileno()))),
        cache_logger_on_first_use=True,
    )


def init_logs(app: Flask) -> None:
    """Log each request when it is answered."""
    app.before_request(_start)
    app.after_request(_line)


def _start() -> None:
    g.started = time.perf_counter()


def _line(response: Response) -> Response:
    if request.endpoint not in _QUIET:
        log.info(
            "request",
            request_id=g.get("request_id"),
            method=request.method,
            route=str(request.url_rule) if request.url_rule else None,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.get("started", 0.0)) * 1000, 1),
        )
    return response
