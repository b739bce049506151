"""What a candidate answered, in the words of the question as it was shown. Pure.

For staff who read a sitting; the ids of the response are those of the item's author. Called by
pages of sittings and by corrections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from typing import Any

from item_bank.items.presented import Gap, Presented


def answer_words(shown: Presented, response: Any) -> tuple[str, ...]:
    """Return an answer as short texts: one, one for each thing chosen, or one for each place.

    Nothing for a question that was left without an answer. An id that the question does not show
    stands for itself.
    """
    if response is None:
        return ()
    if isinstance(response, Mapping):
        return tuple(_places(shown, response))
    names = _names(shown)
    if isinstance(response, str):
        return (names.get(response, response),)
    return tuple(names.get(str(one), str(one)) for one in response)


def plain_text(html: str) -> str:
    """Return safe HTML as plain text; a picture is what it shows in words."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.pieces).split())


def _names(shown: Presented) -> dict[str, str]:
    """Texts of whatever may be chosen, ordered or pointed at, by id."""
    found = {one.id: plain_text(one.html) for one in (*shown.options, *shown.columns)}
    return found | {area.id: plain_text(area.html) for area in shown.areas}


def _places(shown: Presented, response: Mapping[str, Any]) -> Iterable[str]:
    """A line for each row of a match, or gap of a text."""
    names = _names(shown)
    for row in shown.rows:
        if row.id in response:
            said = str(response[row.id])
            yield f"{plain_text(row.html)}: {names.get(said, said)}"
    gaps: list[Gap] = [gap for gap in shown.gaps if gap.id in response]
    for number, gap in enumerate(gaps, start=1):
        own = {one.id: plain_text(one.html) for one in gap.options}
        said = str(response[gap.id])
        yield f"gap {number}: {own.get(said, said)}"


class _Reader(HTMLParser):
    """Gathers text, and the words of pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pieces.append(dict(attrs).get("alt") or "")
        elif tag in {"p", "li", "br", "tr", "td"}:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
