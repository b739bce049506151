"""What an address asks of a cohort: filters, and how a table is sorted, searched and paged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from flask import request, url_for

from item_bank.exams.outcomes import STATES
from item_bank.results.cohorts.cohort import (
    ANY_STATE,
    FIRST,
    REAL,
    SIMULATED,
    UNKNOWN,
    Wanted,
)
from item_bank.store.clock import SECOND

FILTERS = ("since", "until", "language", "country", "centre", "version", "attempts", "sittings",
           "state")  # fmt: skip
TABLE = ("by", "q", "show", "sort", "page")
MAX_TEXT = 100
PER_PAGE = 50
Row = TypeVar("Row")


@dataclass(frozen=True)
class Asked:
    """An address as it was given, and what it asks for.

    Parameters
    ----------
    given
        Its filters, by name, without empty ones.
    problem
        What in it could not be read, in words; "" for nothing.
    """

    code: str
    given: dict[str, str]
    table: dict[str, str]
    wanted: Wanted
    problem: str = ""

    def address(self, endpoint: str | None = None, **changes: Any) -> str:
        """Return the address of a page of the cohort with the same filters, and changes.

        Another page takes the filters along, not how the table here is sorted.
        """
        here = {**self.given, **({} if endpoint else self.table), **changes}
        kept = {name: value for name, value in here.items() if value not in {None, ""}}
        return url_for(endpoint or str(request.endpoint), code=self.code, **kept)

    def export(self, kind: str) -> str:
        """Return the page that exports these sittings' results, as far as it knows the filters."""
        named: dict[str, Any] = {
            name: self.given.get(name) for name in ("since", "until", "language")
        }
        for name in ("country", "centre"):
            place = self.given.get(name)
            named[name] = None if place == UNKNOWN else place
        simulated = {REAL: "without", SIMULATED: "only"}.get(self.wanted.sittings, "with")
        state = self.wanted.state if self.wanted.state in STATES else None
        return url_for(
            "exports.choose", code=self.code, what="results", format=kind, simulated=simulated,
            state=state, **named,
        )  # fmt: skip

    def heading(self, column: str) -> tuple[str, str]:
        """Return the address that sorts by a column, and how it is sorted now ("" if it is not)."""
        now = self.table.get("sort", "")
        order = {column: "ascending", f"-{column}": "descending"}.get(now, "")
        return self.address(
            sort=column if order == "descending" else f"-{column}", page=None
        ), order


def asked(code: str) -> Asked:
    """Read the address of this request."""
    given, table = _texts(FILTERS), _texts(TABLE)
    try:
        since = _day(given.get("since"))
        until = _day(given.get("until"), days=1)
    except ValueError:
        words = "The dates could not be read and are left out. A date is written as 2026-09-30."
        rest = {name: text for name, text in given.items() if name not in {"since", "until"}}
        return Asked(code, rest, table, _wanted(rest, None, None), words)
    return Asked(code, given, table, _wanted(given, since, until))


def _texts(names: Sequence[str]) -> dict[str, str]:
    found = {name: request.args.get(name, "").strip()[:MAX_TEXT] for name in names}
    return {name: text for name, text in found.items() if text}


def _wanted(given: dict[str, str], since: int | None, until: int | None) -> Wanted:
    version = given.get("version", "")
    return Wanted(
        since=since,
        until=until,
        language=given.get("language", ""),
        country=given.get("country", ""),
        centre=given.get("centre", ""),
        version=int(version) if version.isdecimal() and len(version) < 7 else None,
        attempts=_one_of(given, "attempts", (FIRST,)),
        sittings=_one_of(given, "sittings", (REAL, SIMULATED)),
        state=_one_of(given, "state", (*STATES, ANY_STATE)),
    )


def _one_of(given: dict[str, str], name: str, known: Sequence[str]) -> str:
    return given[name] if given.get(name) in known else ""


def _day(text: str | None, *, days: int = 0) -> int | None:
    """Return when a day began, or the one after it; ValueError for what is no day."""
    if text is None:
        return None
    day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=days)
    return int(day.timestamp()) * SECOND


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a table."""

    rows: tuple[Row, ...]
    total: int
    page: int
    pages: int


def paged(asked: Asked, rows: Sequence[Row], keys: dict[str, Callable[[Row], Any]]) -> Page[Row]:
    """Sort rows as the address asks, where it names one of the keys, and cut a page out.

    What is None comes last, whichever way.
    """
    sort, found = asked.table.get("sort", ""), list(rows)
    key = keys.get(sort.removeprefix("-"))
    if key is not None:
        known = [row for row in found if key(row) is not None]
        unknown = [row for row in found if key(row) is None]
        found = [*sorted(known, key=key, reverse=sort.startswith("-")), *unknown]
    pages = max(1, -(-len(found) // PER_PAGE))
    text = asked.table.get("page", "1")
    page = min(int(text), pages) if text.isdecimal() and int(text[:7]) > 0 else 1
    start = (page - 1) * PER_PAGE
    return Page(tuple(found[start : start + PER_PAGE]), len(found), page, pages)
