"""An item in one language, ready for a page: safe HTML of its Markdown, and where its media are.

Called by the exam. Keys and parameters stay here.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from engine.errors import InputError
from item_bank.items.content import PARAMETERS_ONLY
from item_bank.items.markdown import rendered, rendered_inline, with_pictures
from item_bank.items.presented import (
    Area,
    Gap,
    Option,
    Picture,
    Presented,
    PresentedStimulus,
    Sound,
)
from item_bank.items.types.catalogue import type_named
from item_bank.items.types.inline_choice import GAP
from item_bank.items.types.text_entry import MAX_TYPED
from item_bank.store.caches import once
from item_bank.store.database import Database
from item_bank.store.media import MediumInfo, medium_info
from item_bank.store.tables.items import (
    Item,
    ItemRevision,
    ItemVariant,
    Medium,
    RevisionMedium,
    Stimulus,
    StimulusMedium,
    StimulusRevision,
    StimulusVariant,
)

__all__ = [
    "Address",
    "media_of",
    "presented",
    "presented_item",
    "rendered",
    "rendered_inline",
    "variant_content",
]

Address = Callable[[MediumInfo], str]
"""Where a page finds a medium."""


def variant_content(db: Database, revision_id: str, language: str) -> dict[str, Any]:
    """Return the stored text of a revision in a language; do not change it, it is cached.

    Raises
    ------
    InputError
        Naming the item, when it has no text, or none in this language.
    """
    return once(db, ("variant", revision_id, language), lambda: _load(db, revision_id, language))


# --- pure --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Texts:
    """Markdown to HTML, with the media that it may show."""

    media: Mapping[str, MediumInfo]
    address: Address

    def block(self, markdown: str) -> str:
        """Paragraphs, lists, tables."""
        return with_pictures(rendered(markdown), self._picture)

    def inline(self, markdown: str) -> str:
        """Text within a line."""
        return with_pictures(rendered_inline(markdown), self._picture)

    def options(self, pairs: Sequence[Sequence[str]]) -> tuple[Option, ...]:
        """Named texts in their order."""
        return tuple(Option(name, self.inline(text)) for name, text in pairs)

    def at(self, name: str) -> str:
        """The address of a medium."""
        return self.address(self.media[name])

    def _picture(self, name: str) -> str:
        medium = self.media[name]
        sides = (("width", medium.width), ("height", medium.height))
        size = "".join(f' {side}="{n}"' for side, n in sides if n)
        return f'src="{html.escape(self.address(medium))}"{size} loading="eager"'


def presented_item(
    item_type: str,
    content: Mapping[str, Any],
    key: Mapping[str, Any],
    language: str,
    texts: Texts,
    order: Sequence[str] = (),
    stimulus: PresentedStimulus | None = None,
) -> Presented:
    """Turn the stored text of an item into what a page shows.

    Parameters
    ----------
    order
        Ids of choices, or columns of a match, in the order shown; empty for the author's.
    """
    stem = texts.block(content["stem"])
    parts = _parts(stem, content["gaps"], texts) if "gaps" in content else ()
    shown = texts.options(content.get(type_named(item_type).shuffled or "", ()))
    if order:
        by_id = {option.id: option for option in shown}
        shown = tuple(by_id[name] for name in order if name in by_id)
    return Presented(
        item_type,
        language,
        stem,
        parts,
        options=shown if "choices" in content else (),
        rows=texts.options(content.get("rows", ())),
        columns=shown if "columns" in content else (),
        picture=_picture(content["image"], texts) if "image" in content else None,
        areas=tuple(_areas(content.get("areas", ()), key, texts)),
        label_html=texts.inline(content.get("label", "")),
        unit_html=texts.inline(content.get("unit", "")),
        choose=key.get("choose"),
        max_length=MAX_TYPED if item_type in {"text_entry", "numeric_entry"} else 0,
        stimulus=stimulus,
    )


def _parts(stem: str, gaps: Sequence[Any], texts: Texts) -> tuple[str | Gap, ...]:
    """The stem cut at its gaps; a piece may open an element that a later one closes."""
    choices = dict(gaps)
    pieces = GAP.split(stem)  # text and gap ids in turn
    return tuple(
        Gap(piece, texts.options(choices[piece])) if place % 2 else piece
        for place, piece in enumerate(pieces)
        if place % 2 or piece
    )


def _picture(image: Mapping[str, Any], texts: Texts) -> Picture:
    return Picture(texts.at(image["media"]), image["alt"], image["width"], image["height"])


def _areas(labels: Sequence[Sequence[str]], key: Mapping[str, Any], texts: Texts) -> Iterator[Area]:
    for name, label in labels:
        shape = key["areas"][name]
        yield Area(name, texts.inline(label), shape["shape"], tuple(shape["coords"]))


def presented_stimulus(code: str, content: Mapping[str, Any], texts: Texts) -> PresentedStimulus:
    """Turn the stored text of a stimulus into what a page shows."""
    sound = None
    if "audio" in content:
        kind = texts.media[content["audio"]].media_type
        sound = Sound(texts.at(content["audio"]), kind, texts.block(content["transcript"]))
    title, text = texts.inline(content["title"]), texts.block(content.get("text", ""))
    return PresentedStimulus(code, title, text, sound)


# --- from the database -------------------------------------------------------------------------


def _load(db: Database, revision_id: str, language: str) -> dict[str, Any]:
    with db.read() as session:
        variant = session.get(ItemVariant, (revision_id, language))
        if variant is not None:
            content: dict[str, Any] = variant.content
            return content
        query = (
            select(Item.code, ItemRevision.type)
            .join(ItemRevision, ItemRevision.item_id == Item.id)
            .where(ItemRevision.id == revision_id)
        )
        found = session.execute(query).one_or_none()
    if found is None:
        raise InputError("an item revision", "none with this id")
    missing = "no text at all" if found.type == PARAMETERS_ONLY else "none"
    raise InputError(f"text in language {language}", missing, column=f"item {found.code}")


def presented(
    db: Database,
    revision_id: str,
    language: str,
    address: Address,
    *,
    order: Sequence[str] = (),
) -> Presented:
    """Return an item as a page shows it, with the ids of its author and its stimulus.

    Parameters
    ----------
    address
        Where a page finds a medium.
    order
        As it was drawn for the presentation; empty for the author's.

    Raises
    ------
    InputError
        Naming the item, when it has no text, or none in this language.
    """
    content = variant_content(db, revision_id, language)
    facts = once(db, ("facts", revision_id), lambda: _facts(db, revision_id))
    stimulus = None
    if facts.stimulus is not None:
        texts = Texts(facts.stimulus.media, address)
        said = once(
            db,
            ("stimulus", facts.stimulus.id, language),
            lambda: _stimulus_content(db, facts, language),
        )
        stimulus = presented_stimulus(facts.stimulus.code, said, texts)
    texts = Texts(facts.media, address)
    return presented_item(facts.type, content, facts.key, language, texts, order, stimulus)


def media_of(db: Database, revision_id: str) -> dict[str, MediumInfo]:
    """Return the media that an item and its stimulus show, by content hash (SHA-256)."""
    facts = once(db, ("facts", revision_id), lambda: _facts(db, revision_id))
    shown = [*facts.media.values(), *(facts.stimulus.media.values() if facts.stimulus else ())]
    return {medium.sha256: medium for medium in shown}


@dataclass(frozen=True)
class _Stimulus:
    id: str
    code: str
    media: dict[str, MediumInfo]


@dataclass(frozen=True)
class _Facts:
    """What of a revision is the same in every language."""

    code: str
    type: str
    key: Mapping[str, Any]
    media: dict[str, MediumInfo]
    stimulus: _Stimulus | None


def _facts(db: Database, revision_id: str) -> _Facts:
    with db.read() as session:
        row = session.get_one(ItemRevision, revision_id)
        item = session.get_one(Item, row.item_id)
        media = _media(session, RevisionMedium, revision_id)
        stimulus = None
        if row.stimulus_revision_id is not None:
            of = session.get_one(StimulusRevision, row.stimulus_revision_id)
            code = session.get_one(Stimulus, of.stimulus_id).code
            stimulus = _Stimulus(of.id, code, _media(session, StimulusMedium, of.id))
        return _Facts(item.code, row.type, row.key, media, stimulus)


def _media(
    session: Session, table: type[RevisionMedium | StimulusMedium], revision_id: str
) -> dict[str, MediumInfo]:
    query = (
        select(table.name, Medium)
        .options(defer(Medium.content))
        .join(Medium, Medium.id == table.medium_id)
        .where(table.revision_id == revision_id)
    )
    return {name: medium_info(medium) for name, medium in session.execute(query)}


def _stimulus_content(db: Database, facts: _Facts, language: str) -> dict[str, Any]:
    assert facts.stimulus is not None, "the caller has looked"
    with db.read() as session:
        variant = session.get(StimulusVariant, (facts.stimulus.id, language))
    if variant is None:
        where = f"item {facts.code}: stimulus {facts.stimulus.code}"
        raise InputError(f"text in language {language}", "none", column=where)
    content: dict[str, Any] = variant.content
    return content
