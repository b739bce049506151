"""Pages of a cohort of 100,000 sittings, opened through the application.

The outcomes are made up at once (`tests/support/cohort_data.py`), on PostgreSQL where it is
installed, and on SQLite. Wall time of a whole request, of a page and of what htmx gets; the
statements that it sent. Sizes other than 100,000: TAROZU_BENCH_SITTINGS.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from flask.testing import FlaskClient
from sqlalchemy import event, text

from item_bank.demo.build import STAFF, build_demo
from item_bank.exams.designs import LoadedExam, current_version
from item_bank.items.releases import release_items
from item_bank.store.database import Database, open_database
from item_bank.store.schema import organisation
from item_bank.store.tables.exams import Exam
from web.app import create_app
from web.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.cohort_data import add_outcomes, add_usage
from support.postgres import Unavailable, administer
from support.postgres import server as postgres_server

SITTINGS = int(os.environ.get("TAROZU_BENCH_SITTINGS", "100000"))
TIMES = 7
HERE = "/staff/exams/low-altitude/cohort"
PAGES = {
    "results": "",
    "results, narrowed": "?since=2026-10-01&until=2027-02-28&language=ru&attempts=first",
    "precision": "/precision",
    "groups by language": "/groups",
    "groups by centre": "/groups?by=centre&sort=-passed",
    "time": "/time",
    "items": "/items?sort=-given",
    "alarms": "/alarms",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TAROZU_SECRETS"] = str(Path(folder) / "secrets")
        try:
            with _postgres() as url:
                _measure("PostgreSQL", url)
        except Unavailable as reason:
            print(f"PostgreSQL: {reason}")
        os.environ["TAROZU_SECRETS"] = str(Path(folder) / "others")
        _measure("SQLite", f"sqlite:///{folder}/bench.db")


@contextmanager
def _postgres() -> Iterator[str]:
    with postgres_server() as main_url:
        name = f"tz_bench_{uuid.uuid4().hex[:8]}"
        administer(main_url, f"CREATE DATABASE {name}")
        try:
            yield main_url.set(database=name).render_as_string(hide_password=False)
        finally:
            administer(main_url, f"DROP DATABASE {name} WITH (FORCE)")


def _measure(kind: str, url: str) -> None:
    db = open_database(url)
    try:
        _fill(db)
        sent: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *said: sent.append(said[2]))
        client = _signed_in(db)
        print(f"{kind}, {SITTINGS} sittings:")
        slowest = max(_page(client, name, place, sent) for name, place in PAGES.items())
        print(f"slowest page: {slowest:.2f} s")
    finally:
        db.close()


def _fill(db: Database) -> None:
    build_demo(db, sittings=0)
    exam = _exam(db)
    add_outcomes(db, exam, SITTINGS, simulated=0.02)
    codes = list(release_items(db, exam.release_id, "en").items.item)
    add_usage(db, exam, codes, SITTINGS)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _exam(db: Database) -> LoadedExam:
    with db.read() as session:
        exam = session.query(Exam).where(Exam.organisation_id == organisation(db)).one()
    return current_version(db, exam.id)


def _signed_in(db: Database) -> FlaskClient:
    client = create_app(db, Settings()).test_client()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    person = next(one for one in STAFF if one.role == "psychometrician")
    page = client.get("/staff").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "email": person.name, "password": person.secret}
    client.post("/staff", data=form)
    return client


def _page(client: FlaskClient, name: str, place: str, sent: list[str]) -> float:
    """Open a page some times; print the median, the longest, and its statements."""
    took = []
    for _ in range(TIMES):
        sent.clear()
        begun = time.perf_counter()
        response = client.get(HERE + place)
        took.append(time.perf_counter() - begun)
        assert response.status_code == 200, (name, response.status_code)
    print(
        f"  {name:20s} median {statistics.median(took):.2f} s, longest {max(took):.2f} s, "
        f"{len(sent)} statements, {len(response.data) / 1000:.0f} kB"
    )
    return max(took)


if __name__ == "__main__":
    main()
