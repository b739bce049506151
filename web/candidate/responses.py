"""From a question's form to a response value. Pure.

A page shows an item under opaque names (`with_names`), so that the fields of its form, and the
value that is read here, carry those names. What the page could not have sent is a
`ForeignResponse`: it is refused and logged, never scored. What a candidate should look at again is
a `Flaw`.

Fields: ``choice`` (one or several), ``at.<place>`` for a gap, a row or the place of a line, and
``text`` for what is typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from item_bank.exams.errors import ForeignResponse
from item_bank.items.presented import Option, Presented
from item_bank.items.types.numeric_entry import numbers
from web.questions import plain_text

AS_SHOWN, WITHOUT, ANYWAY = "as_shown", "without", "anyway"
PLACE = "at."


class Fields(Protocol):
    """What a form sent, such as a werkzeug ``MultiDict``."""

    def getlist(self, key: str) -> list[str]:
        """Return every value of a field."""
        ...

    def keys(self) -> Any:
        """Return the names of the fields."""
        ...


class Flaw(StrEnum):
    """What a candidate should look at before a response counts."""

    EMPTY = "empty"
    INCOMPLETE = "incomplete"
    TOO_MANY = "too many"
    SAME_PLACE = "same place"
    NOT_A_NUMBER = "not a number"

    @property
    def may_stand(self) -> bool:
        """Whether the response can be confirmed as it is."""
        return self in {Flaw.INCOMPLETE, Flaw.NOT_A_NUMBER}


@dataclass(frozen=True)
class Reading:
    """A response value, None where nothing was said, and what may be wrong with it."""

    value: Any
    flaw: Flaw | None = None


def response_from_form(shown: Presented, form: Fields) -> Any:
    """Return a response value in the names of the page, or None.

    Raises
    ------
    ForeignResponse
        When the form names what the page does not show, or has another shape.
    """
    return read_form(shown, form).value


def read_form(shown: Presented, form: Fields) -> Reading:
    """Return a response value and what a candidate should look at again.

    Raises
    ------
    ForeignResponse
        When the form names what the page does not show, or has another shape.
    """
    return _READERS[shown.type](shown, form)


# --- one thing, several things, typed things ---------------------------------------------------


def _names(options: Sequence[Option]) -> tuple[str, ...]:
    return tuple(option.id for option in options)


def _chosen(form: Fields, known: Sequence[str]) -> list[str]:
    chosen = [name for name in form.getlist("choice") if name]
    if len(set(chosen)) != len(chosen) or not set(chosen) <= set(known):
        raise ForeignResponse("choice")
    return chosen


def _one(shown: Presented, form: Fields) -> Reading:
    chosen = _chosen(form, _names(shown.options))
    if len(chosen) > 1:
        raise ForeignResponse("several choices")
    return Reading(chosen[0]) if chosen else Reading(None, Flaw.EMPTY)


def _several(known: Sequence[str], choose: int | None, form: Fields) -> Reading:
    chosen = _chosen(form, known)
    if not chosen:
        return Reading(None, Flaw.EMPTY)
    if choose is not None and len(chosen) != choose:
        return Reading(chosen, Flaw.TOO_MANY if len(chosen) > choose else Flaw.INCOMPLETE)
    return Reading(chosen)


def _multiple(shown: Presented, form: Fields) -> Reading:
    return _several(_names(shown.options), shown.choose, form)


def _hotspot(shown: Presented, form: Fields) -> Reading:
    return _several(tuple(area.id for area in shown.areas), shown.choose, form)


def _typed(shown: Presented, form: Fields) -> Reading:
    sent = form.getlist("text")
    if len(sent) > 1 or any(len(text) > shown.max_length for text in sent):
        raise ForeignResponse("text")
    text = "".join(sent)
    if any(sign < " " and sign != "\t" for sign in text):
        raise ForeignResponse("text")
    return Reading(text) if text.strip() else Reading(None, Flaw.EMPTY)


def _number(shown: Presented, form: Fields) -> Reading:
    read = _typed(shown, form)
    if read.value is None or numbers(read.value, [plain_text(shown.unit_html)]):
        return read
    return Reading(read.value, Flaw.NOT_A_NUMBER)


# --- places ------------------------------------------------------------------------------------


def _places(form: Fields, known: Sequence[str]) -> dict[str, str]:
    """What each place was given, in the order of the page; places without anything are left out."""
    sent = {name.removeprefix(PLACE) for name in form.keys() if name.startswith(PLACE)}  # noqa: SIM118 - a form is no mapping
    if not sent <= set(known):
        raise ForeignResponse("a place")
    given = {place: form.getlist(PLACE + place) for place in known}
    if any(len(values) > 1 for values in given.values()):
        raise ForeignResponse("a place twice")
    return {place: values[0] for place, values in given.items() if values and values[0]}


def _pairs(form: Fields, known: Mapping[str, Sequence[str]]) -> Reading:
    given = _places(form, tuple(known))
    if any(name not in known[place] for place, name in given.items()):
        raise ForeignResponse("a choice")
    if not given:
        return Reading(None, Flaw.EMPTY)
    return Reading(given, None if len(given) == len(known) else Flaw.INCOMPLETE)


def _inline(shown: Presented, form: Fields) -> Reading:
    return _pairs(form, {gap.id: _names(gap.options) for gap in shown.gaps})


def _match(shown: Presented, form: Fields) -> Reading:
    return _pairs(form, dict.fromkeys(_names(shown.rows), _names(shown.columns)))


def _order(shown: Presented, form: Fields) -> Reading:
    """Read lines by the places given to them; an order is whole, or there is none."""
    lines = _names(shown.options)
    if form.getlist(AS_SHOWN):
        return Reading(list(lines))
    given = _places(form, lines)
    allowed = {str(n) for n in range(1, len(lines) + 1)}
    if not set(given.values()) <= allowed:
        raise ForeignResponse("a place")
    if not given:
        return Reading(None, Flaw.EMPTY)
    if len(given) < len(lines) or len(set(given.values())) < len(lines):
        return Reading(None, Flaw.SAME_PLACE)
    return Reading(sorted(given, key=lambda line: int(given[line])))


_READERS: dict[str, Callable[[Presented, Fields], Reading]] = {
    "single_choice": _one,
    "rating_scale": _one,
    "multiple_response": _multiple,
    "hotspot": _hotspot,
    "text_entry": _typed,
    "numeric_entry": _number,
    "inline_choice": _inline,
    "match": _match,
    "order": _order,
}
