"""What tests ask of sittings that are held up, moved and watched."""

from __future__ import annotations

from sqlalchemy import select
from support.sittings import EXAM

from item_bank.exams.candidate_views import view
from item_bank.exams.replay import replay
from item_bank.exams.reviews import report
from item_bank.exams.verification import verify
from item_bank.store.clock import SECOND
from item_bank.store.tables.records import SiteEvent

MINUTES = 60
BREAKS = EXAM + "[breaks]\ncount = 2\nminutes = 5\n"


def kinds(hall, sitting_id):
    found = report(hall.db, organisation_id=hall.alice.organisation_id, sitting_id=sitting_id)
    return [event["kind"] for event in found.events]


def site_kinds(hall):
    with hall.db.read() as session:
        return list(session.scalars(select(SiteEvent.kind).order_by(SiteEvent.number)))


def left(hall, sitting_id, candidate=None):
    """Seconds until the deadline."""
    seen = view(hall.db, candidate or hall.alice, sitting_id)
    return (seen.deadline_at - seen.now) / SECOND


def check_records(hall, sitting_id):
    assert replay(hall.db, sitting_id).problems == ()
    assert verify(hall.db).problems == ()
