"""The own account, the accounts that an administrator keeps, and the page behind a link."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from item_bank.exams import accounts as staff_accounts
from item_bank.exams.actors import ADMINISTRATOR, Actor, staff_actor
from item_bank.exams.errors import NotAllowed, TooManyAttempts
from item_bank.store.database import Database
from web.access import ROLES, current_staff, for_staff, public, sign_in_as
from web.examiner.views import staff_person
from web.site import database

accounts = Blueprint("accounts", __name__, url_prefix="/staff")
accounts.context_processor(staff_person)

MAX_FIELD = 200
TOO_LONG = MAX_FIELD + 1
UNLIKE = "The two new passwords are not the same."


# --- the own account ---------------------------------------------------------------------------


@accounts.get("/account")
@for_staff(*ROLES)
def own() -> ResponseReturnValue:
    """Show the own account."""
    return _own()


def _own(problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    return render_template("accounts/own.html", problem=problem), status


@accounts.post("/account")
@for_staff(*ROLES)
def change_password() -> ResponseReturnValue:
    """Change the own password; every other session of the account ends."""
    old, new = (request.form.get(name, "")[:TOO_LONG] for name in ("old", "new"))
    if new != request.form.get("again", "")[:TOO_LONG]:
        return _own(UNLIKE, 422)
    person, address = current_staff(), request.remote_addr or ""
    try:
        after = staff_accounts.change_password(database(), person, old, new, address=address)
    except InputError as error:
        return _own(f"Expected {error.expected}, found {error.found}.", 422)
    except TooManyAttempts as error:
        return _own(f"Too many tries. Wait {error.seconds} seconds.", 429)
    if after is None:
        return _own("The old password is not right.", 422)
    sign_in_as(after)
    flash("Your password is changed. You are signed out everywhere else.")
    return redirect(url_for("accounts.own"), 303)


# --- accounts that an administrator keeps ------------------------------------------------------


@accounts.get("/accounts")
@for_staff(ADMINISTRATOR)
def overview() -> ResponseReturnValue:
    """List the accounts of the organisation."""
    return _overview()


def _overview(
    problem: str | None = None, status: int = 200, link: tuple[str, str] | None = None
) -> ResponseReturnValue:
    page = render_template(
        "accounts/accounts.html",
        found=staff_accounts.list_staff(
            database(), organisation_id=current_staff().organisation_id
        ),
        roles=staff_accounts.STAFF_ROLES,
        given=request.form if problem else {},
        problem=problem,
        link=link,
    )
    return page, status


@accounts.post("/accounts")
@for_staff(ADMINISTRATOR)
def add() -> ResponseReturnValue:
    """Add an account and show the link by which its person sets a password."""
    email, name, role = (request.form.get(key, "")[:TOO_LONG] for key in ("email", "name", "role"))
    person = current_staff()
    try:
        account_id = staff_accounts.add_staff(
            database(),
            email,
            role,
            secrets.token_urlsafe(32),
            organisation_id=person.organisation_id,
            name=name,
            by=staff_actor(person),
        )
    except InputError as error:
        return _overview(f"Expected {error.expected}, found {error.found}.", 422)
    return _linked(account_id)


@accounts.post("/accounts/<account_id>/link")
@for_staff(ADMINISTRATOR)
def link(account_id: str) -> ResponseReturnValue:
    """Show a link that sets a new password once."""
    return _linked(account_id)


def _linked(account_id: str) -> ResponseReturnValue:
    try:
        token = staff_accounts.issue_reset(database(), staff_actor(current_staff()), account_id)
    except NotAllowed as error:
        return _overview(_sentence(error), 409)
    address = url_for("accounts.new_password", token=token, _external=True)
    return _overview(link=(str(staff_accounts.email_of_link(database(), token)), address))


@accounts.post("/accounts/<account_id>/disable")
@for_staff(ADMINISTRATOR)
def disable(account_id: str) -> ResponseReturnValue:
    """Let nobody sign in to an account any more."""
    if account_id == current_staff().id:
        return _overview("You cannot disable your own account.", 409)
    return _done(staff_accounts.disable, account_id, "The account is disabled.")


@accounts.post("/accounts/<account_id>/enable")
@for_staff(ADMINISTRATOR)
def enable(account_id: str) -> ResponseReturnValue:
    """Open a disabled account again."""
    return _done(staff_accounts.enable, account_id, "The account is enabled.")


def _done(
    act: Callable[[Database, Actor, str], None], account_id: str, said: str
) -> ResponseReturnValue:
    try:
        act(database(), staff_actor(current_staff()), account_id)
    except NotAllowed as error:
        return _overview(_sentence(error), 409)
    flash(said)
    return redirect(url_for("accounts.overview"), 303)


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


# --- a link to a new password ------------------------------------------------------------------


@accounts.get("/password/<token>")
@public
def new_password(token: str) -> ResponseReturnValue:
    """Ask for a new password, or say that the link has ended."""
    return _new_password(token)


def _new_password(token: str, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    email = staff_accounts.email_of_link(database(), token)
    page = render_template("accounts/new_password.html", email=email, token=token, problem=problem)
    return page, status if email else 410


@accounts.post("/password/<token>")
@public
def set_password(token: str) -> ResponseReturnValue:
    """Set the new password and lead to sign-in."""
    new = request.form.get("new", "")[:TOO_LONG]
    if new != request.form.get("again", "")[:TOO_LONG]:
        return _new_password(token, UNLIKE, 422)
    try:
        done = staff_accounts.use_link(database(), token, new)
    except InputError as error:
        return _new_password(token, f"Expected {error.expected}, found {error.found}.", 422)
    if not done:
        return _new_password(token)
    flash("Your new password is set. Sign in with it.")
    return redirect(url_for("examiner.sign_in"), 303)
