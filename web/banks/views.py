"""Banks as staff see them: their items with filters, and the page of one item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from item_bank.exams.item_exposure import item_exposure
from item_bank.items.authoring.item_pages import ItemPage, Place, item_page, item_place
from item_bank.items.authoring.listing import Wanted, bank_page
from item_bank.items.authoring.revision_differences import places
from item_bank.items.content import written_key
from item_bank.items.life_cycle import AUTHOR, BANK_KEEPERS, State
from item_bank.items.markdown import rendered
from item_bank.items.overview import list_banks
from web.access import ON_ITEMS, current_staff, for_staff
from web.banks.words import STATE_WORDS, missing_words, model_numbers
from web.examiner.views import staff_person
from web.htmx import wants_fragment
from web.questions import plain_text
from web.security import may_frame
from web.site import database

banks = Blueprint("banks", __name__, url_prefix="/staff")
banks.context_processor(staff_person)
banks.context_processor(lambda: {"state_words": STATE_WORDS})

MAX_TEXT = 100
NAMED = ("choices", "rows", "columns", "areas", "gaps")
"""Parts of a text whose pieces the key names by id."""
PHONE, DESKTOP = "phone", "desktop"


@dataclass(frozen=True)
class Look:
    """How an item is looked at; stands in the address."""

    language: str
    width: str


@banks.get("/banks")
@for_staff(*ON_ITEMS)
def overview() -> ResponseReturnValue:
    """List the banks."""
    found = list_banks(database(), organisation_id=current_staff().organisation_id)
    return render_template("banks/banks.html", banks=found)


@banks.get("/banks/<path:code>")
@for_staff(*ON_ITEMS)
def bank(code: str) -> ResponseReturnValue:
    """List the items of a bank; htmx gets the list alone."""
    wanted, organisation = _wanted(), current_staff().organisation_id
    try:
        found = bank_page(database(), code, wanted, organisation_id=organisation)
    except InputError:
        abort(404)
    return render_template(
        "banks/_items.html" if wants_fragment() else "banks/bank.html",
        found=found,
        wanted=wanted,
        address=lambda **changes: _address(code, replace(wanted, **changes)),
        states=list(State),
        stem_words=lambda stem: plain_text(rendered(stem)),
    )


def _wanted() -> Wanted:
    given = {name: request.args.get(name, "").strip()[:MAX_TEXT] for name in _FILTERS}
    state, page = given["state"], request.args.get("page", "1")
    return Wanted(
        state=state if state in list(State) else "",
        area=given["area"],
        missing=given["missing"],
        text=given["q"],
        page=int(page) if page.isdecimal() and len(page) < 7 else 1,
    )


_FILTERS = ("state", "area", "missing", "q")


def _address(code: str, wanted: Wanted) -> str:
    given: dict[str, Any] = {"state": wanted.state, "area": wanted.area, "missing": wanted.missing,
             "q": wanted.text, "page": str(wanted.page) if wanted.page > 1 else ""}  # fmt: skip
    return url_for("banks.bank", code=code, **{name: text for name, text in given.items() if text})


# --- one item ----------------------------------------------------------------------------------


@banks.get("/items/<item_id>")
@for_staff(*ON_ITEMS)
def item(item_id: str) -> ResponseReturnValue:
    """Show an item: as a candidate sees it, what is known of it, and what can be done."""
    return render_item(own_place(item_id))


def own_place(item_id: str) -> Place:
    """Return where an item of the person's organisation is, or answer 404."""
    try:
        return item_place(database(), item_id, organisation_id=current_staff().organisation_id)
    except InputError:
        abort(404)


def render_item(place: Place, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    """Render an item's page, with what kept an act from being done."""
    person, found = current_staff(), item_page(database(), place)
    exposed = item_exposure(database(), place.item_id, organisation_id=person.organisation_id)
    look = _look(found)
    may_frame()
    page = render_template(
        "banks/item.html",
        item=found,
        look=look,
        languages_shown=_languages(found),
        offers=[offer for offer in found.offers if offer.open_to(person.role)],
        problem=problem,
        key_lines=list(places(written_key(found.type, found.key))),
        option_lines=_options(found.texts.get(look.language, {})),
        about_lines=list(places(found.about)),
        missing_words=missing_words,
        model_numbers=model_numbers,
        sees_parameters=person.role in BANK_KEEPERS,
        exposure=exposed if person.role != AUTHOR else None,
        own_review=person.id in found.standing.reviewers,
    )
    return page, status


def _options(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the ids of a key stand for, with the place only where an item has several kinds."""
    named = {name: content[name] for name in NAMED if name in content}
    return list(places(next(iter(named.values())) if len(named) == 1 else named))


def _languages(found: ItemPage) -> list[str]:
    """Languages that the item has or should have."""
    return list(dict.fromkeys([*found.standing.demanded, *found.texts]))


def _look(found: ItemPage) -> Look:
    language, width = request.args.get("language", ""), request.args.get("width", "")
    shown = [one for one in _languages(found) if one in found.standing.texts]
    first = shown[0] if shown else ""
    return Look(language if language in shown else first, PHONE if width == PHONE else DESKTOP)
