"""Media and stimuli of an import: kept once, and said to belong to the revisions that show them.

Called by `imports`. A stimulus whose words or media changed is a new revision of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.items.bank_files import BankSource, StimulusSource
from item_bank.items.content import media_in
from item_bank.store.canonical import content_hash
from item_bank.store.media import MediumInfo, add_medium
from item_bank.store.tables.base import new_id
from item_bank.store.tables.items import (
    Bank,
    Item,
    ItemRevision,
    Medium,
    RevisionMedium,
    Stimulus,
    StimulusMedium,
    StimulusRevision,
    StimulusVariant,
)


@dataclass(frozen=True)
class Illustrations:
    """What the items of an import may show.

    Parameters
    ----------
    media
        Of the file, by name.
    stimuli
        The newest revision of every stimulus of the bank, by code.
    languages
        Those of each stimulus, by code.
    of_revisions
        The media of the revisions that were there before: by revision, name to medium.
    revised
        Codes of stimuli that were there and are another revision now.
    """

    media: Mapping[str, MediumInfo]
    stimuli: Mapping[str, StimulusRevision]
    of_revisions: Mapping[str, Mapping[str, MediumInfo]]
    languages: Mapping[str, set[str]]
    revised: frozenset[str]

    def shown_by(self, variants: Mapping[str, Any]) -> dict[str, MediumInfo]:
        """The media that texts of the file show, by name."""
        return _shown_by(variants, self.media)


def _shown_by(
    variants: Mapping[str, Any], media: Mapping[str, MediumInfo]
) -> dict[str, MediumInfo]:
    names = {name for variant in variants.values() for _, name in media_in(variant)}
    return {name: media[name] for name in sorted(names)}


def keep_illustrations(session: Session, bank: Bank, source: BankSource, now: int) -> Illustrations:
    """Keep the media and stimuli of a file, and find those of the bank."""
    media = {
        name: add_medium(session, content, organisation_id=bank.organisation_id, now=now)
        for name, content in source.media.items()
    }
    newest = newest_stimuli(session, bank.id)
    revised = set()
    for index, stimulus in enumerate(source.stimuli):
        old = newest.get(stimulus.code)
        shown = _shown_by(stimulus.variants, media)
        digest = stimulus_hash(stimulus.variants, {n: m.sha256 for n, m in shown.items()})
        if old is None or old.content_hash != digest:
            made = _new_revision(session, bank, stimulus, old, digest, shown, now + index)
            newest[stimulus.code] = made
            revised |= {stimulus.code} if old else set()
    session.flush()
    before, languages = _of_revisions(session, bank.id), _languages(session, newest)
    return Illustrations(media, newest, before, languages, frozenset(revised))


def _languages(session: Session, newest: Mapping[str, StimulusRevision]) -> dict[str, set[str]]:
    return {
        code: set(
            session.scalars(
                select(StimulusVariant.language).where(StimulusVariant.revision_id == revision.id)
            )
        )
        for code, revision in newest.items()
    }


def stimulus_hash(variants: Mapping[str, Any], media: Mapping[str, str]) -> str:
    """Hash of all that a stimulus says and shows."""
    return content_hash([variants, media])


def newest_stimuli(session: Session, bank_id: str) -> dict[str, StimulusRevision]:
    """Return the newest revision of each stimulus of a bank, by code."""
    query = (
        select(Stimulus.code, StimulusRevision)
        .join(StimulusRevision, StimulusRevision.stimulus_id == Stimulus.id)
        .where(Stimulus.bank_id == bank_id)
        .order_by(StimulusRevision.number)
    )
    return {code: revision for code, revision in session.execute(query)}  # noqa: C416 - typed rows


def _new_revision(
    session: Session,
    bank: Bank,
    stimulus: StimulusSource,
    old: StimulusRevision | None,
    digest: str,
    shown: Mapping[str, MediumInfo],
    now: int,
) -> StimulusRevision:
    owner = bank.organisation_id
    if old is None:
        of = Stimulus(id=new_id(), organisation_id=owner, bank_id=bank.id, created_at=now)
        of.code = stimulus.code
        session.add(of)
        session.flush()
    revision = StimulusRevision(
        id=new_id(),
        organisation_id=owner,
        stimulus_id=old.stimulus_id if old else of.id,
        number=old.number + 1 if old else 1,
        content_hash=digest,
        created_at=now,
    )
    session.add(revision)
    session.flush()
    place = {"revision_id": revision.id, "organisation_id": owner}
    for language, said in stimulus.variants.items():
        session.add(StimulusVariant(language=language, content=dict(said), **place))
    for name, medium in shown.items():
        session.add(StimulusMedium(name=name, medium_id=medium.id, **place))
    return revision


def _of_revisions(session: Session, bank_id: str) -> dict[str, dict[str, MediumInfo]]:
    query = (
        select(RevisionMedium.revision_id, RevisionMedium.name, Medium.id, Medium.sha256,
               Medium.media_type)
        .join(Medium, Medium.id == RevisionMedium.medium_id)
        .join(ItemRevision, ItemRevision.id == RevisionMedium.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(Item.bank_id == bank_id)
    )  # fmt: skip
    found: dict[str, dict[str, MediumInfo]] = {}
    for revision_id, name, medium_id, sha256, media_type in session.execute(query):
        found.setdefault(revision_id, {})[name] = MediumInfo(medium_id, sha256, media_type)
    return found


# --- for an export -----------------------------------------------------------------------------


def stimuli_and_media(
    session: Session, revision_ids: Sequence[str]
) -> tuple[tuple[StimulusSource, ...], dict[str, bytes]]:
    """Return the stimuli of item revisions, and by name the bytes of all media that both show.

    Raises
    ------
    InputError
        When two media have one name, so that no file could say which is meant.
    """
    newest: dict[str, str] = {}
    for ids in _blocks(revision_ids):
        rows = session.execute(
            select(StimulusRevision.id, Stimulus.code)
            .join(ItemRevision, ItemRevision.stimulus_revision_id == StimulusRevision.id)
            .join(Stimulus, Stimulus.id == StimulusRevision.stimulus_id)
            .where(ItemRevision.id.in_(ids))
            .order_by(StimulusRevision.number, Stimulus.created_at)
        )
        newest |= {code: revision_id for revision_id, code in rows}
    media = _media_bytes(session, revision_ids, RevisionMedium, {})
    media = _media_bytes(session, list(newest.values()), StimulusMedium, media)
    return tuple(_source(session, code, one) for code, one in newest.items()), media


def _source(session: Session, code: str, revision_id: str) -> StimulusSource:
    query = select(StimulusVariant).where(StimulusVariant.revision_id == revision_id)
    said = session.scalars(query.order_by(StimulusVariant.language))
    return StimulusSource(code, {variant.language: variant.content for variant in said})


def _media_bytes(
    session: Session,
    revision_ids: Sequence[str],
    table: type[RevisionMedium | StimulusMedium],
    found: dict[str, bytes],
) -> dict[str, bytes]:
    for ids in _blocks(revision_ids):
        query = select(table.name, Medium.content).join(Medium, Medium.id == table.medium_id)
        for name, content in session.execute(query.where(table.revision_id.in_(ids)).distinct()):
            if found.setdefault(name, content) != content:
                raise InputError("media with a name of their own", f"two with the name {name}")
    return found


def _blocks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    yield from (ids[start : start + 500] for start in range(0, len(ids), 500))
