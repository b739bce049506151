"""What of an item is shown: its text in one language, and safe HTML of its Markdown.

Called by the exam. Keys and parameters are not here, so that they cannot reach a page.
"""

from __future__ import annotations

import functools
from typing import Any

import nh3
from markdown_it import MarkdownIt
from sqlalchemy import select

from engine.errors import InputError
from item_bank.items.content import PARAMETERS_ONLY, SingleChoice, single_choice
from item_bank.store.caches import once
from item_bank.store.database import Database
from item_bank.store.tables.items import Item, ItemRevision, ItemVariant

# HTML in an item's text is shown as text: taken as tags, "a<b and b>c" would lose its middle.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MARKDOWN.disable(["link", "autolink", "image", "reference", "html_block", "html_inline"])
_BLOCKS = {"p", "br", "hr", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4"}
_TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
_INLINE = {"em", "strong", "s", "code", "br"}


def variant_content(db: Database, revision_id: str, language: str) -> dict[str, Any]:
    """Return the stored text of a revision in a language; do not change it, it is cached.

    Raises
    ------
    InputError
        Naming the item, when it has no text, or none in this language.
    """
    return once(db, ("variant", revision_id, language), lambda: _load(db, revision_id, language))


def item_content(db: Database, revision_id: str, language: str) -> SingleChoice:
    """Return stem and choices of a revision in a language."""
    return single_choice(variant_content(db, revision_id, language))


@functools.lru_cache(maxsize=8192)
def rendered(markdown: str) -> str:
    """Safe HTML of a text with paragraphs, lists and tables."""
    return nh3.clean(
        _MARKDOWN.render(markdown), tags=_BLOCKS | _TABLE | _INLINE, attributes={}
    ).strip()


@functools.lru_cache(maxsize=32768)
def rendered_inline(markdown: str) -> str:
    """Safe HTML of a text within a line, such as a choice."""
    html = _MARKDOWN.renderInline(markdown)
    return nh3.clean(html, tags=_INLINE, attributes={})


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
