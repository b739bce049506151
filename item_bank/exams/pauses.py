"""How a sitting's clock stands still: pauses, breaks, and the deadline, which alone counts.

The caller holds the write transaction and the sitting's lock. A pause by an invigilator puts its
whole length on the deadline when it ends; a break puts the length that is allowed there at once
and takes off what is left of it at its end, so that a break that overruns costs time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.store.audit import append_sitting_event
from item_bank.store.tables.sittings import Sitting, SittingEvent

BREAK, INVIGILATOR = "break", "invigilator"

Span = tuple[int, int]
"""From and to, in microseconds of the site clock."""


def is_overdue(sitting: Sitting, now: int, grace: int = 0) -> bool:
    """Whether the deadline has passed; never while an invigilator holds the sitting up."""
    deadline = sitting.deadline_at
    if deadline is None or sitting.pause == INVIGILATOR:
        return False
    return now > deadline + grace


def break_until(sitting: Sitting) -> int | None:
    """When a break that is on begins to cost time; None where none is."""
    if sitting.pause != BREAK or sitting.paused_at is None:
        return None
    return sitting.paused_at + (sitting.pause_granted or 0)


def begin_pause(
    session: Session,
    sitting: Sitting,
    kind: str,
    now: int,
    *,
    by: str | None = None,
    allowed: int | None = None,
    note: dict[str, Any] | None = None,
) -> None:
    """Hold a sitting up.

    Parameters
    ----------
    by
        Who did it; None for the candidate.
    allowed
        Microseconds of a break that cost no time.
    note
        What the chain says of a reason that was given.
    """
    sitting.paused_at, sitting.pause, sitting.pause_granted = now, kind, allowed
    sitting.breaks_taken += kind == BREAK
    move_deadline(sitting, allowed or 0)
    payload: dict[str, Any] = {
        "kind": kind,
        "by": by,
        "granted": allowed,
        "deadline_at": sitting.deadline_at,
    }
    if note:
        payload["reason"] = note
    append_sitting_event(session, sitting, records.PAUSED, payload, now)


def end_pause(session: Session, sitting: Sitting, now: int, *, by: str | None = None) -> None:
    """Let a sitting that is held up go on, and settle what that means for its deadline."""
    assert sitting.paused_at is not None, "the caller has looked"
    spent = now - sitting.paused_at
    moved = spent if sitting.pause == INVIGILATOR else min(spent - (sitting.pause_granted or 0), 0)
    move_deadline(sitting, moved)
    payload = {
        "kind": sitting.pause,
        "by": by,
        "given_back": moved,
        "deadline_at": sitting.deadline_at,
    }
    append_sitting_event(session, sitting, records.RESUMED, payload, now)
    clear_pause(sitting)


def clear_pause(sitting: Sitting) -> None:
    """Forget that a sitting is held up, as its log remembers."""
    sitting.paused_at = sitting.pause = sitting.pause_granted = None


def move_deadline(sitting: Sitting, microseconds: int) -> None:
    """Move the deadline, where there is one."""
    if sitting.deadline_at is not None:
        sitting.deadline_at += microseconds


# --- what was no working time ------------------------------------------------------------------

STILL = (records.PAUSED, records.RESUMED, records.OUTAGE_CREDITED)


def still_spans(session: Session, sittings: Sequence[str] | Select[Any]) -> dict[str, list[Span]]:
    """Return by sitting when its clock stood still, as its log says; one still open has no end."""
    links = session.scalars(
        select(SittingEvent)
        .where(SittingEvent.sitting_id.in_(sittings), SittingEvent.kind.in_(STILL))
        .order_by(SittingEvent.sitting_id, SittingEvent.number)
    )
    return spans_of(links)


FOREVER = 2**62


def spans_of(links: Iterable[SittingEvent]) -> dict[str, list[Span]]:
    """As `still_spans`, from the links themselves, in order."""
    found: dict[str, list[Span]] = {}
    for link in links:
        spans = found.setdefault(link.sitting_id, [])
        if link.kind == records.PAUSED:
            spans.append((link.at, FOREVER))
        elif link.kind == records.RESUMED:
            spans[-1] = (spans[-1][0], link.at)
        else:
            spans.insert(0, (link.payload["from"], link.payload["to"]))
    return found


def worked(begin: int, end: int, still: Iterable[Span]) -> int:
    """Microseconds between two times in which the clock did not stand still."""
    total, reached = end - begin, begin
    for start, stop in sorted(still):
        start, stop = max(start, reached), min(stop, end)  # noqa: PLW2901 - cut to what is left
        if stop > start:
            total, reached = total - (stop - start), stop
    return total
