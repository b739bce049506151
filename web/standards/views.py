"""Standard setting: the list of studies, making one, and the page of a study."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from item_bank.exams.actors import Actor, staff_actor
from item_bank.exams.designs import list_exams, versions_of
from item_bank.results.standards.acts import create_study
from item_bank.results.standards.plans import (
    CHOICES,
    METHODS,
    STATISTICS,
    ItemChoice,
    NewStudy,
)
from item_bank.results.standards.rating_files import ratings_csv
from item_bank.results.standards.ratings import standing_ratings
from item_bank.results.standards.records import StudyFacts, studies, study
from web.access import BEYOND_ITEMS, current_staff, for_staff
from web.examiner.views import staff_person
from web.site import database
from web.standards import pages, words

standards = Blueprint("standards", __name__, url_prefix="/staff/standards")
standards.context_processor(staff_person)
standards.context_processor(lambda: {name: value for name, value in vars(words).items()
                                     if name.isupper()})  # fmt: skip

KEEP_STUDIES = ("psychometrician", "administrator")
MAX_FIELD = 5000
PLAIN = {
    "title": "",
    "candidate": "",
    "method": METHODS[0],
    "how": CHOICES[0],
    "n": "40",
    "codes": "",
    "rp": "0.67",
    "rule": "between",
    "statistic": STATISTICS[0],
    "adjusted": "",
    "level": "",
}


def me() -> Actor:
    """Return the signed-in member of staff as one who acts."""
    return staff_actor(current_staff())


def own_study(standard_id: str) -> StudyFacts:
    """Return a study of the person's organisation; a page says so where there is none."""
    return study(database(), standard_id, organisation_id=current_staff().organisation_id)


def field(name: str) -> str:
    """Return a field of the form that was sent."""
    return request.form.get(name, "").replace("\r\n", "\n").strip()[:MAX_FIELD]


@standards.get("")
@for_staff(*BEYOND_ITEMS)
def overview() -> ResponseReturnValue:
    """List the studies."""
    found = studies(database(), organisation_id=current_staff().organisation_id)
    return render_template(
        "standards/list.html", found=found, keeps=current_staff().role in KEEP_STUDIES
    )


@standards.get("/new")
@for_staff(*KEEP_STUDIES)
def new() -> ResponseReturnValue:
    """Show the form of a new study."""
    return _form(PLAIN | {"level": request.args.get("level", "")[:200]})


@standards.post("/new")
@for_staff(*KEEP_STUDIES)
def create() -> ResponseReturnValue:
    """Make a study, or say what is wrong with it."""
    given = {name: field(name) for name in PLAIN}
    try:
        standard_id = create_study(database(), me(), _wanted(given))
    except InputError as error:
        where = f"{error.column}: " if error.column else ""
        said = f"{where}expected {error.expected}, found {error.found}."
        return _form(given, said[0].upper() + said[1:]), 422
    flash("The study is made. Now add its panel.")
    return redirect(url_for("standards.one", standard_id=standard_id), 303)


def _wanted(given: dict[str, str]) -> NewStudy:
    exam, _, level = given["level"].partition("/")
    n = given["n"]
    whole = n.isascii() and n.isdecimal() and len(n) < 7
    if given["how"] == "form" and not whole:
        raise InputError("a whole number", repr(n), column="items")
    choice = ItemChoice(given["how"], int(n) if whole else 0, tuple(given["codes"].split()))
    return NewStudy(
        exam,
        level,
        given["method"],
        given["title"],
        items=choice,
        candidate=given["candidate"],
        response_probability=_chance(given["rp"]),
        guessing_adjusted=given["adjusted"] == "yes",
        rule=given["rule"],
        statistic=given["statistic"],
    )


def _chance(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError("a number", repr(text), column="response probability") from None


def _form(given: dict[str, str], problem: str = "") -> str:
    home, choices = current_staff().organisation_id, []
    for exam in list_exams(database(), organisation_id=home):
        plan = versions_of(database(), exam.code, organisation_id=home)[0].plan
        above = [one for one in plan.levels if one.minimum > plan.design.scale.minimum]
        if above:
            choices.append((plan, above))
    return render_template("standards/new.html", given=given, problem=problem, choices=choices)


@standards.get("/<standard_id>")
@for_staff(*BEYOND_ITEMS)
def one(standard_id: str) -> ResponseReturnValue:
    """Show a study, step by step."""
    return render_study(own_study(standard_id))


def render_study(facts: StudyFacts, problem: str = "", given: dict[str, Any] | None = None) -> str:
    """Render the page of a study, with what kept an act from being done."""
    page = pages.study_page(database(), me(), facts)
    return render_template(
        "standards/study.html",
        page=page,
        facts=facts,
        newest=page.newest,
        shown_rounds=pages.cuts_by_round(page),
        tell=pages,
        problem=problem,
        given=given or {},
    )


@standards.get("/<standard_id>/ratings.csv")
@for_staff(*BEYOND_ITEMS)
def ratings(standard_id: str) -> ResponseReturnValue:
    """Send the ratings that stand, as far as the person may see them."""
    facts = own_study(standard_id)
    page = pages.study_page(database(), me(), facts)
    seen = max((found.number for found in page.rounds), default=0)
    text = ratings_csv(facts, standing_ratings(database(), facts, seen))
    name = f"study-{facts.number}-round-{seen}.csv"
    response = Response(text, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
