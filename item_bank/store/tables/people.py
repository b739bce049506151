"""People: candidates without a name, their personal data beside them, staff, and ways to sign in.

Chained rows name a candidate by `candidates.id` alone; erasing a row of `candidate_details`
leaves every chain as it was.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import Base, Hash, Id, Key, Name, Organisation, Time, Word


class Candidate(Base):
    """A person who sits exams, known by a random id."""

    __tablename__ = "candidates"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    created_at: Mapped[Time]


class CandidateDetails(Base):
    """The personal data of a candidate; the only place where a name stands."""

    __tablename__ = "candidate_details"
    __table_args__ = (UniqueConstraint("organisation_id", "roster_id"),)

    candidate_id: Mapped[Key] = mapped_column(ForeignKey("candidates.id"), primary_key=True)
    organisation_id: Mapped[Organisation]
    roster_id: Mapped[Word]  # the administrator's own number for this person
    name: Mapped[Name]
    email: Mapped[Name | None]
    country: Mapped[Word | None]
    language: Mapped[Word | None]


class StaffAccount(Base):
    """An examiner, administrator, psychometrician or invigilator."""

    __tablename__ = "staff_accounts"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    email: Mapped[Name] = mapped_column(unique=True)
    name: Mapped[Name]
    role: Mapped[Word]
    password_hash: Mapped[Name]
    created_at: Mapped[Time]
    disabled_at: Mapped[Time | None]
    sessions_epoch: Mapped[int] = mapped_column(default=0, server_default="0")  # ends older ones


class PasswordReset(Base):
    """A link that sets a new password, once; only its keyed hash is kept."""

    __tablename__ = "password_resets"

    id: Mapped[Id]
    account_id: Mapped[Key] = mapped_column(ForeignKey("staff_accounts.id"), index=True)
    token_hash: Mapped[Hash] = mapped_column(unique=True)
    created_at: Mapped[Time]
    expires_at: Mapped[Time]
    used_at: Mapped[Time | None]


class AccessCode(Base):
    """A code that signs one candidate in; only its keyed hash is kept."""

    __tablename__ = "access_codes"

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    candidate_id: Mapped[Key] = mapped_column(ForeignKey("candidates.id"), index=True)
    code_hash: Mapped[Hash] = mapped_column(unique=True)
    issued_at: Mapped[Time]
    revoked_at: Mapped[Time | None]


class EndedSession(Base):
    """A browser session that somebody signed out of: a copy of its cookie opens nothing."""

    __tablename__ = "ended_sessions"

    id: Mapped[Id]
    until: Mapped[Time] = mapped_column(index=True)  # by then every copy has expired by itself


class SignInAttempt(Base):
    """A failed try to sign in, counted by a keyed hash of what was tried and of where from."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index("ix_sign_in_attempts_subject", "subject_hash", "at"),)

    id: Mapped[Id]
    subject_hash: Mapped[Hash]
    at: Mapped[Time] = mapped_column(index=True)
