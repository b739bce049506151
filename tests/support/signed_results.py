"""A hall whose exam releases results once examiners have signed, and people who decide."""

from __future__ import annotations

from support.sittings import EXAM, Hall, begin, finish

from item_bank.exams.accounts import add_staff
from item_bank.exams.actors import Actor, command_line
from item_bank.results.deciding import make_stand
from item_bank.store.schema import organisation
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import Result, Sitting

PASSWORD = "weigh-with-care"


def signed_exam(signatures: int = 2, *, appeal_days: int = 30) -> str:
    """The exam file of a hall, with results that examiners sign."""
    table = f'[results]\nrelease = "signed"\nsignatures = {signatures}\nappeal_days = {appeal_days}'
    return f"{EXAM}{table}\n"


def staff_actor(hall: Hall, name: str, role: str = "examiner") -> Actor:
    """A new account of the hall's organisation, as one who acts."""
    home = organisation(hall.db)
    account = add_staff(hall.db, f"{name}@example.org", role, PASSWORD, organisation_id=home)
    return Actor(account, home, role, name)


def finished(hall: Hall) -> str:
    """The id of a sitting of Alice's that has just ended."""
    return finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id


def amended(hall: Hall, sitting_id: str, score: float = 555.0) -> int:
    """Let a result with another score stand, as a correction would; return its number."""
    with hall.db.write() as session:
        row = session.get_one(Sitting, sitting_id)
        number = session.get_one(Outcome, sitting_id).result_number
        content = {**session.get_one(Result, (sitting_id, number)).content, "score": score}
        actor = command_line(row.organisation_id)
        by = "correction 1"
        return make_stand(session, hall.db, row, content, by, actor=actor, by=by).number
