"""Accounts of the staff: adding, disabling, roles, passwords, and links that set a new one.

Every act stands in the site chain, in the transaction that does it. A new password, a link that was
used and disabling all end the account's browser sessions.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.actors import ADMINISTRATOR, Actor
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.signing_in import StaffSession, password_hash, staff_by_password
from item_bank.store.audit import append_site_event
from item_bank.store.clock import MINUTE
from item_bank.store.database import Database
from item_bank.store.secret_keys import keyed_hash
from item_bank.store.tables.base import new_id
from item_bank.store.tables.people import PasswordReset, StaffAccount

STAFF_ROLES = ("examiner", ADMINISTRATOR, "psychometrician", "author", "invigilator")
MIN_PASSWORD = 10
MAX_PASSWORD = 200
MAX_NAME = 200
RESET_LIFETIME = 24 * 60 * MINUTE


@dataclass(frozen=True)
class AccountRow:
    """An account in a list."""

    id: str
    email: str
    name: str
    role: str
    disabled: bool


def check_email(email: str) -> None:
    """Refuse what is no e-mail address."""
    plain = email.strip()
    if "@" not in plain.strip("@ ") or len(plain) > MAX_NAME or not plain.isprintable():
        raise InputError("an e-mail address", repr(email), column="email")
    if " " in plain:
        raise InputError("an e-mail address without blanks", repr(email), column="email")


def _check_password(password: str) -> None:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        found = f"{len(password)} characters"
        raise InputError(f"a password of {MIN_PASSWORD} to {MAX_PASSWORD} characters", found)


def list_staff(db: Database, *, organisation_id: str) -> list[AccountRow]:
    """Return the accounts of an organisation, by e-mail."""
    with db.read() as session:
        accounts = session.scalars(
            select(StaffAccount)
            .where(StaffAccount.organisation_id == organisation_id)
            .order_by(func.lower(StaffAccount.email))
        ).all()
    return [AccountRow(a.id, a.email, a.name, a.role, a.disabled_at is not None) for a in accounts]


def account_by_email(db: Database, email: str, *, organisation_id: str) -> str:
    """Return the id of the account with this e-mail."""
    with db.read() as session:
        found = session.scalar(
            select(StaffAccount.id).where(
                func.lower(StaffAccount.email) == email.strip().lower(),
                StaffAccount.organisation_id == organisation_id,
            )
        )
    if found is None:
        raise InputError("the e-mail of an account (see `tarozu user list`)", repr(email))
    return found


def add_staff(
    db: Database,
    email: str,
    role: str,
    password: str,
    *,
    organisation_id: str,
    name: str = "",
    by: Actor | None = None,
) -> str:
    """Make an account and return its id; refuses a known e-mail and a short password."""
    _check_role(role)
    check_email(email)
    _check_password(password)
    shown = name.strip() or email.split("@", maxsplit=1)[0].strip()
    if len(shown) > MAX_NAME:
        raise InputError(f"a name of at most {MAX_NAME} characters", f"{len(shown)}", column="name")
    hashed = password_hash(password)
    with db.write() as session:
        known = func.lower(StaffAccount.email) == email.strip().lower()
        if session.scalar(select(StaffAccount.id).where(known)):
            raise InputError("an e-mail that has no account yet", email, column="email")
        now = db.now(session)
        account = StaffAccount(
            id=new_id(),
            organisation_id=organisation_id,
            email=email.strip(),
            name=shown,
            role=role,
            password_hash=hashed,
            created_at=now,
        )
        session.add(account)
        payload = {"account": account.id, "role": role, "by": by.by if by else None}
        append_site_event(session, "account_added", payload, now, organisation_id)
        return account.id


# --- what an administrator does to an account ------------------------------------------------


def disable(db: Database, actor: Actor, account_id: str) -> None:
    """Let nobody sign in to an account any more, and end its sessions.

    Raises
    ------
    NotAllowed
        When it is disabled already, or the last administrator who is not.
    """
    with _account(db, actor, account_id) as (session, account):
        if account.disabled_at is not None:
            raise NotAllowed("this account is disabled already")
        _keep_an_administrator(session, account)
        account.disabled_at = db.now(session)
        _end_links(db, session, account)
        _end_sessions(db, session, account, "account_disabled", actor.by)


def set_role(db: Database, actor: Actor, account_id: str, role: str) -> None:
    """Give an account another role, which counts from its next request on.

    Raises
    ------
    NotAllowed
        When it has that role already, or is the last administrator who is not disabled.
    """
    _check_role(role)
    with _account(db, actor, account_id) as (session, account):
        before = account.role
        if before == role:
            raise NotAllowed(f"this account is {role} already")
        if account.disabled_at is None:
            _keep_an_administrator(session, account)
        account.role = role
        payload = {"account": account.id, "from": before, "to": role, "by": actor.by}
        append_site_event(session, "role_set", payload, db.now(session), account.organisation_id)


def _check_role(role: str) -> None:
    if role not in STAFF_ROLES:
        raise InputError(f"one of {', '.join(STAFF_ROLES)}", repr(role), column="role")


def _keep_an_administrator(session: Session, account: StaffAccount) -> None:
    """Refuse to lose the last administrator, also where two would take each other out at once."""
    if account.role != ADMINISTRATOR:
        return
    active = select(StaffAccount.id).where(
        StaffAccount.organisation_id == account.organisation_id,
        StaffAccount.role == ADMINISTRATOR,
        StaffAccount.disabled_at.is_(None),
    )
    if len(session.scalars(active.order_by(StaffAccount.id).with_for_update()).all()) < 2:
        raise NotAllowed("this is the last administrator; add another first")


def enable(db: Database, actor: Actor, account_id: str) -> None:
    """Open a disabled account again, with the password that it had."""
    with _account(db, actor, account_id) as (session, account):
        if account.disabled_at is None:
            raise NotAllowed("this account is not disabled")
        account.disabled_at = None
        _record(db, session, account, "account_enabled", actor.by)


def set_password(db: Database, actor: Actor, account_id: str, password: str) -> None:
    """Give an account another password, and end its sessions."""
    _check_password(password)
    hashed = password_hash(password)
    with _account(db, actor, account_id) as (session, account):
        account.password_hash = hashed
        _end_links(db, session, account)
        _end_sessions(db, session, account, "password_set", actor.by)


def issue_reset(db: Database, actor: Actor, account_id: str) -> str:
    """Return the token of a link that sets a new password once, within 24 hours.

    Links made for the account before end. The old password goes on until the link is used.
    """
    token = secrets.token_urlsafe(32)
    with _account(db, actor, account_id) as (session, account):
        if account.disabled_at is not None:
            raise NotAllowed("this account is disabled; enable it first")
        now = db.now(session)
        _end_links(db, session, account)
        session.add(
            PasswordReset(
                account_id=account.id,
                token_hash=_token_hash(db, token),
                created_at=now,
                expires_at=now + RESET_LIFETIME,
            )
        )
        _record(db, session, account, "password_link_issued", actor.by)
    return token


@contextmanager
def _account(db: Database, actor: Actor, account_id: str) -> Iterator[tuple[Session, StaffAccount]]:
    """Give an account that the actor may touch, in a transaction that writes."""
    with db.write() as session:
        account = session.get(StaffAccount, account_id)
        if account is None or actor.organisation_id != account.organisation_id:
            raise NotFound
        yield session, account


# --- what a person does to the own account ---------------------------------------------------


def change_password(
    db: Database, person: StaffSession, old: str, new: str, *, address: str
) -> StaffSession | None:
    """Change the own password; None when the old one is wrong.

    Returns the session that goes on; all others of the account end.

    Raises
    ------
    TooManyAttempts
        After repeated wrong passwords: a session left open must not be a way to guess.
    """
    _check_password(new)
    if staff_by_password(db, person.email, old, address=address, browser=person.id) is None:
        return None
    hashed = password_hash(new)
    with db.write() as session:
        account = session.get_one(StaffAccount, person.id)
        account.password_hash = hashed
        _end_links(db, session, account)
        _end_sessions(db, session, account, "password_changed", person.id)
    return staff_by_password(db, person.email, new, address=address, browser=person.id)


def email_of_link(db: Database, token: str) -> str | None:
    """Return whose password a link sets; None when it has ended or never was."""
    with db.read() as session:
        found = _open_link(db, session, token)
        return found[1].email if found else None


def use_link(db: Database, token: str, password: str) -> bool:
    """Set a new password by a link, once; False when the link has ended or never was."""
    _check_password(password)
    hashed = password_hash(password)
    with db.write() as session:
        found = _open_link(db, session, token, lock=True)
        if found is None:
            return False
        link, account = found
        link.used_at = db.now(session)
        account.password_hash = hashed
        _end_sessions(db, session, account, "password_link_used", account.id)
        return True


def _open_link(
    db: Database, session: Session, token: str, *, lock: bool = False
) -> tuple[PasswordReset, StaffAccount] | None:
    links = select(PasswordReset, StaffAccount)
    row = session.execute(
        (links.with_for_update(of=PasswordReset) if lock else links)
        .join(StaffAccount, StaffAccount.id == PasswordReset.account_id)
        .where(
            PasswordReset.token_hash == _token_hash(db, token),
            PasswordReset.used_at.is_(None),
            PasswordReset.expires_at > db.now(session),
            StaffAccount.disabled_at.is_(None),
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


def _token_hash(db: Database, token: str) -> str:
    return keyed_hash(db.secrets().codes, "password link", token)


def _end_links(db: Database, session: Session, account: StaffAccount) -> None:
    session.execute(
        update(PasswordReset)
        .where(PasswordReset.account_id == account.id, PasswordReset.used_at.is_(None))
        .values(used_at=db.now(session))
    )


def _end_sessions(
    db: Database, session: Session, account: StaffAccount, kind: str, by: str
) -> None:
    account.sessions_epoch += 1
    _record(db, session, account, kind, by)


def _record(db: Database, session: Session, account: StaffAccount, kind: str, by: str) -> None:
    payload = {"account": account.id, "by": by}
    append_site_event(session, kind, payload, db.now(session), account.organisation_id)
