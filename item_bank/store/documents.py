"""Documents: files that were made for somebody, kept in parts until they expire.

Written by the handlers of long work and by pages that make a file; read by downloads. A document
is seen only when it is complete; what its maker left half written is deleted. Nothing here holds
a transaction for longer than one part takes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from item_bank.store.clock import DAY
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.records import Job
from item_bank.store.tables.studies import Document, DocumentPart

PART = 256 * 1024
KEPT_DAYS = 30
_PARTS_AT_ONCE = 40  # deleted in one transaction: 10 MiB, so that no answer waits for long


@dataclass(frozen=True)
class NewDocument:
    """A document that is to be written.

    Parameters
    ----------
    made_for
        The account that may download it, beside administrators.
    job_id
        The job that makes it: taken up again, it begins without the documents of its last try.
    about
        What it was made from.
    days
        For how long it is kept; None: until it is deleted by hand.
    """

    organisation_id: str
    kind: str
    title: str
    file_name: str
    media_type: str
    made_for: str | None = None
    job_id: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    days: int | None = KEPT_DAYS


@dataclass(frozen=True)
class DocumentInfo:
    """A complete document without its bytes; times by the site clock."""

    id: str
    organisation_id: str
    job_id: str | None
    kind: str
    title: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    about: dict[str, Any]
    made_for: str | None
    created_at: int
    expires_at: int | None


class DocumentFile(io.RawIOBase):
    """A file that can be written once, from its beginning to its end."""

    def __init__(self, db: Database, document_id: str, organisation_id: str) -> None:
        super().__init__()
        self.document_id = document_id
        self.about: dict[str, Any] = {}  # said of it when it is complete
        self.then: Callable[[Session], None] | None = None  # in the transaction that completes it
        self._db, self._organisation_id = db, organisation_id
        self._buffer, self._hash = bytearray(), hashlib.sha256()
        self._size = self._parts = 0

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._size

    @property
    def sha256(self) -> str:
        """Hash of the bytes so far, in hexadecimal."""
        return self._hash.hexdigest()

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._size

    def write(self, content: Any) -> int:
        """Add bytes, and keep the parts that are full."""
        added = bytes(content)
        self._buffer += added
        self._hash.update(added)
        self._size += len(added)
        while len(self._buffer) >= PART:
            with self._db.write() as session:
                self._keep(session, PART)
        return len(added)

    def complete(self, session: Session) -> None:
        """Keep what is left and let the document be seen, within the caller's transaction."""
        if self._buffer:
            self._keep(session, PART)
        row = session.get_one(Document, self.document_id)
        row.complete, row.size, row.sha256 = True, self._size, self.sha256
        row.about = row.about | self.about
        lasts = None if row.expires_at is None else row.expires_at - row.created_at
        row.created_at = self._db.now(session)
        row.expires_at = None if lasts is None else row.created_at + lasts
        if self.then is not None:
            self.then(session)

    def _keep(self, session: Session, length: int) -> None:
        self._parts += 1
        part = DocumentPart(
            document_id=self.document_id,
            number=self._parts,
            organisation_id=self._organisation_id,
            content=bytes(self._buffer[:length]),
        )
        session.add(part)
        session.flush()
        session.expunge(part)
        del self._buffer[:length]


@contextmanager
def writing_document(db: Database, new: NewDocument) -> Iterator[DocumentFile]:
    """Give a file to write a document to; it is there when all went well, else nothing is left."""
    document_id = _begin(db, new)
    file = DocumentFile(db, document_id, new.organisation_id)
    try:
        yield file
        with db.write() as session:
            file.complete(session)
    except BaseException:
        delete_document(db, document_id)
        raise


def _begin(db: Database, new: NewDocument) -> str:
    with db.write() as session:
        now = db.now(session)
        values = {name: value for name, value in vars(new).items() if name != "days"}
        row = Document(
            id=new_id(),
            complete=False,
            size=0,
            sha256="",
            created_at=now,
            expires_at=None if new.days is None else now + new.days * DAY,
            **values | {"about": dict(new.about)},
        )
        session.add(row)
        return row.id


def document(db: Database, document_id: str, organisation_id: str) -> DocumentInfo | None:
    """Return a complete document of an organisation; None where there is none."""
    with db.read() as session:
        row = session.get(Document, document_id)
        if row is None or not row.complete or row.organisation_id != organisation_id:
            return None
        return as_info(row)


def documents_of(db: Database, job_id: str, organisation_id: str) -> list[DocumentInfo]:
    """Return the complete documents that a job made, the oldest first."""
    with db.read() as session:
        own = Document.job_id == job_id, Document.organisation_id == organisation_id
        rows = session.scalars(
            select(Document)
            .where(*own, Document.complete)
            .order_by(Document.created_at, Document.id)
        )
        return [as_info(row) for row in rows]


def as_info(row: Document) -> DocumentInfo:
    """Return a document without its row."""
    names = DocumentInfo.__dataclass_fields__
    return DocumentInfo(**{name: getattr(row, name) for name in names})


def document_parts(db: Database, document_id: str) -> Iterator[bytes]:
    """Give the bytes of a document, part by part; each is read on its own."""
    number = 1
    while True:
        with db.read() as session:
            part = session.get(DocumentPart, (document_id, number))
            content = None if part is None else part.content
        if content is None:
            return
        yield content
        number += 1


# --- deleting --------------------------------------------------------------------------------


def delete_document(db: Database, document_id: str) -> None:
    """Delete a document: it is gone at once, its parts some at a time."""
    with db.write() as session:
        hidden = update(Document).where(Document.id == document_id).values(complete=False)
        session.execute(hidden)
    own = select(DocumentPart.number).where(DocumentPart.document_id == document_id)
    while True:
        with db.write() as session:
            numbers = session.scalars(own.order_by(DocumentPart.number).limit(_PARTS_AT_ONCE)).all()
            if not numbers:
                session.execute(delete(Document).where(Document.id == document_id))
                return
            session.execute(
                delete(DocumentPart).where(
                    DocumentPart.document_id == document_id, DocumentPart.number.in_(numbers)
                )
            )


def delete_documents_of(db: Database, job_id: str) -> int:
    """Delete all that a job made, complete or not, and return how many there were."""
    with db.read() as session:
        ids = session.scalars(select(Document.id).where(Document.job_id == job_id)).all()
    for document_id in ids:
        delete_document(db, document_id)
    return len(ids)


def delete_expired(db: Database) -> int:
    """Delete documents whose time is over, and those that nobody finished for a day."""
    with db.read() as session:
        now = db.now(session)
        at_work = select(Job.id).where(Job.leased_until >= now)
        left = ~Document.complete & (Document.created_at < now - DAY)
        left &= Document.job_id.is_(None) | Document.job_id.not_in(at_work)
        over = select(Document.id).where((Document.expires_at < now) | left)
        ids = session.scalars(over.order_by(Document.id)).all()
    for document_id in ids:
        delete_document(db, document_id)
    return len(ids)
