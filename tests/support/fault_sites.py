"""A site with an exam for many candidates, behind a real server process, and what it has kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from support.banks import small_bank_document
from support.candidates import Candidate
from support.processes import Server
from support.sittings import EXAM

from item_bank.exams.accounts import add_staff
from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.replay import replay
from item_bank.exams.verification import verify
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.releases import publish
from item_bank.store.database import Database, open_database
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import (
    PresentedItem,
    Response,
    ResponseContent,
    Sitting,
    SittingEvent,
)

PASSWORD = "weigh-with-care"


@dataclass
class Site:
    """A served site; its codes are used up one by one."""

    db: Database
    url: str
    folder: Path
    server: Server
    codes: list[str]

    def candidate(self, server: Server | None = None, **options: Any) -> Candidate:
        """Sign somebody in who has not been here yet."""
        one = Candidate((server or self.server).address, **options)
        reply = one.sign_in(self.codes.pop())
        assert reply.status == 200, reply.text
        return one

    def begun(self, **options: Any) -> Candidate:
        """Somebody at their first question."""
        one = self.candidate(**options)
        one.begin()
        return one

    def revive(self) -> None:
        """Start the server again if it was killed."""
        if not self.server.health():
            self.server.start()

    def rows(self, table: Any, sitting_id: str) -> Sequence[Any]:
        """What a table has of a sitting, in order."""
        order = getattr(table, "position", None) or table.number
        with self.db.read() as session:
            query = select(table).where(table.sitting_id == sitting_id).order_by(order)
            return session.scalars(query).all()

    def responses(self, sitting_id: str) -> Sequence[Response]:
        return self.rows(Response, sitting_id)

    def presented(self, sitting_id: str) -> Sequence[PresentedItem]:
        return self.rows(PresentedItem, sitting_id)

    def contents(self, sitting_id: str) -> list[Any]:
        return [row.content["response"] for row in self.rows(ResponseContent, sitting_id)]

    def events(self, sitting_id: str) -> list[str]:
        """Kinds of the links of its chain."""
        return [row.kind for row in self.rows(SittingEvent, sitting_id)]

    def sitting(self, sitting_id: str) -> Sitting:
        with self.db.read() as session:
            return session.get_one(Sitting, sitting_id)

    def counts(self, sitting_id: str) -> tuple[int, int]:
        """How many responses and how many presented items."""
        return len(self.responses(sitting_id)), len(self.presented(sitting_id))

    def n(self, table: Any) -> int:
        with self.db.read() as session:
            return int(session.scalar(select(func.count()).select_from(table)) or 0)

    def check(self, sitting_id: str) -> None:
        """A sitting replays; whether every chain verifies is looked at when the site ends."""
        assert replay(self.db, sitting_id).problems == ()


def furnish(db: Database, folder: Path, *, candidates: int, exam: str = EXAM) -> list[str]:
    """Put bank, exam, staff and a roster into a database; gives the access codes."""
    home = organisation(db)
    file = folder / "small.json"
    file.write_text(json.dumps(small_bank_document()))
    import_bank(db, read_json(file), organisation_id=home)
    publish(db, "small", organisation_id=home)
    loaded, _ = apply_exam(db, exam, organisation_id=home)
    for role in ("examiner", "administrator"):
        add_staff(db, f"{role}@example.org", role, PASSWORD, organisation_id=home)
    people = [
        RosterRow(f"C{n:03}", f"Candidate {n}", language="en", attempts=3)
        for n in range(candidates)
    ]
    issued = import_roster(db, people, loaded.plan.code, organisation_id=home)
    return [str(one.code) for one in issued]


@contextmanager
def serve_site(
    url: str, folder: Path, *, candidates: int, exam: str = EXAM, **settings: str
) -> Iterator[Site]:
    """Serve an initialised database, whose secrets are in the folder, by a process of its own."""
    db = replace(open_database(url), secrets_folder=folder / "secrets")
    codes = furnish(db, folder, candidates=candidates, exam=exam)
    server = Server(url, folder / "secrets", folder / "server.log", **settings)
    try:
        server.start()
        yield Site(db, url, folder, server, codes)
        assert verify(db).problems == ()
    finally:
        if server.processes():
            server.stop()
        db.close()
