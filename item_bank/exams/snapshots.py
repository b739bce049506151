"""Everything that one step of a sitting reads, loaded at once; and the engine's view of it.

The log is the truth: the engine's state is made from presented items and responses each time, and
theta is computed anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from engine.exposure.usage import Readings
from engine.rules.states import carried
from engine.session import SittingState
from item_bank.exams.designs import LoadedExam, load_version
from item_bank.exams.errors import NotFound
from item_bank.exams.pauses import is_overdue
from item_bank.exams.records import LANGUAGE
from item_bank.exams.signing_in import CandidateSession
from item_bank.items.items import Holds, holds_now
from item_bank.items.releases import OPERATIONAL, ReleaseItems, release_items
from item_bank.store.appending import new_row
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.sittings import PresentedItem, Response, Sitting, SittingEvent


@dataclass(frozen=True)
class Snapshot:
    """A sitting as it stands.

    Parameters
    ----------
    sitting
        Plain, as it was read; what changes it besides its chain does so by `changeable`.
    presented, responses
        In order of position; the last presented item is open when it has no response.
    holds
        The bank's items that are held now.
    now
        The site's time when this was read.
    changed_to
        The language that the candidate changed to; None for that of the sitting.
    around
        What a step reads besides this, where it was read already.
    """

    sitting: Sitting
    exam: LoadedExam
    release: ReleaseItems
    presented: tuple[PresentedItem, ...]
    responses: tuple[Response, ...]
    holds: Holds
    now: int
    changed_to: str | None = None
    around: Around | None = None

    @property
    def language(self) -> str:
        """The language in which questions are shown now."""
        return self.changed_to or self.sitting.language

    @property
    def position(self) -> int:
        """The position of the open item, or of the last one when none is open."""
        return len(self.presented)

    @property
    def open_item(self) -> PresentedItem | None:
        """The item on screen."""
        if self.sitting.status != "running" or len(self.responses) == len(self.presented):
            return None
        return self.presented[-1]

    @property
    def is_overdue(self) -> bool:
        """Whether the deadline has passed; never while an invigilator holds the sitting up."""
        return is_overdue(self.sitting, self.now)

    @property
    def is_open(self) -> bool:
        """Whether the candidate may look at the question and answer it."""
        return self.sitting.paused_at is None and not self.is_overdue

    @property
    def is_late(self) -> bool:
        """Whether an answer that is kept now comes too late to count."""
        grace = self.exam.plan.delivery.grace_seconds * SECOND
        return is_overdue(self.sitting, self.now, grace)

    @property
    def is_withdrawn(self) -> bool:
        """Whether the item on screen has become known outside, so that no answer to it counts."""
        row = self.open_item
        return row is not None and self.release.items.item[row.row] in self.holds.compromised

    @property
    def withdrawn(self) -> frozenset[int]:
        """Rows of items that became known outside while they were on screen."""
        rows = {one.position: one.row for one in self.presented}
        return frozenset(rows[r.position] for r in self.responses if is_unscored(r))

    @property
    def in_time(self) -> int:
        """How many responses led to a step: all but one that came late."""
        return sum(not response.late for response in self.responses)

    @property
    def prior_mean(self) -> float | None:
        """What is expected of this candidate, where the exam asks; not for the result."""
        return self.sitting.prior_theta if self.exam.plan.design.candidate_prior else None

    @property
    def answered(self) -> int:
        """How many responses are scored: those in time to items that were not withdrawn."""
        return sum(response.score is not None for response in self.responses)

    @property
    def tried_out(self) -> tuple[Response, ...]:
        """The responses in time to items that are tried out; they are scored and do not count."""
        places = {one.position for one in self.presented if is_tried_out(one)}
        return tuple(r for r in self.responses if r.score is not None and r.position in places)

    def at(self, now: int) -> Snapshot:
        """Return the same facts at another time."""
        return replace(self, now=now)

    def with_presented(self, row: PresentedItem) -> Snapshot:
        """Return the facts after an item was presented."""
        return replace(self, presented=(*self.presented, row))

    def with_response(self, row: Response) -> Snapshot:
        """Return the facts after a response."""
        return replace(self, responses=(*self.responses, row))


def is_unscored(response: Response) -> bool:
    """Whether a response came in time to an item that was withdrawn meanwhile."""
    return response.score is None and not response.late


def is_tried_out(presented: PresentedItem) -> bool:
    """Whether a presented item does not count."""
    return bool(presented.trace.get("pretest", False))


def read_snapshot(
    db: Database, session: Session, sitting_id: str, *, lock: bool = False
) -> Snapshot:
    """Load a sitting; ``lock`` keeps other writers of this sitting out (PostgreSQL).

    Raises
    ------
    NotFound
        When there is no such sitting.
    """
    sitting = _sitting(session, sitting_id, lock=lock)
    exam = load_version(db, sitting.exam_version_id)
    return Snapshot(
        sitting=sitting,
        exam=exam,
        release=release_items(db, exam.release_id, sitting.language),
        presented=tuple(_presented(session, sitting_id)),
        responses=tuple(_responses(session, sitting_id)),
        holds=holds_now(session, exam.bank_id),
        now=db.now(session),
        changed_to=_changed_to(session, sitting_id) if exam.plan.language_switch else None,
    )


def read_again(db: Database, session: Session, before: Snapshot) -> Snapshot:
    """Load what may have changed of a sitting, and keep other writers of it out (PostgreSQL).

    Everything that happens in a sitting makes its chain longer: where its row is what it was, its
    log is, too.
    """
    sitting = _sitting(session, before.sitting.id, lock=True)
    if sitting != before.sitting:
        return read_snapshot(db, session, sitting.id)
    holds = holds_now(session, before.exam.bank_id)
    return replace(before, sitting=sitting, holds=holds, now=db.now(session))


def changeable(session: Session, snapshot: Snapshot) -> Snapshot:
    """Return the facts with a sitting whose changes this session keeps."""
    session.flush()
    sitting = session.get_one(Sitting, snapshot.sitting.id, populate_existing=True)
    return replace(snapshot, sitting=sitting)


def _sitting(session: Session, sitting_id: str, *, lock: bool) -> Sitting:
    session.flush()
    query = _LOCKED_SITTING if lock else _SITTING
    row = session.connection().execute(query, {"sitting": sitting_id}).one_or_none()
    if row is None:
        raise NotFound
    return new_row(Sitting, **row._asdict())


def _changed_to(session: Session, sitting_id: str) -> str | None:
    last = session.scalars(_LANGUAGE, {"sitting": sitting_id}).first()
    return None if last is None else str(last["language"])


def read_own_snapshot(
    db: Database, session: Session, sitting_id: str, candidate: CandidateSession
) -> Snapshot:
    """Load a sitting for its candidate; NotFound for anybody else."""
    snapshot = read_snapshot(db, session, sitting_id)
    if snapshot.sitting.candidate_id != candidate.candidate_id:
        raise NotFound
    return snapshot


@dataclass(frozen=True)
class Around:
    """What a step reads besides its sitting's log; its trace holds it, and no estimate uses it.

    Parameters
    ----------
    held
        Rows that may not be chosen.
    excluded
        Rows that the candidate met in other sittings.
    usage
        What the counters of the exam say; None where its rules do not ask.
    """

    held: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    usage: Readings | None = None


NOTHING_AROUND = Around()


def rows_to_try_out(exam: LoadedExam, release: ReleaseItems) -> frozenset[int]:
    """Return the rows that an exam gives without scoring them; none where it tries out nothing."""
    if not exam.plan.design.pretest.count:
        return frozenset()
    return frozenset(row for row, status in enumerate(release.statuses) if status != OPERATIONAL)


def rows_held(snapshot: Snapshot) -> frozenset[int]:
    """Return the rows of items that are held."""
    codes = enumerate(snapshot.release.items.item)
    return frozenset(row for row, code in codes if code in snapshot.holds.codes)


def rows_out_of_play(snapshot: Snapshot) -> frozenset[int]:
    """Return the rows that may not be chosen: held, withdrawn, or without a part in the exam."""
    tried = rows_to_try_out(snapshot.exam, snapshot.release)
    statuses = enumerate(snapshot.release.statuses)
    idle = {row for row, status in statuses if status != OPERATIONAL} - tried
    return rows_held(snapshot) | snapshot.withdrawn | idle


def engine_state(
    snapshot: Snapshot, around: Around = NOTHING_AROUND, *, responses: int | None = None
) -> SittingState:
    """Return what the engine knew after the first ``responses`` responses (all by default)."""
    taken = [r for r in snapshot.responses[:responses] if not r.late]
    counted = [r for r in taken if r.score is not None]
    rows = {presented.position: presented.row for presented in snapshot.presented}
    last = snapshot.presented[len(taken) - 1].trace if taken else {}
    return SittingState(
        seed=snapshot.sitting.seed,
        administered=tuple(rows[response.position] for response in counted),
        scores=tuple(response.score for response in counted if response.score is not None),
        held=around.held,
        pretest=rows_to_try_out(snapshot.exam, snapshot.release),
        excluded=around.excluded,
        prior_mean=snapshot.prior_mean,
        usage=around.usage,
        rejected=frozenset(
            row
            for presented in snapshot.presented[: len(taken)]
            for row in presented.trace.get("rejected", ())
        ),
        form=carried(last)["form"],
        stage=carried(last)["stage"],
    )


# Rows come as plain ones: mapped objects took three times as long to read.
_OF_SITTING: BindParameter[str] = bindparam("sitting")
_SITTING = select(Sitting.__table__).where(Sitting.id == _OF_SITTING)
_LOCKED_SITTING = _SITTING.with_for_update()
_PRESENTED = (
    select(PresentedItem.__table__)
    .where(PresentedItem.sitting_id == _OF_SITTING)
    .order_by(PresentedItem.position)
)
_RESPONSES = (
    select(Response.__table__).where(Response.sitting_id == _OF_SITTING).order_by(Response.position)
)
_LANGUAGE = (
    select(SittingEvent.payload)
    .where(SittingEvent.sitting_id == _OF_SITTING, SittingEvent.kind == LANGUAGE)
    .order_by(SittingEvent.number.desc())
    .limit(1)
)


def _presented(session: Session, sitting_id: str) -> Sequence[PresentedItem]:
    rows = session.connection().execute(_PRESENTED, {"sitting": sitting_id})
    return cast("Sequence[PresentedItem]", rows.all())


def _responses(session: Session, sitting_id: str) -> Sequence[Response]:
    rows = session.connection().execute(_RESPONSES, {"sitting": sitting_id})
    return cast("Sequence[Response]", rows.all())
