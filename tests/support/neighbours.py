"""A second organisation on the same site, whose records nobody of the first may see."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select
from support.banks import small_bank_document
from support.calibrated import kept_study, record_calibration
from support.sittings import EXAM, Hall, begin, finish

from item_bank.exams.accounts import add_staff
from item_bank.exams.actors import Actor
from item_bank.exams.candidate_views import exams_of_candidate
from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.signing_in import CandidateSession, candidate_by_code
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.releases import publish
from item_bank.results.appeals import open_appeal
from item_bank.results.standards.acts import create_study
from item_bank.results.standards.plans import NewStudy
from item_bank.store.database import Database
from item_bank.store.documents import NewDocument, writing_document
from item_bank.store.long_work import ask_for
from item_bank.store.tables.base import new_id
from item_bank.store.tables.items import Item
from item_bank.store.tables.site import OrganisationRow

CODE = "neighbours"


@dataclass(frozen=True)
class Neighbours:
    """Ids of records of the other organisation, by the name of a route's argument."""

    organisation_id: str
    carol: CandidateSession
    ids: dict[str, str]


def move_in(hall: Hall, folder: Path) -> Neighbours:
    """Give the site a second organisation with a bank, an exam, a candidate and an account."""
    home = _organisation(hall.db)
    file = folder / "neighbours.json"
    file.write_text(json.dumps(small_bank_document(code=CODE)), encoding="utf-8")
    import_bank(hall.db, read_json(file), organisation_id=home)
    publish(hall.db, CODE, organisation_id=home)
    exam = EXAM.replace('code = "sums"', f'code = "{CODE}"').replace('"small"', f'"{CODE}"', 1)
    loaded, _ = apply_exam(hall.db, exam, organisation_id=home)
    rows = [RosterRow("C", "Carol Carolsdottir", attempts=2)]
    code = str(import_roster(hall.db, rows, CODE, organisation_id=home)[0].code)
    carol = candidate_by_code(hall.db, code, address="10.0.0.9")
    assert carol
    there = replace(hall, exam=loaded, alice=carol)
    sitting = finish(there, carol, begin(there, carol))
    email = "carl@neighbours.example"
    account = add_staff(hall.db, email, "administrator", "weigh-with-care", organisation_id=home)
    job = ask_for(hall.db, Actor(account, home, "administrator", "Carl"), "letter", "Letter", {})
    standard = create_study(hall.db, Actor(account, home, "administrator", "Carl"),
                            NewStudy(CODE, "certified"))  # fmt: skip
    with writing_document(
        hall.db, NewDocument(home, "letter", "Letter", "letter.txt", "text/plain", account, job)
    ) as document:
        document.write(b"Dear Carol")
    with hall.db.read() as session:
        item = session.scalars(select(Item.id).where(Item.organisation_id == home)).first()
    ids = {
        "sitting_id": sitting.sitting_id,
        "registration_id": exams_of_candidate(hall.db, carol)[0].registration_id,
        "item_id": str(item),
        "account_id": account,
        "job_id": job,
        "document_id": document.document_id,
        "appeal_id": open_appeal(hall.db, carol, sitting.sitting_id, "Not right."),
        "code": CODE,
        "exam_code": CODE,
        "standard_id": standard,
        "run_id": record_calibration(hall.db, CODE, home),
        "study_id": kept_study(hall.db, CODE, home, "drift", [{"item": "S-01", "flag": ""}]),
    }
    return Neighbours(home, carol, ids)


def _organisation(db: Database) -> str:
    with db.write() as session:
        row = OrganisationRow(id=new_id(), code=CODE, name="Neighbours", created_at=2**60)
        session.add(row)
        return row.id
