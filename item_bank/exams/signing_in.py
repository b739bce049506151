"""Signing in: access codes and passwords, and who is signed in.

Nobody can lock somebody else out. A right access code is always heard: at 74 bits none is found by
trying, so only wrong ones are turned away where too many came from one address, which may be an
exam hall. A wrong password counts against this e-mail *from this address*; a browser in which the
account has signed in before has a count of its own.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Select, bindparam, delete, func, select
from sqlalchemy.orm import Session

from item_bank.exams.attempts import count_failure, refuse_guessing
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.secret_keys import keyed_hash
from item_bank.store.tables.people import (
    AccessCode,
    CandidateDetails,
    EndedSession,
    StaffAccount,
)

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that can be read as something else
CODE_LENGTH, CODE_GROUP = 15, 5
LIMIT_PAIR = 8  # one e-mail from one address, or from one browser that it knows
LIMIT_ACCOUNT = 100  # one e-mail from anywhere
LIMIT_ADDRESS = 600  # one address, which may be an exam hall

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex(16))


@dataclass(frozen=True)
class CandidateSession:
    """A signed-in candidate; the session ends with the code that began it."""

    candidate_id: str
    organisation_id: str
    name: str
    language: str | None
    code_id: str


@dataclass(frozen=True)
class StaffSession:
    """A signed-in member of the staff; the session ends when the account's epoch moves on."""

    id: str
    organisation_id: str
    email: str
    name: str
    role: str
    epoch: int


def new_access_code() -> str:
    """Return a code of 74 bits, in groups that can be read out."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return "-".join(letters[i : i + CODE_GROUP] for i in range(0, CODE_LENGTH, CODE_GROUP))


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
        When the code is wrong, too, and this address failed far more often than a hall full of
        people would.
    """
    key = db.secrets().codes
    limits = {keyed_hash(key, "address", address): LIMIT_ADDRESS}
    with db.read() as session:
        found = _candidate(session, _BY_CODE, access_code_hash(key, code))
        if found is None:
            refuse_guessing(db, session, limits)
    if found is None:
        count_failure(db, limits)
    return found


def candidate_by_session(
    db: Database, code_id: str, session_id: str = ""
) -> CandidateSession | None:
    """Load the candidate of a browser session; None when it or the code that began it has ended."""
    with db.read() as session:
        return _candidate(session, _BY_ID, code_id, session_id)


_CANDIDATE = (
    select(
        AccessCode.candidate_id,
        AccessCode.organisation_id,
        CandidateDetails.name,
        CandidateDetails.language,
        AccessCode.id,
    )
    .join(CandidateDetails, CandidateDetails.candidate_id == AccessCode.candidate_id)
    .where(AccessCode.revoked_at.is_(None))
)
_BY_CODE = _CANDIDATE.where(AccessCode.code_hash == bindparam("key"))
_ENDED = select(EndedSession.id).where(EndedSession.id == bindparam("session"))
_BY_ID = _CANDIDATE.where(AccessCode.id == bindparam("key"), ~_ENDED.exists())


def _candidate(
    session: Session, statement: Select[*tuple[Any, ...]], key: str, session_id: str = ""
) -> CandidateSession | None:
    given = {"key": key, "session": session_id}
    row = session.connection().execute(statement, given).one_or_none()
    return CandidateSession(*row) if row else None


def staff_by_password(
    db: Database, email: str, password: str, *, address: str, browser: str | None = None
) -> StaffSession | None:
    """Sign staff in; None when e-mail and password do not belong together.

    The password is checked outside of any transaction, and takes as long for an unknown e-mail.

    Parameters
    ----------
    browser
        Names a browser in which this e-mail has signed in before. Its failures alone are counted,
        so that nobody else, from this address or another, can shut it out.

    Raises
    ------
    TooManyAttempts
        After repeated failures for this e-mail from this address.
    """
    limits = _staff_limits(db.secrets().codes, email, address, browser)
    with db.read() as session:
        refuse_guessing(db, session, limits)
        account = session.scalars(
            select(StaffAccount).where(
                func.lower(StaffAccount.email) == email.strip().lower(),
                StaffAccount.disabled_at.is_(None),
            )
        ).one_or_none()
    if _password_is_right(account.password_hash if account else _NOBODY, password) and account:
        return _staff(account)
    count_failure(db, limits)
    return None


def _staff_limits(key: str, email: str, address: str, browser: str | None) -> dict[str, int]:
    name = email.strip().lower()
    if browser is not None:
        return {keyed_hash(key, "browser", name, browser): LIMIT_PAIR}
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


def staff_by_session(
    db: Database, account_id: str, epoch: int, session_id: str = ""
) -> StaffSession | None:
    """Load the account of a browser session; None when it has ended.

    Disabling the account and every change of its password end the sessions that began before.
    """
    with db.read() as session:
        account = session.get(StaffAccount, account_id)
        if session.get(EndedSession, session_id) is not None:
            return None
    if account is None or account.disabled_at is not None or account.sessions_epoch != epoch:
        return None
    return _staff(account)


def _staff(account: StaffAccount) -> StaffSession:
    return StaffSession(
        account.id,
        account.organisation_id,
        account.email,
        account.name,
        account.role,
        account.sessions_epoch,
    )


def end_session(db: Database, session_id: str, lifetime: timedelta) -> None:
    """Let no copy of a browser session's cookie open anything any more.

    Parameters
    ----------
    lifetime
        After which a cookie expires by itself; it is noted for twice as long, since clocks jump.
    """
    with db.write() as session:
        now = db.now(session)
        session.execute(delete(EndedSession).where(EndedSession.until < now))
        until = now + 2 * round(lifetime.total_seconds() * SECOND)
        session.merge(EndedSession(id=session_id, until=until))
