"""Looks through the sittings of a whole exam for what stands out, and records it as a study.

The long job ``flags``; asked for on the exam's page. Each run computes all flags anew: limits of
person fit may have been simulated since, and items become known outside later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams.errors import NotFound
from item_bank.exams.snapshots import read_snapshot
from item_bank.items.releases import release_items
from item_bank.results.flags.exam_data import Sat, ended_sittings, sat
from item_bank.results.flags.likeness import Bank, likeness_flags
from item_bank.results.flags.pace import published_times, time_flags
from item_bank.results.flags.records import KINDS, LIKENESS, TIME, Found, keep
from item_bank.results.flags.sealing import limits_for, own_flags
from item_bank.results.studies import NewStudy, RecordedStudy, newest_study, record_study
from item_bank.store.database import Database
from item_bank.store.tables.exams import Exam

JOB = "flags"
STUDY = "aberrance"
BLOCK = 50
Advance = Callable[[int, int, str], object]
"""Done, of how many, and at what."""


def flag_exam(
    db: Database,
    exam_id: str,
    organisation_id: str,
    recorded_by: str,
    advance: Advance = lambda *_said: None,
) -> str:
    """Compute all flags of an exam's ended sittings and return the study's id.

    Raises
    ------
    NotFound
        When the organisation has no such exam.
    """
    with db.read() as session:
        exam = session.get(Exam, exam_id)
        if exam is None or exam.organisation_id != organisation_id:
            raise NotFound
        ids = ended_sittings(session, exam_id)
    counts = _own(db, ids, organisation_id, advance)
    with db.read() as session:
        sittings = sat(session, exam_id, ids)
        timed = _timed(session, sittings)
    alike = _alike(db, sittings, advance)
    new = NewStudy(
        kind=STUDY,
        organisation_id=organisation_id,
        recorded_by=recorded_by,
        exam_id=exam_id,
        summary={"sittings": len(ids), "flagged": counts | _count(timed) | _count(alike)},
    )
    with db.write() as session:
        study_id = record_study(db, session, new)
        now = db.now(session)
        for one in sittings:
            found = [flags[one.sitting_id] for flags in (timed, alike) if one.sitting_id in flags]
            kept = [Found(f.kind, f.flagged, f.values, study_id) for f in found]
            keep(session, one.sitting_id, organisation_id, kept, now)
    return study_id


def last_look(db: Database, organisation_id: str, exam_code: str) -> RecordedStudy | None:
    """Return the newest study of what stands out in an exam; None where nobody looked yet."""
    with db.read() as session:
        exam_id = session.scalar(
            select(Exam.id).where(Exam.code == exam_code, Exam.organisation_id == organisation_id)
        )
        if exam_id is None:
            return None
        return newest_study(session, STUDY, organisation_id=organisation_id, exam_id=exam_id)


def _own(
    db: Database, ids: Sequence[str], organisation_id: str, advance: Advance
) -> dict[str, int]:
    """Compute anew what needs one sitting alone; how many stand out, by kind."""
    counts: Counter[str] = Counter()
    for start in range(0, len(ids), BLOCK):
        block = ids[start : start + BLOCK]
        with db.read() as session:
            snapshots = [read_snapshot(db, session, one) for one in block]
            found = [own_flags(session, one, limits_for(session, one)) for one in snapshots]
        with db.write() as session:
            for sitting_id, flags in zip(block, found, strict=True):
                keep(session, sitting_id, organisation_id, flags, db.now(session))
        counts.update(flag.kind for flags in found for flag in flags if flag.flagged)
        advance(start + len(block), len(ids), "each sitting by itself")
    return {kind: counts[kind] for kind in KINDS if kind not in (TIME, LIKENESS)}


def _timed(session: Session, sittings: Sequence[Sat]) -> dict[str, Found]:
    """Flags by the times, each by its release's model, or by one fitted to all the others."""
    known = {name: published_times(session, name) for name in {s.release_id for s in sittings}}
    found: dict[str, Found] = {}
    for name, model in known.items():
        if model is not None:
            found |= time_flags([s for s in sittings if s.release_id == name], model)
    rest = [s for s in sittings if known[s.release_id] is None]
    return found | time_flags(rest, None)


def _alike(db: Database, sittings: Sequence[Sat], advance: Advance) -> dict[str, Found]:
    banks: dict[str, Bank] = {}
    for one in sittings:
        if one.release_id not in banks:
            release = release_items(db, one.release_id, one.language)
            banks[one.release_id] = Bank(release.items, release.points)
    done = 0

    def step(n: int) -> None:
        nonlocal done
        done += n
        advance(done, len(sittings), "sittings side by side")

    return likeness_flags(sittings, banks, step)


def _count(found: Mapping[str, Any]) -> dict[str, int]:
    kinds = {flag.kind for flag in found.values()}
    return {kind: sum(flag.flagged for flag in found.values()) for kind in kinds}
