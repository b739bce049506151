"""A release's items as questions: their choices, their score, and what a page shows of them.

What is loaded never changes, so it is loaded once.
"""

from __future__ import annotations

from dataclasses import dataclass

from item_bank.items.items import revision
from item_bank.items.presentation import item_content, rendered, rendered_inline
from item_bank.items.scoring import score
from item_bank.store.database import Database


@dataclass(frozen=True)
class ShownQuestion:
    """Safe HTML of the stem, and of each choice by its id."""

    stem_html: str
    choices: dict[str, str]


def choice_ids(db: Database, revision_id: str) -> tuple[str, ...]:
    """Return the ids of an item's choices in the order of its author."""
    return tuple(revision(db, revision_id).key["choices"])


def mark(db: Database, revision_id: str, choice: str | None) -> int:
    """Score a choice by the key of the revision that was shown."""
    shown = revision(db, revision_id)
    return score(shown.type, shown.key, choice)


def shown_question(db: Database, revision_id: str, language: str) -> ShownQuestion:
    """Return what a page shows of an item in a language."""
    content = item_content(db, revision_id, language)
    html = {choice: rendered_inline(text) for choice, text in content.choices}
    return ShownQuestion(rendered(content.stem), html)
