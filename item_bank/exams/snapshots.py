"""Everything that one step of a sitting reads, loaded at once; and the engine's view of it.

The log is the truth: the engine's state is made from presented items and responses each time, and
theta is computed anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.rules.states import carried
from engine.session import SittingState
from item_bank.exams.designs import LoadedExam, load_version
from item_bank.exams.errors import NotFound
from item_bank.exams.signing_in import CandidateSession
from item_bank.items.items import held_codes
from item_bank.items.releases import OPERATIONAL, ReleaseItems, release_items
from item_bank.store.database import Database
from item_bank.store.tables.sittings import PresentedItem, Response, Sitting


@dataclass(frozen=True)
class Snapshot:
    """A sitting as it stands.

    Parameters
    ----------
    presented, responses
        In order of position; the last presented item is open when it has no response.
    holds
        Codes of the bank's items that are held now.
    now
        The site's time when this was read.
    """

    sitting: Sitting
    exam: LoadedExam
    release: ReleaseItems
    presented: tuple[PresentedItem, ...]
    responses: tuple[Response, ...]
    holds: frozenset[str]
    now: int

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
        """Whether the deadline has passed."""
        deadline = self.sitting.deadline_at
        return deadline is not None and self.now > deadline

    @property
    def answered(self) -> int:
        """How many responses count."""
        return sum(response.score is not None for response in self.responses)

    def at(self, now: int) -> Snapshot:
        """Return the same facts at another time."""
        return replace(self, now=now)

    def with_presented(self, row: PresentedItem) -> Snapshot:
        """Return the facts after an item was presented."""
        return replace(self, presented=(*self.presented, row))

    def with_response(self, row: Response) -> Snapshot:
        """Return the facts after a response."""
        return replace(self, responses=(*self.responses, row))


def read_snapshot(
    db: Database, session: Session, sitting_id: str, *, lock: bool = False
) -> Snapshot:
    """Load a sitting; ``lock`` keeps other writers of this sitting out (PostgreSQL).

    Raises
    ------
    NotFound
        When there is no such sitting.
    """
    sitting = session.get(Sitting, sitting_id, with_for_update=lock or None)
    if sitting is None:
        raise NotFound
    exam = load_version(db, sitting.exam_version_id)
    return Snapshot(
        sitting=sitting,
        exam=exam,
        release=release_items(db, exam.release_id, sitting.language),
        presented=tuple(_presented(session, sitting_id)),
        responses=tuple(_responses(session, sitting_id)),
        holds=held_codes(session, exam.bank_id),
        now=db.now(session),
    )


def read_own_snapshot(
    db: Database, session: Session, sitting_id: str, candidate: CandidateSession
) -> Snapshot:
    """Load a sitting for its candidate; NotFound for anybody else."""
    snapshot = read_snapshot(db, session, sitting_id)
    if snapshot.sitting.candidate_id != candidate.candidate_id:
        raise NotFound
    return snapshot


def rows_out_of_play(release: ReleaseItems, held: Collection[str]) -> frozenset[int]:
    """Return the rows that may not be chosen: held items, and items that do not count yet."""
    return frozenset(
        row
        for row, (code, status) in enumerate(zip(release.items.item, release.statuses, strict=True))
        if status != OPERATIONAL or code in held
    )


def rules_state(snapshot: Snapshot) -> SittingState:
    """Return what the engine decides upon now, under the holds of now."""
    return engine_state(snapshot, rows_out_of_play(snapshot.release, snapshot.holds))


def engine_state(
    snapshot: Snapshot, held: frozenset[int] = frozenset(), *, responses: int | None = None
) -> SittingState:
    """Return what the engine knew after the first ``responses`` responses (all by default).

    Parameters
    ----------
    held
        Rows that could not be chosen at that step; they do not touch an estimate.
    """
    counted = [r for r in snapshot.responses[:responses] if r.score is not None]
    rows = {presented.position: presented.row for presented in snapshot.presented}
    last = snapshot.presented[len(counted) - 1].trace if counted else {}
    return SittingState(
        seed=snapshot.sitting.seed,
        administered=tuple(rows[response.position] for response in counted),
        scores=tuple(response.score for response in counted if response.score is not None),
        held=held,
        rejected=frozenset(
            row
            for presented in snapshot.presented[: len(counted)]
            for row in presented.trace.get("rejected", ())
        ),
        form=carried(last)["form"],
        stage=carried(last)["stage"],
    )


def _presented(session: Session, sitting_id: str) -> Sequence[PresentedItem]:
    return session.scalars(
        select(PresentedItem)
        .where(PresentedItem.sitting_id == sitting_id)
        .order_by(PresentedItem.position)
    ).all()


def _responses(session: Session, sitting_id: str) -> Sequence[Response]:
    return session.scalars(
        select(Response).where(Response.sitting_id == sitting_id).order_by(Response.position)
    ).all()
