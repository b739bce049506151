"""The blueprint of corrections and what its pages share."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from engine.errors import AnswerIsNo, InputError
from item_bank.exams.actors import Actor, staff_actor
from item_bank.exams.errors import NotAllowed
from web.access import current_staff
from web.corrections import words
from web.examiner.views import staff_person

corrections = Blueprint("corrections", __name__, url_prefix="/staff/corrections")
corrections.context_processor(staff_person)
corrections.context_processor(lambda: {"words": words})


def actor() -> Actor:
    """Return who is signed in as one who acts."""
    return staff_actor(current_staff())


def problem_of(act: Callable[[], str]) -> str | None:
    """Do something and say so to the next page; return what kept it from being done."""
    try:
        flash(act())
    except InputError as error:
        return f"Expected {error.expected}, found {error.found}."
    except (NotAllowed, AnswerIsNo) as reason:
        return f"{str(reason)[0].upper()}{str(reason)[1:]}."
    return None


def to_correction(number: int) -> ResponseReturnValue:
    """Lead to a correction's page."""
    return redirect(url_for("corrections.show", number=number), 303)
