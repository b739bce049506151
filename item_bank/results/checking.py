"""Checking a result by the code that its report carries: whether it is genuine and still stands.

Called by the public page. No score is told. Wrong codes are counted as failed sign-ins are, by the
address that they came from, and a code of 79 bits is not found by trying.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams.attempts import count_failure, refuse_guessing
from item_bank.exams.decided import Act, done_on, first_state, shown_results
from item_bank.exams.designs import load_version
from item_bank.exams.outcomes import ALPHABET, CODE_LENGTH, INVALIDATED, RELEASED
from item_bank.exams.signing_in import LIMIT_ADDRESS
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.secret_keys import keyed_hash
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import CandidateDetails

STANDS, SUPERSEDED, EXPIRED = "stands", "superseded", "expired"
REVIEWED, WITHDRAWN = "reviewed", "withdrawn"


@dataclass(frozen=True)
class Checked:
    """What a code tells.

    Parameters
    ----------
    state
        ``stands``; ``superseded``: corrected, and what stands now is told; ``expired``;
        ``reviewed``: it was shown, and is held now; ``withdrawn``.
    name
        None once erased.
    level
        Its name by language; None unless a result stands, or stood until it expired.
    valid_until
        None where a pass has no end, and for what is no pass.
    """

    code: str
    state: str
    title: dict[str, str]
    name: str | None
    finished_at: int
    level: dict[str, str] | None
    passed: bool | None
    changed_at: int | None
    valid_until: int | None
    simulated: bool
    note: dict[str, str]


def plain_code(text: str) -> str | None:
    """Read a code as people type it, whatever its case, blanks and dashes; None for no code."""
    letters = "".join(letter for letter in text.upper() if letter.isalnum())
    right = len(letters) == CODE_LENGTH and set(letters) <= set(ALPHABET)
    return letters if right else None


def check_code(db: Database, text: str, *, address: str) -> Checked | None:
    """Say what a code tells; None when no result that was shown has it.

    Raises
    ------
    TooManyAttempts
        When the code is wrong, too, and this address asked for far too many wrong ones.
    """
    code = plain_code(text)
    if code is None:  # no guess
        return None
    limits = {keyed_hash(db.secrets().codes, "checks from", address): LIMIT_ADDRESS}
    with db.read() as session:
        found = _checked(db, session, code)
        if found is None:
            refuse_guessing(db, session, limits)
    if found is None:
        count_failure(db, limits)
    return found


def _checked(db: Database, session: Session, code: str) -> Checked | None:
    outcome = session.scalars(select(Outcome).where(Outcome.verification == code)).one_or_none()
    if outcome is None:
        return None
    version, done = load_version(db, outcome.exam_version_id), done_on(session, outcome.sitting_id)
    if not shown_results(first_state(version.plan.results), done):
        return None
    until = valid_until(outcome, version.plan.results.valid_months)
    state = _state(outcome, until, db.now(session))
    details = session.get(CandidateDetails, outcome.candidate_id)
    stands = state in {STANDS, SUPERSEDED, EXPIRED}
    names = {level.code: dict(level.name) for level in version.plan.levels}
    return Checked(
        code=code,
        state=state,
        title=version.plan.title,
        name=details.name if details else None,
        finished_at=outcome.finished_at,
        level=names.get(outcome.level or "") if stands else None,
        passed=outcome.passed if stands else None,
        changed_at=_changed_at(done, state),
        valid_until=until if stands else None,
        simulated=outcome.simulated,
        note=version.note,
    )


def _changed_at(done: Any, state: str) -> int | None:
    acts = {SUPERSEDED: Act.AMENDED, WITHDRAWN: Act.INVALIDATED, REVIEWED: Act.HELD}
    wanted = acts.get(state)
    return next((one.at for one in reversed(done) if one.act is wanted), None)


def _state(outcome: Outcome, until: int | None, now: int) -> str:
    if outcome.state == INVALIDATED:
        return WITHDRAWN
    if outcome.state != RELEASED:
        return REVIEWED
    if until is not None and now >= until:
        return EXPIRED
    return SUPERSEDED if outcome.result_number > 1 else STANDS


def valid_until(outcome: Outcome, months: int | None) -> int | None:
    """Return when a pass ends: as many calendar months after the sitting ended."""
    if months is None or outcome.passed is not True:
        return None
    return months_after(outcome.finished_at, months)


def months_after(at: int, months: int) -> int:
    """Return the same day and time some months later, or the last day of a shorter month."""
    then = datetime.fromtimestamp(at / SECOND, UTC)
    years, month = divmod(then.month - 1 + months, 12)
    year, month = then.year + years, month + 1
    day = min(then.day, calendar.monthrange(year, month)[1])
    return round(then.replace(year=year, month=month, day=day).timestamp() * SECOND)
