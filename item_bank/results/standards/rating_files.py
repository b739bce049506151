"""Panels and ratings as CSV: read line by line with the first fault named, and written.

`panellist,item,rating` (Angoff; percent of the item's points), `panellist,bookmark`, and a panel as
`panellist,name` with `account` (an e-mail) and `table` where wanted.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence

from engine.errors import InputError
from item_bank.results.standards.acts import NewMember
from item_bank.results.standards.ratings import MARK, Rating, Standing, check_rating
from item_bank.results.standards.records import StudyFacts

RATINGS = ("panellist", "item", "rating")
MARKS = ("panellist", "bookmark")
PANEL = ("panellist", "name")
PANEL_OPTIONAL = ("account", "table")

Row = tuple[int, Mapping[str, str]]


def is_panel(text: str) -> bool:
    """Say whether a file is of panellists, and not of their ratings."""
    header = text.removeprefix("\ufeff").partition("\n")[0]
    return "name" in [name.strip() for name in header.split(_delimiter(header))]


def read_panel(text: str, *, file: str) -> list[NewMember]:
    """Read a panel; the first thing that is wrong is refused by line and column."""
    found = [
        NewMember(row["panellist"], row["name"], row.get("account", ""), row.get("table", ""))
        for _, row in _rows(text, PANEL, PANEL_OPTIONAL, file)
    ]
    if not found:
        raise InputError("at least one panellist", "none", file=file, line=2)
    return found


def read_ratings(text: str, facts: StudyFacts, *, file: str) -> list[Rating]:
    """Read ratings or bookmarks of a study; the first fault is refused by line and column."""
    columns = MARKS if facts.is_bookmark else RATINGS
    found: list[Rating] = []
    seen: set[tuple[str, str]] = set()
    for line, row in _rows(text, columns, (), file):
        rating = _rating(facts, row, line, file)
        if (rating.panellist, rating.item) in seen:
            what = f"{rating.panellist} {rating.item}".strip()
            raise InputError("each rating once", f"{what} twice", file=file, line=line)
        seen.add((rating.panellist, rating.item))
        found.append(rating)
    if not found:
        raise InputError("at least one rating", "none", file=file, line=2)
    return found


def _rating(facts: StudyFacts, row: Mapping[str, str], line: int, file: str) -> Rating:
    column = "bookmark" if facts.is_bookmark else "rating"
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError("a number", repr(row[column]), file=file, line=line, column=column)
    rating = Rating(row["panellist"], row.get("item", MARK), value)
    try:
        check_rating(facts, rating)
    except InputError as error:
        raise InputError(
            error.expected, error.found, file=file, line=line, column=error.column
        ) from None
    return rating


def _rows(text: str, required: Sequence[str], optional: Sequence[str], file: str) -> Iterator[Row]:
    plain = text.removeprefix("\ufeff")
    reader = csv.DictReader(
        io.StringIO(plain), delimiter=_delimiter(plain.partition("\n")[0]), strict=True
    )
    header = [name.strip() for name in reader.fieldnames or ()]
    _check_header(header, required, optional, file)
    reader.fieldnames = header
    try:
        for record in reader:
            yield reader.line_num, _fields(record, reader.line_num, file)
    except csv.Error as error:
        raise InputError("a CSV row", str(error), file=file, line=reader.line_num) from None


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _check_header(
    header: Sequence[str], required: Sequence[str], optional: Sequence[str], file: str
) -> None:
    for name in required:
        if name not in header:
            found = ", ".join(header) or "an empty file"
            raise InputError(f"a column named {name}", found, file=file, line=1)
    for name in header:
        if name not in {*required, *optional}:
            known = ", ".join((*required, *optional))
            raise InputError(f"one of {known}", repr(name), file=file, line=1, column=name)


def _fields(record: Mapping[str | None, str | None], line: int, file: str) -> dict[str, str]:
    if None in record or None in record.values():
        raise InputError("as many fields as the header has", "another number", file=file, line=line)
    return {str(name): str(value).strip() for name, value in record.items()}


def ratings_csv(facts: StudyFacts, standing: Standing) -> str:
    """Write the ratings that stand, in the columns in which they are read."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(MARKS if facts.is_bookmark else RATINGS)
    for member in facts.panel:
        given = standing.get(member.code, {})
        if facts.is_bookmark:
            writer.writerows([(_plain(member.code), int(given[MARK]))] if MARK in given else [])
        else:
            writer.writerows(
                (_plain(member.code), _plain(item), f"{given[item]:g}")
                for item in facts.items.item
                if item in given
            )
    return buffer.getvalue()


def _plain(text: str) -> str:
    """Put a quote before a text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
