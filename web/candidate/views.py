"""Signing in with an access code, the list of exams, and the page before an exam."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from item_bank.exams.candidate_views import OpenExam, exams_of_candidate
from item_bank.exams.delivery_rules import DeliveryRules, consent_hash
from item_bank.exams.errors import TooManyAttempts
from item_bank.exams.leases import claim, is_held_by
from item_bank.exams.signing_in import CandidateSession, candidate_by_code
from item_bank.exams.sittings import start as start_sitting
from item_bank.exams.standings import standing
from web.access import (
    current_candidate,
    for_candidates,
    forget,
    local_path,
    public,
    sign_in_as,
    signed_in,
)
from web.candidate.lease import device, hold, let_go
from web.candidate.safe_browser import has_key, refuse
from web.errors import NO_ROOM, error_page
from web.language import local_text, page_language
from web.site import database, has_room

candidate = Blueprint("candidate", __name__)

MAX_CODE = 40


@candidate.context_processor
def _person() -> dict[str, CandidateSession | None]:
    visitor = signed_in()
    person = visitor.person if visitor else None
    return {"candidate": person if isinstance(person, CandidateSession) else None}


@candidate.get("/")
@public
def sign_in() -> ResponseReturnValue:
    """Ask for the access code."""
    visitor = signed_in()
    if visitor is not None and isinstance(visitor.person, CandidateSession):
        return redirect(url_for("candidate.home"), 303)
    return _sign_in_page()


@candidate.post("/")
@public
def try_code() -> ResponseReturnValue:
    """Sign a candidate in, or say that the code is not valid."""
    code = request.form.get("code", "")[:MAX_CODE]
    try:
        person = candidate_by_code(database(), code, address=request.remote_addr or "")
    except TooManyAttempts as error:
        wait = gettext("Too many tries from this place. Wait %(n)s seconds.", n=error.seconds)
        return _sign_in_page(wait, 429)
    if person is None:
        return _sign_in_page(
            gettext("This code is not valid. Compare it with your invitation."), 422
        )
    sign_in_as(person)
    return redirect(local_path(request.args.get("next")) or url_for("candidate.home"), 303)


def _sign_in_page(problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "candidate/sign_in.html",
        problem=problem,
        back=local_path(request.args.get("next")),
        again="again" in request.args,
    )
    return page, status


@candidate.post("/sign-out")
@for_candidates
def sign_out() -> ResponseReturnValue:
    """End the session, and leave nothing of it in this browser."""
    forget()
    let_go()
    response = redirect(url_for("candidate.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"storage"'  # drafts of answers
    return response


@candidate.get("/home")
@for_candidates
def home() -> ResponseReturnValue:
    """List the candidate's exams."""
    exams = exams_of_candidate(database(), current_candidate())
    return render_template("candidate/home.html", exams=exams)


@candidate.get("/start/<registration_id>")
@for_candidates
def start(registration_id: str) -> ResponseReturnValue:
    """Say what will happen, before it does."""
    exam = own_exam(registration_id)
    if exam.status == "running":
        return redirect(url_for("exam.page", sitting_id=exam.sitting_id), 303)
    if exam.status != "ready":
        abort(410)
    if not has_key(exam.delivery.config_keys):
        return refuse()
    device()  # named before the button is pressed, perhaps twice
    return _start_page(exam, _suggested(exam))


def _start_page(
    exam: OpenExam, language: str, problem: str | None = None, status: int = 200
) -> ResponseReturnValue:
    consent = local_text(exam.delivery.consent)
    page = render_template(
        "candidate/start.html",
        exam=exam,
        suggested=language,
        consent=consent,
        consent_hash=consent_hash(consent),
        problem=problem,
        now=_now() // 1000,
    )
    return page, status


def _now() -> int:
    with database().read() as reading:
        return database().now(reading)


def _suggested(exam: OpenExam) -> str:
    wanted = (page_language(), current_candidate().language)
    return next((code for code in wanted if code in exam.languages), exam.languages[0])


@candidate.post("/start/<registration_id>")
@for_candidates
def begin(registration_id: str) -> ResponseReturnValue:
    """Start the sitting, or go on with the one that runs."""
    exam = own_exam(registration_id)
    language = request.form.get("language", "")
    if language not in exam.languages:
        abort(422)
    if not has_key(exam.delivery.config_keys):
        return refuse()
    if exam.status == "running":
        return _go_on(exam)
    if exam.status == "ready" and not has_room():
        return error_page(503, NO_ROOM)
    confirmed, consent = "identity" in request.form, request.form.get("consent")
    if not _agreed(exam.delivery, confirmed=confirmed, consent=consent):
        return _start_page(exam, language, gettext("Please tick every box above, then start."), 422)
    started = start_sitting(
        database(),
        current_candidate(),
        registration_id,
        language,
        device=device(),
        confirmed=confirmed,
        consent=consent,
    )
    hold(started.sitting_id, started.epoch)
    return redirect(url_for("exam.page", sitting_id=started.sitting_id), 303)


def _agreed(rules: DeliveryRules, *, confirmed: bool, consent: str | None) -> bool:
    """Whether everything was ticked that the exam asks for."""
    texts = {consent_hash(text) for text in rules.consent.values()}
    return (confirmed or not rules.identity) and (consent in texts or not texts)


def _go_on(exam: OpenExam) -> ResponseReturnValue:
    """Lead to the sitting that runs; a start that was sent twice has begun on this device."""
    sitting_id = str(exam.sitting_id)
    if is_held_by(database(), sitting_id, device()):
        person = current_candidate()
        epoch = standing(database(), person, sitting_id).epoch
        claimed = claim(database(), person, sitting_id, epoch)
        hold(sitting_id, claimed or epoch)
    return redirect(url_for("exam.page", sitting_id=sitting_id), 303)


def own_exam(registration_id: str) -> OpenExam:
    """Return an exam that the candidate is registered for; else there is no such page."""
    exams = exams_of_candidate(database(), current_candidate())
    own = next((exam for exam in exams if exam.registration_id == registration_id), None)
    return own or abort(404)
