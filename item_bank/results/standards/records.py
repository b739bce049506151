"""Standard-setting studies as pages, commands and computations see them: read, never changed here.

Called by the rest of this folder, `web/standards` and the commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.items import ItemParameters
from engine.results.decisions import ReportingScale
from engine.standards.bookmark import Booklet, booklet
from item_bank.exams.actors import ADMINISTRATOR, COMMAND_LINE, Actor
from item_bank.exams.designs import LoadedExam, load_version
from item_bank.exams.errors import NotFound
from item_bank.exams.exam_files import LevelNames
from item_bank.items.releases import ReleaseItems, release_items
from item_bank.results.standards.plans import BOOKMARK, OPEN
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.tables.people import StaffAccount
from item_bank.store.tables.standards import Panellist, StandardStudy

PSYCHOMETRICIAN, EXAMINER = "psychometrician", "examiner"
KEEPERS = frozenset({PSYCHOMETRICIAN, ADMINISTRATOR, COMMAND_LINE})
"""Who makes studies, closes rounds, and enters ratings on behalf of panellists."""
APPROVERS = frozenset({EXAMINER, ADMINISTRATOR})


@dataclass(frozen=True)
class Member:
    """A panellist; the account, where there is one, rates on its own pages."""

    code: str
    name: str
    account_id: str | None
    account: str
    table: str


@dataclass(frozen=True)
class StudyFacts:
    """A study as it stands.

    Parameters
    ----------
    items
        What the panel sees, in order.
    release
        The release that the items are of, in the study's language.
    """

    id: str
    number: int
    organisation_id: str
    exam: LoadedExam
    method: str
    level: LevelNames
    title: str
    settings: dict[str, Any]
    round: int
    status: str
    created_by: str | None
    created_by_name: str
    created_at: int
    result: dict[str, Any]
    approved_by_name: str
    approved_at: int | None
    panel: tuple[Member, ...]
    release: ReleaseItems
    items: ItemParameters

    @property
    def scale(self) -> ReportingScale:
        """The reporting scale of the exam version that is studied."""
        return self.exam.plan.design.scale

    @property
    def is_open(self) -> bool:
        """Whether ratings are taken."""
        return self.status == OPEN

    @property
    def is_bookmark(self) -> bool:
        """Whether panellists place bookmarks."""
        return self.method == BOOKMARK

    @property
    def booklet(self) -> Booklet:
        """The ordered booklet of a bookmark study."""
        return booklet(
            self.items,
            response_probability=self.settings["response_probability"],
            guessing_adjusted=self.settings["guessing_adjusted"],
        )

    @property
    def last_round(self) -> int:
        """The open round, or of a closed study the round that counted."""
        return self.round if self.is_open else int(self.result.get("round", self.round))

    def member(self, code: str) -> Member:
        """Return a panellist; `NotFound` where the panel has none of this code."""
        for one in self.panel:
            if one.code == code:
                return one
        raise NotFound

    def revision_id(self, item: str) -> str:
        """Return the revision of an item that the panel sees."""
        return self.release.revision_ids[self.release.items.row(item)]


@dataclass(frozen=True)
class StudyRow:
    """A study in a list."""

    id: str
    number: int
    title: str
    exam_code: str
    level: str
    method: str
    status: str
    round: int
    panel: int
    minimum: float | None
    created_at: int


def may_keep(actor: Actor) -> bool:
    """Say whether somebody makes studies and closes rounds."""
    return actor.role in KEEPERS


def may_rate(actor: Actor, member: Member) -> bool:
    """Say whether somebody may enter a panellist's ratings: the panellist, or on behalf."""
    return may_keep(actor) or (actor.id is not None and actor.id == member.account_id)


def study(db: Database, study_id: str, *, organisation_id: str) -> StudyFacts:
    """Return a study; `NotFound` when there is none, or it is another organisation's."""
    with db.read() as session:
        row = session.get(StandardStudy, study_id)
        if row is None or row.organisation_id != organisation_id:
            raise NotFound
        return facts_of(db, session, row)


def study_by_number(db: Database, number: int, *, organisation_id: str) -> StudyFacts:
    """Return a study by its number in the organisation; `NotFound` when there is none."""
    with db.read() as session:
        found = session.scalar(
            select(StandardStudy.id).where(
                StandardStudy.organisation_id == organisation_id, StandardStudy.number == number
            )
        )
    if found is None:
        raise NotFound
    return study(db, found, organisation_id=organisation_id)


def facts_of(db: Database, session: Session, row: StandardStudy) -> StudyFacts:
    """Read everything of a study within a transaction."""
    exam = load_version(db, row.exam_version_id)
    release = release_items(db, exam.release_id, row.settings["language"])
    rows = [release.items.row(code) for code in row.settings["items"]]
    names = _names(session, row.organisation_id)
    return StudyFacts(
        id=row.id,
        number=row.number,
        organisation_id=row.organisation_id,
        exam=exam,
        method=row.method,
        level=next(level for level in exam.plan.levels if level.code == row.level),
        title=row.title,
        settings=row.settings,
        round=row.round,
        status=row.status,
        created_by=row.created_by,
        created_by_name=names.get(row.created_by, COMMAND_LINE),
        created_at=row.created_at,
        result=row.result,
        approved_by_name=names.get(row.approved_by, ""),
        approved_at=row.approved_at,
        panel=_panel(session, row, names),
        release=release,
        items=release.items.subset(np.array(rows, dtype=np.int64)),
    )


def _names(session: Session, organisation_id: str) -> dict[str | None, str]:
    query = select(StaffAccount.id, StaffAccount.name)
    found = session.execute(query.where(StaffAccount.organisation_id == organisation_id))
    return {row.id: row.name for row in found}


def _panel(
    session: Session, row: StandardStudy, names: dict[str | None, str]
) -> tuple[Member, ...]:
    query = select(Panellist).where(Panellist.study_id == row.id).order_by(Panellist.code)
    tables = row.settings["tables"]
    return tuple(
        Member(
            one.code, one.name, one.account_id, names.get(one.account_id, "") if one.account_id
            else "", tables.get(one.code, ""),
        )
        for one in session.scalars(query)
    )  # fmt: skip


def studies(db: Database, *, organisation_id: str) -> list[StudyRow]:
    """Return the studies of an organisation, the newest first."""
    with db.read() as session:
        rows = session.scalars(
            select(StandardStudy)
            .where(StandardStudy.organisation_id == organisation_id)
            .order_by(StandardStudy.number.desc())
        ).all()
        return [_row(db, session, row) for row in rows]


def _row(db: Database, session: Session, row: StandardStudy) -> StudyRow:
    panel = session.scalars(select(Panellist.code).where(Panellist.study_id == row.id)).all()
    return StudyRow(
        row.id,
        row.number,
        row.title,
        load_version(db, row.exam_version_id).plan.code,
        row.level,
        row.method,
        row.status,
        row.round,
        len(panel),
        row.result.get("minimum"),
        row.created_at,
    )


def result_hash(facts: StudyFacts) -> str:
    """Return the hash of a closed study's result, which its approval names."""
    return content_hash(facts.result)
