"""What an invigilator looks at: all rooms, one exam's room, one sitting. Looking never writes."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams.room_states import STATES, ExamRoom, exam_rooms
from item_bank.exams.rooms import room_events, sitting_in_room, sittings_in_exam
from web.access import for_staff
from web.htmx import wants_fragment
from web.invigilator.blueprint import IN_CHARGE, actor, rooms
from web.invigilator.words import STATE_WORDS, USUAL
from web.site import database

MAX_TEXT = 100
ALL = "all"


@dataclass(frozen=True)
class Filters:
    """What a room is narrowed to; stands in the address."""

    code: str
    q: str = ""
    state: str = "running"
    page: int = 1

    def address(self, page: int) -> str:
        """Return the address of another page of the same list."""
        return self._to(self.state, page)

    def to_state(self, state: str) -> str:
        """Return the address of another state."""
        return self._to(state or ALL, 1)

    def _to(self, state: str, page: int) -> str:
        return url_for(
            "rooms.room",
            code=self.code,
            q=self.q or None,
            state=state if state != "running" else None,
            page=page if page > 1 else None,
        )

    @property
    def here(self) -> str:
        """Return the address of the list as it is."""
        return self.address(self.page)


@rooms.get("/rooms")
@for_staff(*IN_CHARGE)
def overview() -> ResponseReturnValue:
    """List the exams with how many sit them; htmx gets the list alone."""
    template = "_rooms.html" if wants_fragment() else "rooms.html"
    return render_template(f"invigilator/{template}", found=exam_rooms(database(), actor()))


@rooms.get("/rooms/<code>")
@for_staff(*IN_CHARGE)
def room(code: str) -> ResponseReturnValue:
    """Show who is where in an exam; htmx gets the list alone."""
    return render_room(code)


def render_room(code: str, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    """Show a room, with what was refused where something was."""
    own, filters = own_room(code), _filters(code)
    found = sittings_in_exam(
        database(),
        actor(),
        code,
        status=None if filters.state == ALL else filters.state,
        search=filters.q,
        page=filters.page,
    )
    page = render_template(
        f"invigilator/{'_room.html' if wants_fragment() else 'room.html'}",
        own=own,
        found=found,
        filters=filters,
        counts=_counts(own),
        by_form=request.headers.get("HX-Trigger") == "find",
        problem=problem,
        given=request.form,
    )
    return page, status


def own_room(code: str) -> ExamRoom:
    """Return an exam of one's own organisation."""
    found = (one for one in exam_rooms(database(), actor()) if one.code == code)
    return next(found, None) or abort(404)


def _counts(own: ExamRoom) -> list[tuple[str, str, int]]:
    counts = {
        "running": own.running,
        "unseen": own.unseen,
        "paused": own.paused,
        "break": own.on_break,
        "finished": own.finished,
        "": own.running + own.finished,
    }
    return [(state, STATE_WORDS[state], n) for state, n in counts.items()]


def _filters(code: str) -> Filters:
    page, state = request.args.get("page", "1"), request.args.get("state", "running")
    return Filters(
        code=code,
        q=request.args.get("q", "").strip()[:MAX_TEXT],
        state=state if state in (*STATES, ALL) else "running",
        page=int(page) if page.isascii() and page.isdecimal() and len(page) < 7 else 1,
    )


@rooms.get("/seats/<sitting_id>")
@for_staff(*IN_CHARGE)
def seat(sitting_id: str) -> ResponseReturnValue:
    """Show one sitting; htmx gets what changes by itself."""
    return render_seat(sitting_id)


def render_seat(
    sitting_id: str, problem: str | None = None, status: int = 200
) -> ResponseReturnValue:
    """Show a sitting, with what was refused where something was."""
    db, everything = database(), "all" in request.args
    row, events = sitting_in_room(db, actor(), sitting_id), room_events(db, actor(), sitting_id)
    page = render_template(
        f"invigilator/{'_seat.html' if wants_fragment() else 'seat.html'}",
        row=row,
        now=site_time(),
        events=[one for one in reversed(events) if everything or one.kind not in USUAL],
        everything=everything,
        problem=problem,
        given=request.form,
    )
    return page, status


def site_time() -> int:
    """Return the site's time."""
    db = database()
    with db.read() as session:
        return db.now(session)
