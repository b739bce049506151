"""The list of sittings: search, filters and order stand in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams.designs import list_exams
from item_bank.exams.outcomes import STATES
from item_bank.results.flags.records import KINDS
from item_bank.results.sitting_lists import ANY_FLAG, ORDERS, Wanted, choices, list_sittings
from item_bank.store.clock import SECOND
from web.access import current_staff, for_staff
from web.examiner.flag_words import MEANINGS
from web.examiner.views import examiner
from web.htmx import wants_fragment
from web.site import database

STATUSES = ("running", "finished", "invalidated")
MAX_TEXT = 100
STATE_WORDS: Mapping[str, str] = {
    "awaiting": "awaiting release",
    "held": "held",
    "released": "released",
    "invalidated": "invalidated",
}


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to and how it is ordered; stands in the address.

    ``sort`` is a column, with a minus before it for the largest first.
    """

    q: str = ""
    exam: str = ""
    status: str = ""
    state: str = ""
    flag: str = ""
    language: str = ""
    country: str = ""
    since: str = ""
    until: str = ""
    sort: str = "-started"
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return any(value for name, value in asdict(self).items() if name not in {"sort", "page"})

    @property
    def column(self) -> str:
        """The column that the list is ordered by."""
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        """Whether the largest stands first."""
        return self.sort.startswith("-")

    def address(self, page: int = 1) -> str:
        """Return the address of another page of the same list."""
        usual = asdict(Filters())
        given = asdict(self) | {"page": page}
        named = {name: value for name, value in given.items() if value != usual[name]}
        return url_for("examiner.sittings", **named)

    def sorted_by(self, column: str) -> str:
        """Return the address of the list ordered by a column; once more turns it round."""
        first = column if column in {"name", "exam", "state"} else f"-{column}"
        turned = f"-{column}" if self.sort == column else column
        return replace(self, sort=turned if self.column == column else first).address()

    @property
    def wanted(self) -> Wanted:
        """The same as the data side reads it."""
        since, until = _day(self.since), _day(self.until)
        return Wanted(
            text=self.q,
            exam=self.exam,
            status=self.status,
            state=self.state,
            flag=self.flag,
            language=self.language,
            country=self.country,
            since=None if since is None else _microseconds(since),
            until=None if until is None else _microseconds(until + timedelta(days=1)),
            order=self.column,
            descending=self.descending,
        )


@examiner.get("/sittings")
@for_staff("examiner", "administrator")
def sittings() -> ResponseReturnValue:
    """List sittings."""
    filters, organisation = _filters(), current_staff().organisation_id
    found = list_sittings(
        database(), filters.wanted, organisation_id=organisation, page=filters.page
    )
    known = choices(database(), organisation_id=organisation)
    return render_template(
        "examiner/_sittings.html" if wants_fragment() else "examiner/sittings.html",
        found=found,
        filters=filters,
        exams=list_exams(database(), organisation_id=organisation),
        choices=known,
        country_pairs=[(code, code) for code in known.countries],
        statuses=[(status, status) for status in STATUSES],
        states=STATE_WORDS,
        flag_titles={ANY_FLAG: "Any flag"} | {kind: MEANINGS[kind].title for kind in KINDS},
    )


def _filters() -> Filters:
    page = request.args.get("page", "1")
    return Filters(
        q=_field("q").strip(),
        exam=_field("exam"),
        status=_choice_field("status", STATUSES),
        state=_choice_field("state", STATES),
        flag=_choice_field("flag", (ANY_FLAG, *KINDS)),
        language=_field("language"),
        country=_field("country"),
        since=_day_field("since"),
        until=_day_field("until"),
        sort=_choice_field("sort", [*ORDERS, *(f"-{name}" for name in ORDERS)]) or "-started",
        page=int(page) if page.isdecimal() and len(page) < 7 else 1,
    )


def _field(name: str) -> str:
    return request.args.get(name, "")[:MAX_TEXT]


def _choice_field(name: str, known: tuple[str, ...] | list[str]) -> str:
    value = request.args.get(name, "")
    return value if value in known else ""


def _day_field(name: str) -> str:
    """Return a day as it was written, where it is one."""
    day = _day(_field(name))
    return "" if day is None else day.isoformat()


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 9000 else None


def _microseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND
