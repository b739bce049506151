"""What is done to a study on its page: its panel, files, closing, approval."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from item_bank.exams.errors import NotAllowed
from item_bank.results.standards.acts import (
    NewMember,
    approve_study,
    close_round,
    close_study,
    discard_study,
    remove_member,
    set_panel,
)
from item_bank.results.standards.rating_files import is_panel, read_panel, read_ratings
from item_bank.results.standards.ratings import rate
from item_bank.results.standards.records import StudyFacts
from web.access import for_staff
from web.site import database
from web.standards.views import KEEP_STUDIES, field, me, own_study, render_study, standards


@standards.post("/<standard_id>/panel")
@for_staff(*KEEP_STUDIES)
def add_member(standard_id: str) -> ResponseReturnValue:
    """Add a panellist, or change one who is there."""
    facts = own_study(standard_id)
    member = NewMember(field("panellist"), field("name"), field("account"), field("table"))

    def act() -> str:
        set_panel(database(), me(), facts.id, [member])
        return f"{member.name} is on the panel."

    return _done(facts, act, given=vars(member))


@standards.post("/<standard_id>/panel/<panellist>/remove")
@for_staff(*KEEP_STUDIES)
def take_off(standard_id: str, panellist: str) -> ResponseReturnValue:
    """Take somebody off the panel who has not rated."""
    facts = own_study(standard_id)

    def act() -> str:
        remove_member(database(), me(), facts.id, panellist)
        return f"{panellist} is off the panel."

    return _done(facts, act)


@standards.post("/<standard_id>/file")
@for_staff(*KEEP_STUDIES)
def upload(standard_id: str) -> ResponseReturnValue:
    """Read a CSV file of panellists or ratings; only check it where that is asked for."""
    facts = own_study(standard_id)

    def act() -> str:
        sent = request.files.get("file")
        name = sent.filename if sent and sent.filename else ""
        if not name or sent is None:
            raise InputError("a file", "none")
        try:
            text = sent.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError("text in UTF-8", "other bytes", file=name) from None
        return _read(facts, text, name, only_check=bool(field("check")))

    return _done(facts, act)


def _read(facts: StudyFacts, text: str, name: str, *, only_check: bool) -> str:
    if is_panel(text):
        members = read_panel(text, file=name)
        what = f"{len(members)} panellists"
        if not only_check:
            set_panel(database(), me(), facts.id, members)
    else:
        found = read_ratings(text, facts, file=name)
        what = f"{len(found)} ratings of round {facts.round}"
        if not only_check:
            rate(database(), me(), facts.id, found, round_seen=facts.round)
    return f"The file is right: {what}. Nothing was changed." if only_check else f"{what} are read."


@standards.post("/<standard_id>/close-round")
@for_staff(*KEEP_STUDIES)
def end_round(standard_id: str) -> ResponseReturnValue:
    """Close the round that the page showed, and open the next."""
    facts = own_study(standard_id)

    def act() -> str:
        seen = field("round")
        number = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 7 else 0
        opened = close_round(database(), me(), facts.id, round_seen=number)
        return (
            f"Round {opened - 1} is closed; the panel sees what came of it. Round {opened} is open."
        )

    return _done(facts, act)


@standards.post("/<standard_id>/close")
@for_staff(*KEEP_STUDIES)
def close(standard_id: str) -> ResponseReturnValue:
    """End the rating."""
    facts = own_study(standard_id)

    def act() -> str:
        close_study(database(), me(), facts.id)
        return "The study is closed. Somebody else approves it now."

    return _done(facts, act)


@standards.post("/<standard_id>/approve")
@for_staff("examiner", "administrator")
def approve(standard_id: str) -> ResponseReturnValue:
    """Approve the cut."""
    facts = own_study(standard_id)

    def act() -> str:
        approve_study(database(), me(), facts.id)
        return "The cut is approved."

    return _done(facts, act)


@standards.post("/<standard_id>/discard")
@for_staff(*KEEP_STUDIES)
def discard(standard_id: str) -> ResponseReturnValue:
    """Set the study aside."""
    facts = own_study(standard_id)

    def act() -> str:
        discard_study(database(), me(), facts.id)
        return "The study is set aside."

    return _done(facts, act)


def _done(
    facts: StudyFacts, act: Callable[[], str], given: dict[str, str] | None = None
) -> ResponseReturnValue:
    """Act and go back to the study's page, or show the page with what was refused."""
    try:
        said = act()
    except InputError as error:
        begins = f"{error.where}expected" if error.where else "Expected"
        what = f"{begins} {error.expected}, found {error.found}."
        return render_study(own_study(facts.id), what, given), 422
    except NotAllowed as error:
        what = str(error)
        return render_study(own_study(facts.id), f"{what[0].upper()}{what[1:]}."), 409
    flash(said)
    return redirect(url_for("standards.one", standard_id=facts.id), 303)
