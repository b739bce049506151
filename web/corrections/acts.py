"""What staff do with a correction: dry run, sign, go on applying, withdraw, prepare its undoing."""

from __future__ import annotations

from collections.abc import Callable

from flask import request
from flask.typing import ResponseReturnValue

from item_bank.results.corrections import long, proposing
from item_bank.results.corrections.listing import correction_view
from item_bank.results.corrections.signing import sign as sign_correction
from item_bank.results.corrections.undoing import propose_undo
from web.access import BEYOND_ITEMS, for_staff
from web.corrections.blueprint import actor, corrections, problem_of, to_correction
from web.corrections.views import render_correction
from web.site import database

SIGNERS = ("examiner", "administrator")


@corrections.post("/<int(max=2147483647):number>/dry-run")
@for_staff(*BEYOND_ITEMS)
def dry_run(number: int) -> ResponseReturnValue:
    """Ask for a dry run."""

    def act() -> str:
        long.ask_dry_run(database(), actor(), number)
        return "The dry run is under way. This page follows it."

    return _done(number, act)


@corrections.post("/<int(max=2147483647):number>/sign")
@for_staff(*SIGNERS)
def sign(number: int) -> ResponseReturnValue:
    """Sign the effect that the page showed."""

    def act() -> str:
        effect = request.form.get("effect", "")[:64]
        missing = sign_correction(database(), actor(), number, effect)
        if missing:
            return "You have signed. One more signature, by another person, puts it in force."
        return "You have signed, and the correction is in force. The results are being amended."

    return _done(number, act)


@corrections.post("/<int(max=2147483647):number>/apply")
@for_staff(*SIGNERS)
def go_on(number: int) -> ResponseReturnValue:
    """Ask for applying to go on where it was stopped."""

    def act() -> str:
        long.ask_apply(database(), actor(), number)
        return "Applying goes on."

    return _done(number, act)


@corrections.post("/<int(max=2147483647):number>/withdraw")
@for_staff(*BEYOND_ITEMS)
def withdraw(number: int) -> ResponseReturnValue:
    """Take a correction back."""

    def act() -> str:
        proposing.withdraw(database(), actor(), number)
        return f"Correction {number} is withdrawn. No result was changed."

    return _done(number, act)


@corrections.post("/<int(max=2147483647):number>/undo")
@for_staff(*BEYOND_ITEMS)
def undo(number: int) -> ResponseReturnValue:
    """Prepare the correction that restores what held before."""
    made = []

    def act() -> str:
        made.append(propose_undo(database(), actor(), number))
        return f"This correction would undo correction {number}. Next comes its dry run."

    return _done(number, act, made)


def _done(
    number: int, act: Callable[[], str], made: list[int] | None = None
) -> ResponseReturnValue:
    """Act and go to the correction's page, or show it with what was refused."""
    correction_view(database(), actor(), number)  # answers 404 where there is none
    problem = problem_of(act)
    if problem is not None:
        return render_correction(number, problem, 409)
    return to_correction(made[0] if made else number)
