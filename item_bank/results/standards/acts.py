"""Making a study, its panel, closing rounds and the study, approving its cut.

Each act is one transaction that locks the study, and stands in the site chain: numbers, hashes and
who, never a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.actors import Actor
from item_bank.exams.designs import LoadedExam, versions_of
from item_bank.exams.errors import NotAllowed
from item_bank.exams.exam_files import CODE
from item_bank.items.releases import OPERATIONAL, release_items
from item_bank.results.standards.feedback import one_round
from item_bank.results.standards.locking import check_keeper, locked
from item_bank.results.standards.past import past_scores
from item_bank.results.standards.plans import (
    APPROVED,
    CLOSED,
    DISCARDED,
    OPEN,
    NewStudy,
    check_new,
    check_scale,
    chosen_rows,
)
from item_bank.results.standards.ratings import ratings_digest, ratings_in
from item_bank.results.standards.records import APPROVERS, StudyFacts, result_hash
from item_bank.results.standards.rounds import RoundResult
from item_bank.store.audit import append_site_event
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.people import StaffAccount
from item_bank.store.tables.standards import Panellist, PanelRating, StandardStudy

LEAST_JUDGES = 2
MAX_CODE, MAX_NAME = 32, 200


@dataclass(frozen=True)
class NewMember:
    """A panellist to add; the account by its e-mail, "" for none; the table of a bookmark panel."""

    code: str
    name: str
    account: str = ""
    table: str = ""


def create_study(db: Database, actor: Actor, new: NewStudy) -> str:
    """Make a study of an exam's level and return its id.

    Raises
    ------
    NotAllowed
        For roles that may not.
    InputError
        For an unknown exam, version, level or item, or settings that no study can have.
    """
    check_keeper(actor)
    check_new(new)
    exam = _version(db, new, actor.organisation_id)
    names = {level.code: level for level in exam.plan.levels}
    if new.level not in names:
        known = ", ".join(names) or "an exam that has levels"
        raise InputError(f"a level of the exam: {known}", repr(new.level), column="level")
    check_scale(names[new.level].minimum, exam.plan.design.scale, new.level)
    language = exam.plan.languages[0]
    release = release_items(db, exam.release_id, language)
    usable = np.array([status == OPERATIONAL for status in release.statuses], dtype=np.bool_)
    rows = chosen_rows(release.items, usable, new.items)
    codes = [release.items.item[row] for row in rows]
    with db.write() as session:
        row = _row(session, actor, new, exam, new.settings(codes, language))
        row.created_at = db.now(session)
        session.add(row)
        session.flush()
        _note(session, row, actor, "created", row.created_at, exam=new.exam, level=new.level)
        return row.id


def _version(db: Database, new: NewStudy, organisation_id: str) -> LoadedExam:
    versions = versions_of(db, new.exam, organisation_id=organisation_id)
    if new.version is None:
        return versions[0]
    for one in versions:
        if one.number == new.version:
            return one
    raise InputError(f"a version from 1 to {versions[0].number}", new.version, column="version")


def _row(
    session: Session, actor: Actor, new: NewStudy, exam: LoadedExam, settings: dict[str, Any]
) -> StandardStudy:
    last = session.scalar(
        select(func.max(StandardStudy.number)).where(
            StandardStudy.organisation_id == actor.organisation_id
        )
    )
    return StandardStudy(
        id=new_id(),
        organisation_id=actor.organisation_id,
        number=(last or 0) + 1,
        exam_id=exam.exam_id,
        exam_version_id=exam.version_id,
        method=new.method,
        level=new.level,
        title=new.title.strip() or f"{new.exam}: {new.level}",
        settings=settings,
        round=1,
        status=OPEN,
        created_by=actor.id,
        result={},
    )


def _note(
    session: Session, row: StandardStudy, actor: Actor, act: str, now: int, **about: Any
) -> None:
    payload = {"study": row.number, "by": actor.by, **about}
    append_site_event(session, f"standard_study_{act}", payload, now, row.organisation_id)


# --- the panel ---------------------------------------------------------------------------------


def set_panel(db: Database, actor: Actor, study_id: str, members: Sequence[NewMember]) -> None:
    """Add panellists, and change the name, account and table of those who are there.

    Nobody is taken off the panel here: see `remove_member`.

    Raises
    ------
    NotFound, NotAllowed
        As other acts; or when the study is closed.
    InputError
        For a code or name that is missing or too long, a code twice, or an unknown e-mail.
    """
    check_keeper(actor)
    _check_members(members)
    with locked(db, actor, study_id) as (session, row, facts):
        _check_open(facts)
        tables = dict(row.settings["tables"])
        for one in members:
            session.merge(
                Panellist(
                    study_id=row.id,
                    code=one.code,
                    organisation_id=row.organisation_id,
                    name=one.name,
                    account_id=_account(session, one.account, row.organisation_id),
                )
            )
            tables[one.code] = one.table
        row.settings = {**row.settings, "tables": {c: t for c, t in tables.items() if t}}


def _check_members(members: Sequence[NewMember]) -> None:
    codes = [one.code for one in members]
    for one in members:
        for column, text, most in (("panellist", one.code, MAX_CODE), ("name", one.name, MAX_NAME)):
            if not 0 < len(text) <= most or not text.isprintable():
                raise InputError(f"a text of 1 to {most} characters", repr(text), column=column)
        if not CODE.fullmatch(one.code):
            expected = "letters, digits, dots, dashes and underscores"
            raise InputError(expected, repr(one.code), column="panellist")
        if codes.count(one.code) > 1:
            raise InputError("each panellist once", f"{one.code} twice", column="panellist")
        if len(one.table) > MAX_CODE:
            raise InputError(f"at most {MAX_CODE} characters", repr(one.table), column="table")


def _account(session: Session, email: str, organisation_id: str) -> str | None:
    if not email:
        return None
    found = session.scalar(
        select(StaffAccount.id).where(
            func.lower(StaffAccount.email) == email.lower(),
            StaffAccount.organisation_id == organisation_id,
        )
    )
    if found is None:
        raise InputError("the e-mail of a staff account", repr(email), column="account")
    return found


def remove_member(db: Database, actor: Actor, study_id: str, code: str) -> None:
    """Take somebody off the panel who has not rated anything.

    Raises
    ------
    NotFound, NotAllowed
        As other acts; or when there are ratings, which stay.
    """
    check_keeper(actor)
    with locked(db, actor, study_id) as (session, row, facts):
        _check_open(facts)
        member = facts.member(code)
        rated = select(PanelRating.item).where(
            PanelRating.study_id == row.id, PanelRating.panellist == code
        )
        if session.scalars(rated.limit(1)).first() is not None:
            raise NotAllowed(f"{member.name} has rated; what was said stays")
        session.delete(session.get_one(Panellist, (row.id, code)))
        tables = {c: t for c, t in row.settings["tables"].items() if c != code}
        row.settings = {**row.settings, "tables": tables}


# --- rounds and the end ------------------------------------------------------------------------


def close_round(db: Database, actor: Actor, study_id: str, *, round_seen: int) -> int:
    """Close the open round, so that its ratings stand for ever, and open the next; return it.

    Raises
    ------
    NotFound, NotAllowed
        As other acts; or when the round was closed meanwhile, or nobody has rated in it.
    """
    check_keeper(actor)
    with locked(db, actor, study_id) as (session, row, facts):
        _check_open(facts)
        if row.round != round_seen:
            raise NotAllowed(f"round {round_seen} is closed already")
        if not ratings_in(session, row.id, row.round):
            raise NotAllowed("nobody has rated yet")
        now, digest = db.now(session), ratings_digest(session, row.id, row.round)
        _note(session, row, actor, "round_closed", now, round=row.round, ratings=digest)
        row.round += 1
        return row.round


def close_study(db: Database, actor: Actor, study_id: str) -> dict[str, Any]:
    """End the rating: compute the cut from the newest ratings and return the result.

    Raises
    ------
    NotFound, NotAllowed
        As other acts; or with fewer than two panellists who have a cut.
    """
    check_keeper(actor)
    with locked(db, actor, study_id) as (session, row, facts):
        _check_open(facts)
        counted = _round_that_counts(session, row)
        found = one_round(session, facts, counted, past_scores(session, facts))
        if found.rated < LEAST_JUDGES:
            raise NotAllowed(f"a cut needs {LEAST_JUDGES} panellists; {found.rated} have one")
        row.result, row.status = study_result(facts, found), CLOSED
        now, digest = db.now(session), ratings_digest(session, row.id, row.round)
        about = {"round": counted, "ratings": digest, "minimum": row.result["minimum"]}
        _note(session, row, actor, "closed", now, **about)
        row.round = counted
        result: dict[str, Any] = row.result
        return result


def _round_that_counts(session: Session, row: StandardStudy) -> int:
    """The open round, or the one before when nobody said anything in the open one."""
    said = select(PanelRating.round).where(
        PanelRating.study_id == row.id, PanelRating.round == row.round
    )
    empty = session.scalars(said.limit(1)).first() is None
    return row.round - 1 if empty and row.round > 1 else row.round


def study_result(facts: StudyFacts, found: RoundResult) -> dict[str, Any]:
    """Return what a closed study keeps: codes of panellists, no names."""
    panel = found.panel
    return {
        "round": found.number,
        "statistic": facts.settings["statistic"],
        "theta": found.theta,
        "se": found.se,
        "score": found.score,
        "se_points": found.se_points,
        "minimum": found.minimum,
        "scale": {name: float(value) for name, value in vars(facts.scale).items()},
        "panel": {name: value for name, value in vars(panel).items() if value is not None},
        "judges": [
            {"panellist": row.member.code, "theta": row.cut.theta, "score": row.score,
             "reason": row.cut.reason and str(row.cut.reason)}
            for row in found.judges
        ],
        "impact": {
            "candidates": len(found.past.scores),
            "simulated": found.past.simulated,
            "rows": [vars(row) for row in found.impact],
        },
    }  # fmt: skip


def approve_study(db: Database, actor: Actor, study_id: str) -> None:
    """Approve the cut of a closed study; from then on an exam file may name the study.

    Raises
    ------
    NotFound
        When there is no such study, or it is another organisation's.
    NotAllowed
        For others than examiners and administrators, for whoever made the study, or when it is not
        closed.
    """
    if actor.role not in APPROVERS or actor.id is None:
        raise NotAllowed("an examiner or an administrator approves, by an account")
    with locked(db, actor, study_id) as (session, row, facts):
        if row.created_by == actor.id:
            raise NotAllowed("whoever made the study does not approve it")
        if row.status != CLOSED:
            raise NotAllowed(f"only a closed study can be approved; this one is {row.status}")
        row.status, row.approved_by, row.approved_at = APPROVED, actor.id, db.now(session)
        about = {"minimum": row.result["minimum"], "result": result_hash(facts)}
        _note(session, row, actor, APPROVED, row.approved_at, level=row.level, **about)


def discard_study(db: Database, actor: Actor, study_id: str) -> None:
    """Set a study aside that is not approved; what was said in it stays.

    Raises
    ------
    NotFound, NotAllowed
        As other acts; or when it is approved, or set aside already.
    """
    check_keeper(actor)
    with locked(db, actor, study_id) as (session, row, _):
        if row.status not in {OPEN, CLOSED}:
            raise NotAllowed(f"the study is {row.status}")
        if row.status == OPEN:
            row.result = {}
        row.status = DISCARDED
        _note(session, row, actor, DISCARDED, db.now(session))


def _check_open(facts: StudyFacts) -> None:
    if not facts.is_open:
        raise NotAllowed(f"the study is {facts.status}; its ratings stand")
