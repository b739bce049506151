"""Long work in words: its states, the time that is left, sizes of files; the number in the nav."""

from __future__ import annotations

from flask import Flask

from item_bank.store import asked_work
from web.access import current_staff
from web.site import database

STATES = {
    "waiting": "waits for its turn",
    "running": "running",
    "stopping": "stopping",
    "again": "waits to be tried again",
    "done": "done",
    "failed": "failed",
    "cancelled": "stopped",
}
MINUTE = 60.0


def init_work(app: Flask) -> None:
    """Give the navigation of staff the number of one's own work that is under way."""
    app.add_template_global(work_under_way, "work_under_way")


def work_under_way() -> int:
    """Return how much of the signed-in person's work waits or runs."""
    staff = current_staff()
    with database().read() as session:
        return asked_work.under_way(session, staff.organisation_id, staff.id)


def time_left(seconds: float | None) -> str:
    """Write about how long something will take; nothing where that is not known."""
    if seconds is None:
        return ""
    if seconds < MINUTE:
        return "less than a minute left"
    minutes = round(seconds / MINUTE)
    return f"about {minutes} minute{'' if minutes == 1 else 's'} left"


def size(n: int) -> str:
    """Write the size of a file."""
    if n < 1000:
        return f"{n} bytes"
    return f"{n / 1e3:.0f} kB" if n < 1e6 else f"{n / 1e6:.1f} MB"
