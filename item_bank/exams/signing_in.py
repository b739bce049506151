"""Signing in: access codes, passwords, and the count of failures that slows guessing.

Failures are counted in the database, so that all workers of a site count together. An exam hall
behind one address is heard, and no one can lock somebody else out: a wrong password counts against
this e-mail *from this address*, far more are needed to count against either alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from item_bank.exams.errors import TooManyAttempts
from item_bank.store.clock import MINUTE, SECOND
from item_bank.store.database import Database
from item_bank.store.secret_keys import keyed_hash
from item_bank.store.tables.people import (
    AccessCode,
    Candidate,
    CandidateDetails,
    SignInAttempt,
    StaffAccount,
)

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that can be read as something else
CODE_LENGTH = 12
WINDOW = 15 * MINUTE
LIMIT_PAIR = 8  # one e-mail from one address
LIMIT_ACCOUNT = 100  # one e-mail from anywhere
LIMIT_ADDRESS = 600  # one address, which may be an exam hall

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex(16))


@dataclass(frozen=True)
class CandidateSession:
    """A signed-in candidate."""

    candidate_id: str
    organisation_id: str
    name: str
    language: str | None


@dataclass(frozen=True)
class StaffSession:
    """A signed-in member of the staff."""

    id: str
    organisation_id: str
    email: str
    name: str
    role: str


def new_access_code() -> str:
    """Return a code of 59 bits, in groups that can be read out."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return "-".join(letters[i : i + 4] for i in range(0, CODE_LENGTH, 4))


def access_code_hash(key: str, code: str) -> str:
    """Keyed hash of a code as people type it: case, blanks and dashes do not count."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return keyed_hash(key, "access code", plain)


def password_hash(password: str) -> str:
    """Argon2id hash of a password."""
    return _HASHER.hash(password)


def candidate_by_code(db: Database, code: str, *, address: str) -> CandidateSession | None:
    """Sign a candidate in; None when no valid code is this one.

    Raises
    ------
    TooManyAttempts
        When this address failed far more often than a hall full of people would.
    """
    key = db.secrets().codes
    subjects = {keyed_hash(key, "address", address): LIMIT_ADDRESS}
    with db.write() as session:
        _refuse_guessing(db, session, subjects)
        found = _find_by_code(session, access_code_hash(key, code))
        if found is None:
            _count_failure(db, session, subjects)
        return found


def _find_by_code(session: Session, code_hash: str) -> CandidateSession | None:
    candidate_id = session.scalar(
        select(AccessCode.candidate_id).where(
            AccessCode.code_hash == code_hash, AccessCode.revoked_at.is_(None)
        )
    )
    return None if candidate_id is None else _candidate(session, candidate_id)


def candidate_by_id(db: Database, candidate_id: str) -> CandidateSession | None:
    """Load the candidate of a browser session."""
    with db.read() as session:
        return _candidate(session, candidate_id)


def _candidate(session: Session, candidate_id: str) -> CandidateSession | None:
    row = session.execute(
        select(Candidate.organisation_id, CandidateDetails.name, CandidateDetails.language)
        .join(CandidateDetails, CandidateDetails.candidate_id == Candidate.id)
        .where(Candidate.id == candidate_id)
    ).one_or_none()
    return CandidateSession(candidate_id, *row) if row else None


def staff_by_password(
    db: Database, email: str, password: str, *, address: str
) -> StaffSession | None:
    """Sign staff in; None when e-mail and password do not belong together.

    The password is checked outside of any transaction, and takes as long for an unknown e-mail.

    Raises
    ------
    TooManyAttempts
        After repeated failures for this e-mail from this address.
    """
    subjects = _staff_subjects(db.secrets().codes, email, address)
    with db.read() as session:
        _refuse_guessing(db, session, subjects)
        account = session.scalars(
            select(StaffAccount).where(
                func.lower(StaffAccount.email) == email.strip().lower(),
                StaffAccount.disabled_at.is_(None),
            )
        ).one_or_none()
    if _password_is_right(account.password_hash if account else _NOBODY, password) and account:
        return _staff(account)
    with db.write() as session:
        _count_failure(db, session, subjects)
    return None


def _staff_subjects(key: str, email: str, address: str) -> dict[str, int]:
    name = email.strip().lower()
    return {
        keyed_hash(key, "pair", name, address): LIMIT_PAIR,
        keyed_hash(key, "account", name): LIMIT_ACCOUNT,
        keyed_hash(key, "address", address): LIMIT_ADDRESS,
    }


def _password_is_right(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def staff_by_id(db: Database, account_id: str) -> StaffSession | None:
    """Load the account of a browser session; None when it is gone or disabled."""
    with db.read() as session:
        account = session.get(StaffAccount, account_id)
        return _staff(account) if account and account.disabled_at is None else None


def _staff(account: StaffAccount) -> StaffSession:
    return StaffSession(
        account.id, account.organisation_id, account.email, account.name, account.role
    )


def _refuse_guessing(db: Database, session: Session, subjects: dict[str, int]) -> None:
    now = db.now(session)
    for subject, limit in subjects.items():
        failures = session.scalars(
            select(SignInAttempt.at)
            .where(SignInAttempt.subject_hash == subject, SignInAttempt.at > now - WINDOW)
            .order_by(SignInAttempt.at.desc())
            .limit(limit)
        ).all()
        if len(failures) == limit:
            raise TooManyAttempts((failures[-1] + WINDOW - now) // SECOND + 1)


def _count_failure(db: Database, session: Session, subjects: dict[str, int]) -> None:
    now = db.now(session)
    session.add_all(
        SignInAttempt(subject_hash=subject, at=now, succeeded=False) for subject in subjects
    )
