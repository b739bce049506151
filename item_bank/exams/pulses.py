"""The site's pulse: while it beats, candidates are served; where it stopped, they get the time.

Each process that serves candidates calls `beat_site` every two seconds, and once before its first
request. A gap in the pulse is an outage of the whole site: every sitting that ran gets all of it,
whether or not its candidate was at the page.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.pauses import BREAK, INVIGILATOR, Span, move_deadline, worked
from item_bank.store.audit import append_site_event, append_sitting_event
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.site import Site
from item_bank.store.tables.sittings import Sitting, SittingEvent

EVERY = 2 * SECOND
OUTAGE = 8 * SECOND  # a longer gap is an outage; a shorter one is a busy site
YOUNG = SECOND  # a pulse this young need not be written again


@dataclass(frozen=True)
class Beat:
    """What a beat found: how long nobody was served, and how many sittings got that time."""

    gap: int
    credited: int


NOTHING = Beat(0, 0)


def beat_site(db: Database) -> Beat:
    """Say that candidates are being served, and credit the outage that this ends, if it does."""
    with db.read() as session:
        if _is_younger(db, session, YOUNG):
            return NOTHING
    with db.write() as session:
        site = session.get_one(Site, 1, with_for_update=True)
        last, now = site.pulse_at, db.now(session)
        site.pulse_at = max(now, last or 0)
        if last is None or now - last <= OUTAGE:
            return NOTHING
        return Beat(now - last, _credit(session, last, now))


def is_served(db: Database, session: Session) -> bool:
    """Say whether candidates are being served now, as far as the pulse tells."""
    return _is_younger(db, session, OUTAGE)


def _is_younger(db: Database, session: Session, age: int) -> bool:
    last = session.scalar(select(Site.pulse_at).where(Site.id == 1))
    return last is not None and db.now(session) - last <= age


def _credit(session: Session, last: int, now: int) -> int:
    """Give every sitting that ran the time in which nobody was served."""
    running = session.scalars(
        select(Sitting)
        .where(Sitting.status == "running", Sitting.deadline_at >= last)
        .order_by(Sitting.id)
        .with_for_update()
    ).all()
    pauses = _pauses_since(session, last)
    credited = [_credit_one(session, one, last, now, pauses.get(one.id, [])) for one in running]
    if any(credited):
        payload = {"from": last, "to": now, "sittings": sum(credited)}
        append_site_event(session, records.OUTAGE_CREDITED, payload, now)
    return sum(credited)


def _credit_one(
    session: Session, sitting: Sitting, last: int, now: int, pauses: list[Span]
) -> bool:
    """Move the deadline by what the outage took and no pause has given back already."""
    if sitting.pause == INVIGILATOR and sitting.paused_at is not None:
        pauses = [*pauses, (sitting.paused_at, now)]
    begin = max(last, sitting.started_at)
    lost = worked(begin, now, pauses)
    if lost <= 0:
        return False
    move_deadline(sitting, lost)
    if sitting.pause == BREAK:
        sitting.pause_granted = (sitting.pause_granted or 0) + lost
    payload = {"from": begin, "to": now, "credited": lost, "deadline_at": sitting.deadline_at}
    append_sitting_event(session, sitting, records.OUTAGE_CREDITED, payload, now)
    return True


def _pauses_since(session: Session, last: int) -> dict[str, list[Span]]:
    """Pauses by invigilators that ended in an outage: commands work while no page does."""
    ended = session.scalars(
        select(SittingEvent).where(SittingEvent.kind == records.RESUMED, SittingEvent.at >= last)
    )
    found: dict[str, list[Span]] = {}
    for link in ended:
        if link.payload["kind"] == INVIGILATOR:
            span = (link.at - link.payload["given_back"], link.at)
            found.setdefault(link.sitting_id, []).append(span)
    return found
