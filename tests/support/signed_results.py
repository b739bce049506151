"""A hall whose exam releases results once examiners have signed, and people who decide."""

from __future__ import annotations

from support.sittings import EXAM, Hall, begin, finish

from item_bank.exams.accounts import add_staff
from item_bank.exams.actors import Actor
from item_bank.store.schema import organisation

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
