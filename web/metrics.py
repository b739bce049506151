"""``/metrics`` for Prometheus: what this host's web processes did, and how the site stands.

The processes of one `tarozu serve` share their counts by files in a folder that the server makes,
so that any of them can give the sum. What is of the site as a whole is read from the database when
it is asked for. Nothing here names a person, a sitting or an item.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Flask, Response, abort, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from item_bank.exams.site_state import SiteState, site_state
from item_bank.store.space import free_bytes
from web.access import public
from web.site import database, site

metrics = Blueprint("metrics", __name__)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Set by the server before any of this is imported: the library looks once."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")

_ours = CollectorRegistry()
REQUESTS = Counter(
    "tarozu_requests", "Requests answered.", ("method", "route", "status"), registry=_ours
)
REQUEST_SECONDS = Histogram(
    "tarozu_request_seconds",
    "Time from a whole request to its answer.",
    ("method", "route"),
    buckets=SECONDS,
    registry=_ours,
)
ANSWERS = Counter("tarozu_answers", "Answers of candidates.", ("outcome",), registry=_ours)
SELECTION_SECONDS = Histogram(
    "tarozu_selection_seconds",
    "Time to estimate and to choose the next item.",
    buckets=SECONDS,
    registry=_ours,
)
DATABASE_ERRORS = Counter(
    "tarozu_database_errors", "Statements or connections that failed.", registry=_ours
)


def init_metrics(app: Flask) -> None:
    """Count each request when it is answered."""
    app.after_request(_count)


def observe(what: str, seconds: float) -> None:
    """Count what the database saw."""
    if what == "selection":
        SELECTION_SECONDS.observe(seconds)
    elif what == "database_error":
        DATABASE_ERRORS.inc()


def count_answer(outcome: str) -> None:
    """Count what became of an answer."""
    ANSWERS.labels(outcome.replace(" ", "_")).inc()


def _count(response: Response) -> Response:
    route = str(request.url_rule) if request.url_rule else "none"
    REQUESTS.labels(request.method, route, response.status_code).inc()
    if "started" in g:
        REQUEST_SECONDS.labels(request.method, route).observe(time.perf_counter() - g.started)
    return response


@metrics.get("/metrics")
@public
def show() -> Response:
    """Give the numbers to this host itself, or to whoever has the token."""
    if not (_from_this_host() or _has_token()):
        abort(404)
    registry = CollectorRegistry()
    if os.environ.get(FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    text = generate_latest(registry) if os.environ.get(FOLDER) else generate_latest(_ours)
    registry = CollectorRegistry()
    registry.register(_SiteNumbers())
    return Response(text + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _from_this_host() -> bool:
    """Whether it came straight from this host: a proxy beside us speaks for others."""
    before = request.environ.get("werkzeug.proxy_fix.orig", {}).get("REMOTE_ADDR")
    address = before or request.remote_addr
    forwarded = any(name in request.headers for name in FORWARDED)
    return address in {"127.0.0.1", "::1"} and not forwarded


def _has_token() -> bool:
    wanted = site().settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())


class _SiteNumbers:
    """What is read from the database when somebody looks."""

    def collect(self) -> Iterator[Any]:
        try:
            state: SiteState | None = site_state(database())
        except Exception:  # noqa: BLE001 - whatever keeps the database away, the counts still go out
            state = None
        yield _gauge("database_up", "Whether the database answered.", float(state is not None))
        yield _gauge("disk_free_bytes", "Room where records are written.", free_bytes(database()))
        if state is None:
            return
        yield _gauge("running_sittings", "Sittings that run now.", state.running_sittings)
        yield _gauge("jobs_waiting", "Jobs that wait.", state.jobs_waiting)
        yield _gauge("jobs_failed", "Jobs set aside.", state.jobs_failed)
        yield _gauge("long_work", "Long work that waits or runs.", state.long_waiting)
        yield _gauge("oldest_job_seconds", "How late the oldest job is.", state.oldest_job)
        yield _gauge("worker_seen_seconds", "Since a worker said it lives.", state.worker_seen)
        yield _gauge("pulse_age_seconds", "Since a web process said it lives.", state.pulse)


def _gauge(name: str, words: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        f"tarozu_{name}", words, value=float("nan") if value is None else value
    )
