"""For how long personal data are kept, and the daily work that erases what is older.

Days are counted from the end of a sitting; for people from the end of their last one, or from
their last registration or code where that is later. What is erased is what `erasure` erases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.actors import COMMAND_LINE, Actor
from item_bank.exams.attempts import attempts_before, forget_attempts
from item_bank.exams.personal.erasure import RUNNING, erase_candidate, leave_no_trace
from item_bank.store.asked_work import forget_old
from item_bank.store.audit import append_site_event
from item_bank.store.clock import MINUTE
from item_bank.store.database import Database
from item_bank.store.documents import delete_expired
from item_bank.store.jobs import enqueue
from item_bank.store.tables.exams import Registration
from item_bank.store.tables.people import AccessCode, CandidateDetails
from item_bank.store.tables.records import Job
from item_bank.store.tables.site import Site
from item_bank.store.tables.sittings import Presence, ResponseContent, Sitting, SittingMessage

DAY = 24 * 60 * MINUTE
MAX_DAYS = 36_500
JOB = "retention"
WORKER = "worker"
_BLOCK = 200  # sittings of one transaction, so that no answer waits for long


@dataclass(frozen=True)
class Retention:
    """Days for which data are kept; None: until they are erased by hand.

    Parameters
    ----------
    answers
        What was chosen and typed, and what staff wrote in the sitting; scores stay.
    presence
        Where pages were heard from.
    sign_ins
        Failed sign-ins, which are counted under hashes.
    people
        Names and details, codes and registrations, with all of the above.
    """

    answers: int | None = None
    presence: int | None = 30
    sign_ins: int | None = 1
    people: int | None = None


NAMES = tuple(field.name for field in fields(Retention))


def retention(db: Database) -> Retention:
    """Return the rules of the site."""
    with db.read() as session:
        return _rules(session)


def _rules(session: Session) -> Retention:
    return Retention(**(session.get_one(Site, 1).retention or {}))


def set_retention(db: Database, actor: Actor, changes: Mapping[str, int | None]) -> Retention:
    """Change rules; the others stay as they are."""
    for name, days in changes.items():
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise InputError(f"1 to {MAX_DAYS} days", days, column=name)
    with db.write() as session:
        rules = Retention(**(asdict(_rules(session)) | dict(changes)))
        session.get_one(Site, 1).retention = asdict(rules)
        payload = {"days": asdict(rules), "by": actor.by}
        append_site_event(session, "retention_set", payload, db.now(session), actor.organisation_id)
    return rules


def overdue(db: Database) -> dict[str, int]:
    """Say what the rules would erase now: sittings with such data, failed sign-ins, people."""
    with db.read() as session:
        rules, now = _rules(session), db.now(session)
        found = {name: len(session.scalars(q).all()) for name, q in _due(rules, now).items()}
        return found | {
            "sign_ins": attempts_before(session, _before(now, rules.sign_ins)),
            "people": len(_people(session, rules, now)),
        }


def apply_retention(db: Database, by: str = COMMAND_LINE) -> dict[str, int]:
    """Erase what is older than the rules say, and return how much; may run twice.

    Raises
    ------
    NotAllowed
        When all is erased, but see `erasure.leave_no_trace`.
    """
    with db.read() as session:
        rules, now = _rules(session), db.now(session)
        people = _people(session, rules, now)
        sittings = {name: session.scalars(q).all() for name, q in _due(rules, now).items()}
    done = {name: _erase_sittings(db, name, ids) for name, ids in sittings.items()}
    with db.write() as session:
        done["sign_ins"] = forget_attempts(session, _before(now, rules.sign_ins))
    done["people"] = sum(_erase_person(db, candidate, rules, by) for candidate in people)
    if any(done.values()):
        with db.write() as session:
            append_site_event(session, "retention_applied", {**done, "by": by}, db.now(session))
    leave_no_trace(db)
    return done


def _before(now: int, days: int | None) -> int:
    """Return the time before which data are too old; 0 where they are kept."""
    return 0 if days is None else now - days * DAY


_TABLES: Mapping[str, tuple[Any, ...]] = {
    "answers": (ResponseContent, SittingMessage),
    "presence": (Presence,),
}


def _due(rules: Retention, now: int) -> dict[str, Select[str]]:
    """Return the sittings that have data of each kind for too long."""
    days = {"answers": rules.answers, "presence": rules.presence}
    return {name: _ended(_before(now, days[name]), *_TABLES[name]) for name in _TABLES}


def _ended(before: int, *tables: Any) -> Select[str]:
    has_any = [select(table.sitting_id).where(table.sitting_id == Sitting.id) for table in tables]
    ended = select(Sitting.id).where(Sitting.status != RUNNING, Sitting.finished_at < before)
    return ended.where(or_(*(one.exists() for one in has_any))).order_by(Sitting.id)


def _erase_sittings(db: Database, name: str, ids: Sequence[str]) -> int:
    for start in range(0, len(ids), _BLOCK):
        with db.write() as session:
            for table in _TABLES[name]:
                block = ids[start : start + _BLOCK]
                session.execute(delete(table).where(table.sitting_id.in_(block)))
    return len(ids)


def _people(session: Session, rules: Retention, now: int) -> Sequence[str]:
    """Return the candidates with details of whom nothing was heard for too long."""
    before = _before(now, rules.people)
    if not before:
        return []
    own = CandidateDetails.candidate_id
    recent = (
        select(Sitting.id).where(
            Sitting.candidate_id == own,
            (Sitting.status == RUNNING) | (func.coalesce(Sitting.finished_at, now) >= before),
        ),
        select(Registration.id).where(
            Registration.candidate_id == own, Registration.created_at >= before
        ),
        select(AccessCode.id).where(AccessCode.candidate_id == own, AccessCode.issued_at >= before),
    )
    return session.scalars(
        select(own).where(*(~one.exists() for one in recent)).order_by(own)
    ).all()


def _erase_person(db: Database, candidate_id: str, rules: Retention, by: str) -> bool:
    """Erase one, unless something was heard of the person meanwhile."""
    with db.write() as session:
        own = session.get(CandidateDetails, candidate_id)
        if own is None or candidate_id not in _people(session, rules, db.now(session)):
            return False
        erase_candidate(db, session, own, f"kept for {rules.people} days", by)
        return True


# --- the worker ------------------------------------------------------------------------------


def plan_daily(db: Database) -> None:
    """Put today's work among the jobs, once; called by the worker again and again."""
    with db.read() as session:
        now = db.now(session)
        key = f"{JOB} {now // DAY}"
        if session.scalar(select(Job.id).where(Job.key == key)):
            return
    with db.write() as session:
        enqueue(session, JOB, key, {}, due_at=now)


def apply_daily(db: Database, _payload: Mapping[str, Any]) -> None:
    """Do a day's work: personal data, documents whose time is over, and long work of long ago."""
    delete_expired(db)
    forget_old(db)
    apply_retention(db, WORKER)
