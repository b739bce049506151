"""What staff do to an item on its page: move it, sign it off, comment.

Who may make which move is a rule of `item_bank.items.life_cycle`; here a refusal becomes a page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import AnswerIsNo, InputError
from item_bank.items.authoring.item_pages import Place
from item_bank.items.authoring.moves import comment_on, lift_hold, move_item, sign_off
from item_bank.items.life_cycle import Actor, MayNot, state_named
from web.access import ON_ITEMS, current_staff, for_staff
from web.banks.views import banks, own_place, render_item
from web.language import NAMES
from web.site import database

MAX_FIELD = 5000


@banks.post("/items/<item_id>/move")
@for_staff(*ON_ITEMS)
def move(item_id: str) -> ResponseReturnValue:
    """Move the item to another state."""
    place = own_place(item_id)

    def act(actor: Actor, home: str) -> str:
        to = state_named(_field("to"))
        after = move_item(
            database(), place.bank_code, place.code, to, actor, _field("reason"),
            organisation_id=home,
        )  # fmt: skip
        return f"The item is now {after.shown}."

    return _done(place, act)


@banks.post("/items/<item_id>/release-hold")
@for_staff("psychometrician", "administrator")
def release_hold(item_id: str) -> ResponseReturnValue:
    """Let sittings be given the item again."""
    place = own_place(item_id)

    def act(actor: Actor, home: str) -> str:
        after = lift_hold(database(), place.bank_code, place.code, actor, organisation_id=home)
        return f"The hold is lifted. The item is {after.shown} again."

    return _done(place, act)


@banks.post("/items/<item_id>/sign-off")
@for_staff(*ON_ITEMS)
def sign(item_id: str) -> ResponseReturnValue:
    """Sign the review, or the text in one language, off."""
    place, language = own_place(item_id), _field("language")

    def act(actor: Actor, home: str) -> str:
        sign_off(
            database(), place.bank_code, place.code, language, actor,
            organisation_id=home, seen=_field("seen"),
        )  # fmt: skip
        what = f"text in {NAMES.get(language, language)}" if language else "review"
        return f"The {what} is signed off."

    return _done(place, act)


@banks.post("/items/<item_id>/comment")
@for_staff(*ON_ITEMS)
def comment(item_id: str) -> ResponseReturnValue:
    """Keep a comment."""
    place, language = own_place(item_id), _field("language")

    def act(actor: Actor, home: str) -> str:
        known = language if language in NAMES else ""
        comment_on(
            database(), place.bank_code, place.code, known, actor, _field("text"),
            organisation_id=home,
        )  # fmt: skip
        return "The comment is kept."

    return _done(place, act)


def _field(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").strip()[:MAX_FIELD]


def _done(place: Place, act: Callable[[Actor, str], str]) -> ResponseReturnValue:
    """Act and go back to the item's page, or show the page with what was refused."""
    person = current_staff()
    try:
        said = act(Actor(person.role, person.id), person.organisation_id)
    except MayNot:
        abort(403)
    except InputError as error:
        return render_item(place, f"Expected {error.expected}, found {error.found}.", 422)
    except AnswerIsNo as error:
        return render_item(place, f"{str(error)[0].upper()}{str(error)[1:]}.", 409)
    flash(said)
    here: dict[str, Any] = {
        name: request.args[name] for name in ("language", "width") if name in request.args
    }
    return redirect(url_for("banks.item", item_id=place.item_id, **here), 303)
