"""The blueprint of examiners: how staff sign in and out, and where each role begins."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams.errors import TooManyAttempts
from item_bank.exams.signing_in import StaffSession, staff_by_password
from web.access import (
    ROLES,
    for_staff,
    forget,
    local_path,
    public,
    sign_in_as,
    signed_in,
)
from web.accounts.known_browsers import known_browser, remember_browser
from web.site import database

examiner = Blueprint("examiner", __name__, url_prefix="/staff")

FIRST_PAGES = {
    "psychometrician": "exams.overview",
    "author": "banks.overview",
    "invigilator": "rooms.overview",
}


def staff_person() -> dict[str, StaffSession | None]:
    """Give templates the signed-in member of staff."""
    visitor = signed_in()
    person = visitor.person if visitor else None
    return {"staff": person if isinstance(person, StaffSession) else None}


examiner.context_processor(staff_person)


def first_page(role: str) -> str:
    """Return where a role begins its work."""
    return url_for(FIRST_PAGES.get(role, "examiner.sittings"))


@examiner.get("")
@public
def sign_in() -> ResponseReturnValue:
    """Ask for e-mail and password."""
    person = staff_person()["staff"]
    return redirect(first_page(person.role), 303) if person else _sign_in_page()


@examiner.post("")
@public
def try_password() -> ResponseReturnValue:
    """Sign a member of staff in, or say that the two do not belong together."""
    email, password = (request.form.get(name, "")[:200] for name in ("email", "password"))
    try:
        person = staff_by_password(
            database(),
            email,
            password,
            address=request.remote_addr or "",
            browser=known_browser(email),
        )
    except TooManyAttempts as error:
        return _sign_in_page(f"Too many tries. Wait {error.seconds} seconds.", email, 429)
    if person is None:
        return _sign_in_page("This e-mail and password do not belong together.", email, 422)
    sign_in_as(person)
    back = local_path(request.args.get("next")) or first_page(person.role)
    response = make_response(redirect(back, 303))
    remember_browser(response, email)
    return response


def _sign_in_page(
    problem: str | None = None, email: str = "", status: int = 200
) -> ResponseReturnValue:
    back = local_path(request.args.get("next"))
    page = render_template("examiner/sign_in.html", problem=problem, email=email, back=back)
    return page, status


@examiner.post("/sign-out")
@for_staff(*ROLES)
def sign_out() -> ResponseReturnValue:
    """End the session."""
    forget()
    return redirect(url_for("examiner.sign_in"), 303)
