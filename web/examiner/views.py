"""Staff sign-in, the list of sittings, and the report of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.exams import reviews
from item_bank.exams.designs import list_exams
from item_bank.exams.errors import TooManyAttempts
from item_bank.exams.replay import replay as replay_sitting
from item_bank.exams.signing_in import StaffSession, staff_by_password
from web.access import (
    ROLES,
    current_staff,
    for_staff,
    forget,
    local_path,
    public,
    sign_in_as,
    signed_in,
)
from web.accounts.known_browsers import known_browser, remember_browser
from web.examiner.readings import WITHHELD, readings, remarks
from web.htmx import wants_fragment
from web.language import local_text
from web.site import database

examiner = Blueprint("examiner", __name__, url_prefix="/staff")

FIRST_PAGES = {
    "psychometrician": "exams.overview",
    "author": "banks.overview",
    "invigilator": "rooms.overview",
}
STATUSES = ("running", "finished", "invalidated")
MAX_TEXT = 100


@dataclass(frozen=True)
class Filters:
    """What the list of sittings is narrowed to; stands in the address."""

    q: str = ""
    exam: str = ""
    status: str = ""
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q or self.exam or self.status)

    def address(self, page: int) -> str:
        """Return the address of another page of the same list."""
        return url_for(
            "examiner.sittings",
            q=self.q or None,
            exam=self.exam or None,
            status=self.status or None,
            page=page,
        )


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


@examiner.get("/sittings")
@for_staff("examiner", "administrator")
def sittings() -> ResponseReturnValue:
    """List sittings; htmx gets the table alone."""
    filters, organisation = _filters(), current_staff().organisation_id
    found = reviews.search_sittings(
        database(),
        organisation_id=organisation,
        exam=filters.exam or None,
        status=filters.status or None,
        text=filters.q,
        page=filters.page,
    )
    return render_template(
        "examiner/_sittings.html" if wants_fragment() else "examiner/sittings.html",
        found=found,
        filters=filters,
        exams=list_exams(database(), organisation_id=organisation),
        statuses=STATUSES,
    )


def _filters() -> Filters:
    page = request.args.get("page", "1")
    status = request.args.get("status", "")
    return Filters(
        q=request.args.get("q", "").strip()[:MAX_TEXT],
        exam=request.args.get("exam", "")[:MAX_TEXT],
        status=status if status in STATUSES else "",
        page=int(page) if page.isdecimal() and len(page) < 7 else 1,
    )


@examiner.get("/sittings/<sitting_id>")
@for_staff("examiner", "administrator")
def report(sitting_id: str) -> ResponseReturnValue:
    """Show everything about one sitting."""
    found = reviews.report(
        database(), organisation_id=current_staff().organisation_id, sitting_id=sitting_id
    )
    return render_template(
        "examiner/report.html",
        report=found,
        result=found.result,
        readings=readings(found.result) if found.result else None,
        remarks=remarks(found),
        areas=_area_names(found.result),
        withheld=WITHHELD,
    )


def _area_names(result: dict[str, Any] | None) -> dict[str, str]:
    domains = result["domains"] if result else []
    return {domain["area"]: local_text(domain["name"]) for domain in domains}


@examiner.post("/sittings/<sitting_id>/replay")
@for_staff("examiner", "administrator")
def replay(sitting_id: str) -> ResponseReturnValue:
    """Compute the sitting again from its log and say whether everything agrees."""
    organisation = current_staff().organisation_id
    found = replay_sitting(database(), sitting_id, organisation_id=organisation)
    if wants_fragment():
        return render_template("examiner/_replay.html", replay=found)
    return render_template("examiner/replay.html", replay=found)
