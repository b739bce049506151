"""A site that an older Tarozu kept is upgraded: nothing is lost, all verifies, and exams go on.

The site was written by the code of its time: `tests/reference/sites`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, MetaData, Table, inspect, select
from support.sittings import SetClock, finish, serve

from item_bank.exams.candidate_views import view
from item_bank.exams.replay import replay
from item_bank.exams.signing_in import candidate_by_code, staff_by_password
from item_bank.exams.verification import verify
from item_bank.store.clock import SECOND
from item_bank.store.database import Database, open_database
from item_bank.store.schema import head_revision, initialise, migration, upgrade
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import Sitting

KEPT = json.loads(
    (Path(__file__).parents[1] / "reference/sites/site_at_0003.json").read_text(encoding="utf-8")
)
LATER = SetClock(1_800_000_000 * SECOND + 300 * SECOND)


@dataclass(frozen=True)
class OldSite:
    """What it held, table by table, as the database of today gives it back."""

    db: Database
    held: dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old_site(request, tmp_path) -> Iterator[OldSite]:
    """The older site in a fresh database, not upgraded yet."""
    url = f"sqlite:///{tmp_path / 'tarozu.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("empty_postgres")
    (tmp_path / "secrets").mkdir(mode=0o700)
    for name, key in KEPT["keys"].items():
        (tmp_path / "secrets" / name).write_text(key, encoding="utf-8")
    db = replace(open_database(url, clock=LATER), secrets_folder=tmp_path / "secrets")
    upgrade(db, KEPT["revision"])
    _fill(db)
    yield OldSite(db, {name: _rows(db, name) for name in KEPT["tables"]})
    db.close()


def _fill(db: Database) -> None:
    with migration(db) as connection:
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            kept = KEPT["tables"].get(table.name)
            if kept:
                rows = [_values(table, kept["columns"], row) for row in kept["rows"]]
                connection.execute(table.insert(), rows)


def _values(table: Table, columns: list[str], row: list[Any]) -> dict[str, Any]:
    """The values of a row; SQLite keeps truth as a number."""
    return {
        name: bool(value) if isinstance(table.c[name].type, Boolean) else value
        for name, value in zip(columns, row, strict=True)
    }


def _rows(db: Database, name: str) -> list[dict[str, Any]]:
    with db.read() as session:
        connection = session.connection()
        key = inspect(connection).get_pk_constraint(name)["constrained_columns"]
        table = Table(name, MetaData(), autoload_with=connection)
        found = connection.execute(select(table).order_by(*(table.c[one] for one in key)))
        return [dict(row) for row in found.mappings()]


def test_an_upgrade_loses_nothing_of_what_an_older_tarozu_kept(old_site):
    db = old_site.db
    report = initialise(db)

    assert (report.from_revision, report.to_revision) == (KEPT["revision"], head_revision())
    assert (report.backup is not None) == db.is_sqlite
    for name, before in old_site.held.items():
        columns = before[0].keys()
        after = [{one: row[one] for one in columns} for row in _rows(db, name)]
        assert [row for row in before if row not in after] == [], name
        assert len(after) == len(before) + (name == "site_events"), name  # the upgrade itself


def test_what_an_older_tarozu_decided_verifies_replays_and_goes_on(old_site):
    db = old_site.db
    initialise(db)
    serve(db)
    with db.read() as session:
        ended, running = session.scalars(select(Sitting).order_by(Sitting.status)).all()
    assert (ended.status, running.status) == ("finished", "running")

    assert verify(db).problems == ()
    assert replay(db, ended.id).problems == replay(db, running.id).problems == ()
    _check_outcome(db, ended.id)

    alice, bob = (candidate_by_code(db, KEPT["codes"][n], address="x") for n in ("Alice", "Bob"))
    assert view(db, alice, ended.id).question is None
    now = view(db, bob, running.id)
    assert now.position == 3
    hall = type("Hall", (), {"db": db, "clock": LATER})
    assert finish(hall, bob, now).question is None
    assert replay(db, running.id).problems == ()
    assert verify(db).problems == ()
    assert staff_by_password(db, "eva@example.org", "weigh-with-care", address="x").name == "eva"


def _check_outcome(db: Database, sitting_id: str) -> None:
    """The outcome that the upgrade made says what the result said."""
    kept = KEPT["tables"]["results"]
    result = json.loads(kept["rows"][0][kept["columns"].index("content")])
    with db.read() as session:
        outcome = session.scalars(select(Outcome).where(Outcome.sitting_id == sitting_id)).one()
    assert outcome.theta == result["estimate"]["theta"]
    assert (outcome.score, outcome.n_items) == (result["score"], result["n_items"])
    assert outcome.level == result["level"]["code"]
    assert outcome.state == "released"
