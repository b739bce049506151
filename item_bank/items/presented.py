"""What a page shows of an item: safe HTML and places of media, in one language. Pure.

Made by `presentation`. Keys and parameters are not here, so that they cannot reach a page. Ids are
those of the author: a page shows others in their place (`with_names`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Option:
    """Something to choose, to order, or to match: its id and safe HTML within a line."""

    id: str
    html: str


@dataclass(frozen=True)
class Gap:
    """A gap of a stem, and what may fill it."""

    id: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Area:
    """An area of a picture that may be chosen.

    Parameters
    ----------
    html
        Its label, safe HTML.
    shape, coords
        ``rect`` (left, top, right, bottom), ``circle`` (x, y, radius) or ``poly`` (corners), in the
        picture's units.
    """

    id: str
    html: str
    shape: str
    coords: tuple[float, ...]


@dataclass(frozen=True)
class Picture:
    """A picture with areas: its address, what it shows in words, and its size in its own units."""

    address: str
    alt: str
    width: float
    height: float


@dataclass(frozen=True)
class Sound:
    """Something to hear: its address and media type, and safe HTML of what is said."""

    address: str
    media_type: str
    transcript_html: str


@dataclass(frozen=True)
class PresentedStimulus:
    """What several items ask about; ``code`` tells whether it is the same as before."""

    code: str
    title_html: str
    html: str
    sound: Sound | None = None


@dataclass(frozen=True)
class Presented:
    """An item as a page shows it.

    Parameters
    ----------
    stem_html
        The question, safe HTML; of an inline choice with its gaps as ``[[gap1]]``.
    parts
        The stem of an inline choice in pieces: safe HTML and gaps, which stand one after the other.
    options
        Choices of single choice, multiple response, order and rating scale, in the order shown.
    rows, columns
        Of a match; columns in the order shown.
    picture, areas
        Of a hotspot; areas in their author's order.
    label_html, unit_html
        What stands before a text field, and after a number field; "" for none.
    choose
        How many may be chosen in a multiple response; None for any number.
    max_length
        Of what is typed; 0 where nothing is.
    """

    type: str
    language: str
    stem_html: str
    parts: tuple[str | Gap, ...] = ()
    options: tuple[Option, ...] = ()
    rows: tuple[Option, ...] = ()
    columns: tuple[Option, ...] = ()
    picture: Picture | None = None
    areas: tuple[Area, ...] = ()
    label_html: str = ""
    unit_html: str = ""
    choose: int | None = None
    max_length: int = 0
    stimulus: PresentedStimulus | None = None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The gaps of an inline choice."""
        return tuple(part for part in self.parts if isinstance(part, Gap))


Renaming = Callable[[str, str], str]
"""Kind (``choice``, ``row``, ``column``, ``area``, ``gap``, ``gap1`` for its fillings) and id."""


def with_names(shown: Presented, name: Renaming) -> Presented:
    """Put another name in the place of every id, such as an opaque token of one presentation."""

    def options(kind: str, given: tuple[Option, ...]) -> tuple[Option, ...]:
        return tuple(Option(name(kind, one.id), one.html) for one in given)

    return replace(
        shown,
        parts=tuple(
            Gap(name("gap", part.id), options(f"gap:{part.id}", part.options))
            if isinstance(part, Gap)
            else part
            for part in shown.parts
        ),
        options=options("choice", shown.options),
        rows=options("row", shown.rows),
        columns=options("column", shown.columns),
        areas=tuple(replace(one, id=name("area", one.id)) for one in shown.areas),
        stem_html="" if shown.parts else shown.stem_html,
    )
