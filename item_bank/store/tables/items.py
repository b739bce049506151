"""Banks, items and stimuli, their revisions and language variants, holds, and media.

A revision and a variant never change; an edited item is a new revision, and so is every item of an
edited stimulus.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import (
    Base,
    Hash,
    Id,
    Json,
    Key,
    Name,
    Organisation,
    Time,
    Word,
)


class Bank(Base):
    """A calibrated pool on one scale."""

    __tablename__ = "banks"
    __table_args__ = (UniqueConstraint("organisation_id", "code"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    code: Mapped[Word]
    about: Mapped[Json]  # names, content areas and notes, by language
    created_at: Mapped[Time]


class Stimulus(Base):
    """A text, picture or sound that several items ask about, through all its revisions."""

    __tablename__ = "stimuli"
    __table_args__ = (UniqueConstraint("bank_id", "code"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    bank_id: Mapped[Key] = mapped_column(ForeignKey("banks.id"))
    code: Mapped[Word]
    created_at: Mapped[Time]


class StimulusRevision(Base):
    """One immutable wording of a stimulus, in all its languages."""

    __tablename__ = "stimulus_revisions"
    __table_args__ = (UniqueConstraint("stimulus_id", "number"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    stimulus_id: Mapped[Key] = mapped_column(ForeignKey("stimuli.id"))
    number: Mapped[int]
    content_hash: Mapped[Hash]
    created_at: Mapped[Time]


class StimulusVariant(Base):
    """A stimulus in one language."""

    __tablename__ = "stimulus_variants"

    revision_id: Mapped[Key] = mapped_column(ForeignKey("stimulus_revisions.id"), primary_key=True)
    language: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    content: Mapped[Json]  # title, text, audio, transcript


class Item(Base):
    """A question through all its revisions."""

    __tablename__ = "items"
    __table_args__ = (UniqueConstraint("bank_id", "code"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    bank_id: Mapped[Key] = mapped_column(ForeignKey("banks.id"), index=True)
    code: Mapped[Word]
    status: Mapped[Word]  # draft, pretest, operational, retired, ...
    created_at: Mapped[Time]


class ItemRevision(Base):
    """One immutable wording and key of an item, in all its languages."""

    __tablename__ = "item_revisions"
    __table_args__ = (UniqueConstraint("item_id", "number"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    item_id: Mapped[Key] = mapped_column(ForeignKey("items.id"))
    number: Mapped[int]
    type: Mapped[Word]
    content_area: Mapped[Word]  # "" where a bank has none
    key: Mapped[Json]  # the scoring rule; never leaves the server
    about: Mapped[Json]  # cognitive level, competency, enemies, stimulus
    stimulus_revision_id: Mapped[Key | None] = mapped_column(ForeignKey("stimulus_revisions.id"))
    content_hash: Mapped[Hash]
    created_at: Mapped[Time]


class ItemVariant(Base):
    """A revision in one language."""

    __tablename__ = "item_variants"

    revision_id: Mapped[Key] = mapped_column(ForeignKey("item_revisions.id"), primary_key=True)
    language: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    content: Mapped[Json]  # stem, what its type has, rationale


class ItemHold(Base):
    """An item taken out of every running sitting at its next step until the hold is lifted."""

    __tablename__ = "item_holds"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    item_id: Mapped[Key] = mapped_column(ForeignKey("items.id"), index=True)
    reason: Mapped[Name]
    compromised: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # known outside
    placed_at: Mapped[Time]
    lifted_at: Mapped[Time | None]


class Medium(Base):
    """A picture or sound, kept as bytes under its own hash."""

    __tablename__ = "media"
    __table_args__ = (UniqueConstraint("organisation_id", "sha256"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    sha256: Mapped[Hash]
    media_type: Mapped[Word]
    width: Mapped[int | None]  # in pixels, of a picture
    height: Mapped[int | None]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Time]


class RevisionMedium(Base):
    """Which media the variants of an item show, under which name."""

    __tablename__ = "revision_media"

    revision_id: Mapped[Key] = mapped_column(ForeignKey("item_revisions.id"), primary_key=True)
    name: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    medium_id: Mapped[Key] = mapped_column(ForeignKey("media.id"))


class StimulusMedium(Base):
    """Which media the variants of a stimulus show, under which name."""

    __tablename__ = "stimulus_media"

    revision_id: Mapped[Key] = mapped_column(ForeignKey("stimulus_revisions.id"), primary_key=True)
    name: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    medium_id: Mapped[Key] = mapped_column(ForeignKey("media.id"))
