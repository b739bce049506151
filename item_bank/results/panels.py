"""What an examiner's page says of deciding on a result: how it stands, what was done, by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.actors import Actor
from item_bank.exams.decided import KINDS, Act, Done
from item_bank.results.appeal_lists import AppealLine, appeals_of
from item_bank.results.deciding import found, standing_in
from item_bank.results.decisions import Refusal, Refused, Standing, refusals
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Decision
from item_bank.store.tables.people import StaffAccount
from item_bank.store.tables.sittings import SittingMessage


@dataclass(frozen=True)
class HistoryLine:
    """An act with who did it and why; "" where no reason was given, or it was erased."""

    done: Done
    who: str
    reason: str


@dataclass(frozen=True)
class Note:
    """A note on a result."""

    at: int
    who: str
    text: str


@dataclass(frozen=True)
class Panel:
    """Everything about deciding on the result of one sitting.

    Parameters
    ----------
    refusals
        Of each act, why whoever looks may not do it now; None where they may.
    """

    standing: Standing
    refusals: Mapping[Act, Refusal | None]
    history: tuple[HistoryLine, ...]
    notes: tuple[Note, ...]
    appeals: tuple[AppealLine, ...]
    now: int


def panel(db: Database, actor: Actor, sitting_id: str) -> Panel | None:
    """Read what is known of deciding on a result; None while the sitting runs.

    Raises
    ------
    NotFound
        When there is no such sitting, or it is another organisation's.
    """
    with db.read() as session:
        try:
            _, outcome = found(session, actor, sitting_id, lock=False)
        except Refused:
            return None
        stands = standing_in(session, db, outcome)
        texts = session.scalars(
            select(SittingMessage)
            .where(SittingMessage.sitting_id == sitting_id)
            .order_by(SittingMessage.at, SittingMessage.id)
        ).all()
        names = _names(session, stands.done, texts)
        return Panel(
            stands,
            refusals(stands, actor),
            tuple(_history(session, stands, texts, names)),
            tuple(_note(one, names) for one in texts if one.kind == records.RESULT_NOTE),
            appeals_of(session, sitting_id),
            db.now(session),
        )


def _names(
    session: Session, done: Sequence[Done], texts: Sequence[SittingMessage]
) -> dict[str, str]:
    ids = {one.account for one in done} | {one.from_account for one in texts}
    known = [one for one in ids if one]
    accounts = select(StaffAccount.id, StaffAccount.name).where(StaffAccount.id.in_(known))
    return dict(session.execute(accounts).all())


def _history(
    session: Session, stands: Standing, texts: Sequence[SittingMessage], names: Mapping[str, str]
) -> list[HistoryLine]:
    """Put acts and their reasons together: by kind and by the commitment that the act's row has."""
    committed = dict(
        session.execute(
            select(Decision.id, Decision.commitment).where(Decision.sitting_id == stands.sitting_id)
        ).all()
    )
    kinds = set(KINDS.values())
    reasons = {
        records.commitment(one.salt, one.text): one.text for one in texts if one.kind in kinds
    }
    return [
        HistoryLine(one, names.get(one.account or "", one.by), reasons.get(committed[one.id], ""))
        for one in stands.done
    ]


def _note(row: SittingMessage, names: Mapping[str, str]) -> Note:
    return Note(row.at, names.get(row.from_account or "", "command line"), row.text)
