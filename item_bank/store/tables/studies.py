"""Studies that were recorded to be looked at, and documents made for people."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import Base, Hash, Id, Json, Key, Name, Organisation, Time, Word


class Study(Base):
    """Something computed over many sittings or items: DIF, drift, precision, item statistics."""

    __tablename__ = "studies"
    __table_args__ = (Index("ix_studies_kind_at", "organisation_id", "kind", "at"),)

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    kind: Mapped[Word]
    exam_id: Mapped[Key | None] = mapped_column(ForeignKey("exams.id"), index=True)
    bank_id: Mapped[Key | None] = mapped_column(ForeignKey("banks.id"), index=True)
    at: Mapped[Time]
    recorded_by: Mapped[Word]  # command line, worker, or an account's id
    data_hash: Mapped[Hash | None]
    settings: Mapped[Json]
    summary: Mapped[Json]
    rows: Mapped[Json]  # a list of flat objects with the same keys


class Document(Base):
    """A file that was made for somebody: a report, an export; kept until it expires."""

    __tablename__ = "documents"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    job_id: Mapped[Key | None] = mapped_column(index=True)
    kind: Mapped[Word]
    title: Mapped[Name]
    file_name: Mapped[Name]
    media_type: Mapped[Word]
    complete: Mapped[bool]  # shown to people only then
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[Hash]
    about: Mapped[Json]  # what it was made from
    made_for: Mapped[Key | None] = mapped_column(ForeignKey("staff_accounts.id"))
    created_at: Mapped[Time]
    expires_at: Mapped[Time | None]


class DocumentPart(Base):
    """A piece of a document, of at most 256 KiB."""

    __tablename__ = "document_parts"

    document_id: Mapped[Key] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # from 1
    organisation_id: Mapped[Organisation]
    content: Mapped[bytes] = mapped_column(LargeBinary)
