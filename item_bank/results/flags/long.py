"""The long job ``flags``: who asks for it, and when it is planned by itself.

Limits of person fit are simulated some time after an exam version is applied. Sittings that were
sealed before have statistics that cannot be judged: the job is planned once after each such study
of an exam version that had sittings by then.
"""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from item_bank.exams.actors import Actor
from item_bank.exams.errors import NotFound
from item_bank.results.flags.exam_flags import JOB, flag_exam
from item_bank.results.flags.limits import STUDY
from item_bank.store.clock import DAY
from item_bank.store.database import Database
from item_bank.store.long_work import LongJob, Progress, ask_for, plan
from item_bank.store.tables.exams import Exam
from item_bank.store.tables.records import Job
from item_bank.store.tables.sittings import Sitting
from item_bank.store.tables.studies import Study

RECENT = DAY
"""Studies older than this were looked at."""


def look_through(db: Database, job: LongJob, progress: Progress) -> None:
    """Compute the flags of an exam; the handler of the job."""
    by = job.made_for or "worker"
    flag_exam(db, job.payload["exam"], str(job.organisation_id), by, progress)


def ask_for_flags(db: Database, actor: Actor, exam_code: str) -> str:
    """Ask to look through an exam of the actor's organisation, and return the job.

    Raises
    ------
    NotFound
        When it has no such exam.
    """
    with db.read() as session:
        exam_id = session.scalar(
            select(Exam.id).where(
                Exam.code == exam_code, Exam.organisation_id == actor.organisation_id
            )
        )
    if exam_id is None:
        raise NotFound
    return ask_for(db, actor, JOB, _title(exam_code), {"exam": exam_id})


def plan_flags(db: Database) -> None:
    """Plan the job after each new study of limits."""
    with db.read() as session:
        now = db.now(session)
        waiting = [study for study in _new(session, now) if _has_sittings(session, study)]
        codes = {study.exam_id: session.get_one(Exam, study.exam_id).code for study in waiting}
    for study in waiting:
        payload, owner = {"exam": study.exam_id}, study.organisation_id
        with db.write() as session:
            title = _title(codes[study.exam_id])
            plan(session, JOB, _key(study), title, payload, organisation_id=owner, due_at=now)


def _title(exam_code: str) -> str:
    return f"What stands out in the sittings of {exam_code}"


def _key(study: Study) -> str:
    return f"{JOB} after {study.id}"


def _new(session: Session, now: int) -> list[Study]:
    """Recent studies of limits after which the job was not planned yet."""
    recent = select(Study).where(
        Study.kind == STUDY, Study.at > now - RECENT, Study.exam_id.is_not(None)
    )
    studies = {_key(study): study for study in session.scalars(recent)}
    planned = set(session.scalars(select(Job.key).where(Job.key.in_(studies))))
    return [study for key, study in studies.items() if key not in planned]


def _has_sittings(session: Session, study: Study) -> bool:
    """Whether a sitting of the version had ended when the limits became known."""
    version = study.settings.get("exam_version")
    ended = exists().where(Sitting.exam_version_id == version, Sitting.finished_at <= study.at)
    return bool(session.scalar(select(ended)))
