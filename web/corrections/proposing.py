"""Forms that propose a correction: from an item's page, and from an exam's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from item_bank.items.authoring.item_pages import ItemPage, Place, item_page, item_place
from item_bank.items.authoring.moves import move_item
from item_bank.items.life_cycle import Actor as Mover
from item_bank.items.life_cycle import State
from item_bank.results.corrections import proposing
from item_bank.results.corrections.listing import list_corrections
from item_bank.results.corrections.notices import DEFAULTS
from item_bank.results.corrections.subjects import (
    RevisionUse,
    VersionUse,
    revisions_of,
    versions_in_use,
)
from item_bank.results.corrections.terms import CUTS, DROP, KEY
from web.access import BEYOND_ITEMS, current_staff, for_staff
from web.corrections.blueprint import actor, corrections, problem_of, to_correction
from web.language import NAMES
from web.site import database

MAX_FIELD = 5000


@corrections.get("/new/item/<item_id>")
@for_staff(*BEYOND_ITEMS)
def new_for_item(item_id: str) -> ResponseReturnValue:
    """Ask what is wrong with an item."""
    return _item_form(_place(item_id))


@corrections.post("/new/item/<item_id>")
@for_staff(*BEYOND_ITEMS)
def propose_for_item(item_id: str) -> ResponseReturnValue:
    """Propose that an item be scored by another key, or not at all."""
    place, made = _place(item_id), list[int]()

    def act() -> str:
        where = (place.bank_code, place.code, _whole("revision"))
        if _field("kind") == DROP:
            made.append(proposing.propose_drop(database(), actor(), where, _words()))
        else:
            made.append(proposing.propose_key(database(), actor(), where, _key(), _words()))
        return "The correction is proposed. Nothing has changed: next comes the dry run." + _held(
            place
        )

    problem = problem_of(act)
    return _item_form(place, problem) if problem is not None else to_correction(made[0])


def _held(place: Place) -> str:
    """Hold the item where that was asked for, and say so."""
    if not request.form.get("hold"):
        return ""
    person = current_staff()
    move_item(
        database(), place.bank_code, place.code, State.HELD, Mover(person.role, person.id),
        _field("reason")[:200], organisation_id=person.organisation_id,
    )  # fmt: skip
    return " The item is held: no sitting is given it any more."


@corrections.get("/new/exam/<code>")
@for_staff(*BEYOND_ITEMS)
def new_for_exam(code: str) -> ResponseReturnValue:
    """Ask for the right cut scores of an exam."""
    return _exam_form(code)


@corrections.post("/new/exam/<code>")
@for_staff(*BEYOND_ITEMS)
def propose_for_exam(code: str) -> ResponseReturnValue:
    """Propose other cut scores."""
    versions, made = _versions(code), list[int]()

    def act() -> str:
        names = [level.code for level in versions[0].exam.plan.levels]
        minimums = {name: _number(f"minimum-{name}") for name in names}
        chosen = [int(one) for one in request.form.getlist("version") if _is_number(one)]
        if not chosen:
            raise InputError("at least one version of the exam", "none")
        made.append(proposing.propose_cuts(database(), actor(), code, minimums, chosen, _words()))
        return "The correction is proposed. Nothing has changed: next comes the dry run."

    problem = problem_of(act)
    return _exam_form(code, problem) if problem is not None else to_correction(made[0])


# --- forms -------------------------------------------------------------------------------------


def _item_form(place: Place, problem: str | None = None) -> ResponseReturnValue:
    page, revisions = item_page(database(), place), revisions_of(database(), place.item_id)
    chosen = _chosen(revisions)
    found = render_template(
        "corrections/new_item.html",
        item=page,
        place=place,
        revisions=revisions,
        chosen=chosen,
        key_text=_field("key") or json.dumps(chosen.key or {}, ensure_ascii=False, indent=1),
        may_hold=_may_hold(page),
        earlier=list_corrections(database(), actor(), item_id=place.item_id),
        **_shared(problem, DEFAULTS[KEY]),
    )
    return found, 200 if problem is None else 422


def _exam_form(code: str, problem: str | None = None) -> ResponseReturnValue:
    versions = _versions(code)
    found = render_template(
        "corrections/new_exam.html",
        code=code,
        versions=versions,
        newest=versions[0],
        **_shared(problem, DEFAULTS[CUTS]),
    )
    return found, 200 if problem is None else 422


def _shared(problem: str | None, defaults: Mapping[str, str]) -> dict[str, Any]:
    return {
        "problem": problem,
        "given": request.form,
        "defaults": defaults,
        "language_names": {code: NAMES[code] for code in defaults},
    }


def _chosen(revisions: list[RevisionUse]) -> RevisionUse:
    """Return the revision that the form is about: as asked, or that which most sittings met."""
    asked = request.values.get("revision", "")
    own = next((one for one in revisions if str(one.number) == asked), None)
    return own or max(revisions, key=lambda one: (one.sittings, one.number))


def _may_hold(page: ItemPage) -> bool:
    role = current_staff().role
    held = page.standing.held
    return not held and any(one.to == State.HELD and one.open_to(role) for one in page.offers)


def _place(item_id: str) -> Place:
    try:
        return item_place(database(), item_id, organisation_id=current_staff().organisation_id)
    except InputError:
        abort(404)


def _versions(code: str) -> list[VersionUse]:
    try:
        found = versions_in_use(database(), code, current_staff().organisation_id)
    except InputError:
        abort(404)
    return list(found)


# --- fields ------------------------------------------------------------------------------------


def _words() -> proposing.Words:
    notice = {code: _field(f"notice-{code}") for code in NAMES}
    return proposing.Words(_field("reason"), notice)


def _key() -> dict[str, Any]:
    """Return the key of the form: the choice that is right, or the key as JSON."""
    right = _field("correct")
    if right:
        return {"correct": right}
    try:
        said = json.loads(_field("key"))
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise InputError('a key such as {"correct": "B"}', _field("key")[:60] or "nothing")
    return said


def _field(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").strip()[:MAX_FIELD]


def _whole(name: str) -> int:
    text = _field(name)
    if not _is_number(text):
        raise InputError(f"a number of a {name}", text or "nothing")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 7


def _number(name: str) -> float:
    text = _field(name).replace(",", ".").replace("\u2212", "-")
    try:
        return _finite(float(text))
    except ValueError:
        raise InputError("a minimum for each level", text or "nothing") from None


def _finite(value: float) -> float:
    if value != value or abs(value) > 1e9:  # noqa: PLR0124 - what is not a number differs from itself
        raise ValueError
    return value
