"""What people did to items: who edited, signed off, moved and commented.

Typed text (reasons, comments) stands here; the site chain has ids and salted commitments only.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import Base, Id, Key, Organisation, Time, Word


class RevisionEditor(Base):
    """Who made a revision, where that is known."""

    __tablename__ = "revision_editors"

    revision_id: Mapped[Key] = mapped_column(ForeignKey("item_revisions.id"), primary_key=True)
    organisation_id: Mapped[Organisation]
    account_id: Mapped[Key] = mapped_column(ForeignKey("staff_accounts.id"))


class SignOff(Base):
    """A person's word that a revision, or its text in one language, is right."""

    __tablename__ = "sign_offs"
    __table_args__ = (UniqueConstraint("revision_id", "language", "signed_by", "at"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    item_id: Mapped[Key] = mapped_column(ForeignKey("items.id"), index=True)
    revision_id: Mapped[Key] = mapped_column(ForeignKey("item_revisions.id"))
    language: Mapped[Word]  # "" for the review of the item
    signed_by: Mapped[Key]  # an account's id, or "import"
    at: Mapped[Time]


class ItemMove(Base):
    """A step of an item through its life cycle."""

    __tablename__ = "item_moves"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    item_id: Mapped[Key] = mapped_column(ForeignKey("items.id"), index=True)
    from_state: Mapped[Word]
    to_state: Mapped[Word]
    account_id: Mapped[Key | None] = mapped_column(ForeignKey("staff_accounts.id"))
    role: Mapped[Word]  # of the account; else operator, import or publish
    reason: Mapped[str] = mapped_column(Text)
    salt: Mapped[Word]
    at: Mapped[Time]


class ItemComment(Base):
    """What somebody remarked on a revision."""

    __tablename__ = "item_comments"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    item_id: Mapped[Key] = mapped_column(ForeignKey("items.id"), index=True)
    revision_id: Mapped[Key] = mapped_column(ForeignKey("item_revisions.id"))
    language: Mapped[Word]  # "" for no language in particular
    account_id: Mapped[Key] = mapped_column(ForeignKey("staff_accounts.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[Time]
