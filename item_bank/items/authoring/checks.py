"""What keeps items out of the next release: texts, their alternatives, and sign-offs.

Called by `releases.publish` and `tarozu bank publish --dry-run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import AnswerIsNo
from item_bank.items.authoring.alternatives import without_alternative
from item_bank.items.authoring.standings import (
    NOTHING,
    Policy,
    Signed,
    blocks,
    editors_of,
    policy,
    signed_of,
    texts_of,
)
from item_bank.items.content import PARAMETERS_ONLY
from item_bank.items.life_cycle import Shortfall
from item_bank.items.plans import EVERY_LANGUAGE, Plan, PlannedItem
from item_bank.store.tables.authoring import SignOff
from item_bank.store.tables.items import Bank, ItemRevision, ItemVariant, StimulusVariant

SHOWN = 8


@dataclass(frozen=True)
class _Facts:
    """Of all planned revisions, by id."""

    revisions: dict[str, ItemRevision]
    texts: dict[str, set[str]]
    flaws: dict[str, list[tuple[str, str]]]
    signed: dict[str, Signed]
    editors: dict[str, str]
    last_signed: dict[str, int]


def shortfalls(session: Session, bank: Bank, planned: Plan) -> list[Shortfall]:
    """Return everything that the items of a plan lack for a release, in its order."""
    asked = policy(bank.about)
    found = [language for language in planned.languages if language != EVERY_LANGUAGE]
    demanded = asked.demanded(found)
    facts = _facts(session, [item.revision_id for item in planned.items])
    return [
        short
        for item in planned.items
        if facts.revisions[item.revision_id].type != PARAMETERS_ONLY
        for short in _of_item(item, facts, asked, demanded)
    ]


def refuse(code: str, found: Sequence[Shortfall]) -> None:
    """Raise `AnswerIsNo`, naming what is lacking, when something is."""
    if not found:
        return
    lines = [str(one) for one in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more: tarozu bank publish {code} --dry-run")
    raise AnswerIsNo("\n".join([f"bank {code} cannot be published:", *lines]))


def _of_item(
    item: PlannedItem, facts: _Facts, asked: Policy, demanded: Sequence[str]
) -> Iterator[Shortfall]:
    texts = facts.texts.get(item.revision_id, set())
    for language in demanded:
        if language not in texts:
            yield Shortfall(item.code, language, "no text in this language")
    for language, flaw in facts.flaws.get(item.revision_id, ()):
        yield Shortfall(item.code, language, flaw)
    if asked.review_required:
        yield from _unsigned(item, facts, [one for one in demanded if one in texts])


def _unsigned(item: PlannedItem, facts: _Facts, languages: Sequence[str]) -> Iterator[Shortfall]:
    signed = facts.signed.get(item.revision_id, NOTHING)
    revision = facts.revisions[item.revision_id]
    older = facts.last_signed.get(revision.item_id)
    newer = f": its text (revision {revision.number}) is newer than its sign-off (revision {older})"
    why = newer if older is not None and older < revision.number else ""
    if not signed.reviewers - {facts.editors.get(item.revision_id)}:
        yield Shortfall(item.code, "", f"no sign-off of its review{why}")
    for language in languages:
        if language not in signed.languages:
            yield Shortfall(item.code, language, f"no sign-off of this text{why}")


def _facts(session: Session, ids: Sequence[str]) -> _Facts:
    revisions = {
        revision.id: revision
        for some in blocks(ids)
        for revision in session.scalars(select(ItemRevision).where(ItemRevision.id.in_(some)))
    }
    return _Facts(
        revisions,
        texts_of(session, ids),
        _flaws(session, revisions),
        signed_of(session, ids),
        editors_of(session, ids),
        _last_signed(session, revisions),
    )


def _flaws(
    session: Session, revisions: dict[str, ItemRevision]
) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for revision_id, language, content in _contents(session, revisions):
        for flaw in without_alternative(content):
            found.setdefault(revision_id, []).append((language, flaw))
    return found


def _contents(
    session: Session, revisions: dict[str, ItemRevision]
) -> Iterator[tuple[str, str, Any]]:
    """Every text of revisions, and of their stimuli, with the revision's id and the language."""
    for some in blocks(list(revisions)):
        own = select(ItemVariant).where(ItemVariant.revision_id.in_(some))
        for variant in session.scalars(own):
            yield variant.revision_id, variant.language, variant.content
    users: dict[str, list[str]] = {}
    for revision in revisions.values():
        if revision.stimulus_revision_id is not None:
            users.setdefault(revision.stimulus_revision_id, []).append(revision.id)
    for some in blocks(list(users)):
        beside = select(StimulusVariant).where(StimulusVariant.revision_id.in_(some))
        for shown in session.scalars(beside):
            for revision_id in users[shown.revision_id]:
                yield revision_id, shown.language, shown.content


def _last_signed(session: Session, revisions: dict[str, ItemRevision]) -> dict[str, int]:
    """The newest revision of each item that was ever signed off."""
    items = list({revision.item_id for revision in revisions.values()})
    found: dict[str, int] = {}
    for some in blocks(items):
        query = (
            select(SignOff.item_id, func.max(ItemRevision.number))
            .join(ItemRevision, ItemRevision.id == SignOff.revision_id)
            .where(SignOff.item_id.in_(some))
            .group_by(SignOff.item_id)
        )
        found |= {item: number for item, number in session.execute(query)}  # noqa: C416 - typed
    return found
