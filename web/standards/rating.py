"""Rating pages: one question after the other with a slider, and the ordered booklet with a mark."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from flask import abort, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from engine.standards.bookmark import Place
from item_bank.exams.errors import NotAllowed
from item_bank.items.authoring.revision_differences import places as lines
from item_bank.items.content import written_key
from item_bank.items.items import revision
from item_bank.items.presentation import media_of, presented, variant_content
from item_bank.items.presented import Presented
from item_bank.results.standards.feedback import round_of
from item_bank.results.standards.ratings import MARK, Rating, rate, standing_ratings
from item_bank.results.standards.records import Member, StudyFacts, may_rate
from item_bank.results.standards.rounds import ItemRow
from item_bank.store.media import MediumInfo, medium_bytes
from web.access import BEYOND_ITEMS, current_staff, for_staff
from web.htmx import wants_fragment
from web.questions import plain_text
from web.site import database
from web.standards.views import field, me, own_study, standards

NAMED = ("choices", "rows", "columns", "areas", "gaps")
PLACES = "areas"


@dataclass(frozen=True)
class Sheet:
    """A question as a panellist sees it; ``shown`` is None where it has no text."""

    code: str
    shown: Presented | None
    key: tuple[tuple[str, str], ...]


@standards.get("/<standard_id>/rate/<panellist>")
@for_staff(*BEYOND_ITEMS)
def begin(standard_id: str, panellist: str) -> ResponseReturnValue:
    """Go to the first question that is not rated, or show the booklet."""
    facts, member = _rated_by(standard_id, panellist)
    if facts.is_bookmark:
        return _booklet_page(facts, member)
    given = standing_ratings(database(), facts, facts.round).get(member.code, {})
    open_ones = (n for n, item in enumerate(facts.items.item, 1) if item not in given)
    return redirect(_address(facts, member, next(open_ones, 1)), 303)


def _rated_by(standard_id: str, panellist: str) -> tuple[StudyFacts, Member]:
    """Return a study and a panellist whose ratings the person may enter."""
    facts = own_study(standard_id)
    member = facts.member(panellist)
    if not may_rate(me(), member):
        abort(403)
    return facts, member


def _address(facts: StudyFacts, member: Member, place: int) -> str:
    return url_for("standards.item", standard_id=facts.id, panellist=member.code, place=place)


@standards.get("/<standard_id>/rate/<panellist>/<int:place>")
@for_staff(*BEYOND_ITEMS)
def item(standard_id: str, panellist: str, place: int) -> ResponseReturnValue:
    """Show a question with its key, and what was said of it."""
    facts, member = _rated_by(standard_id, panellist)
    if facts.is_bookmark or not 1 <= place <= len(facts.items):
        abort(404)
    return _item_page(facts, member, place)


def _item_page(facts: StudyFacts, member: Member, place: int, problem: str = "") -> str:
    code = facts.items.item[place - 1]
    given = standing_ratings(database(), facts, facts.round).get(member.code, {})
    return render_template(
        "standards/rate.html",
        facts=facts,
        member=member,
        place=place,
        code=code,
        sheet=_sheet(facts, code, place),
        given=given,
        value=given.get(code),
        points=int(facts.items.n_categories[place - 1]) - 1,
        own=me().id == member.account_id,
        before=_before(facts, place),
        problem=problem,
        address=lambda number: _address(facts, member, number),
    )


def _before(facts: StudyFacts, place: int) -> ItemRow | None:
    """What the panel said of a question in the round before, beside what the model expects."""
    if facts.round < 2:
        return None
    return round_of(database(), facts, facts.round - 1).items[place - 1]


@standards.post("/<standard_id>/rate/<panellist>/<int:place>")
@for_staff(*BEYOND_ITEMS)
def rate_item(standard_id: str, panellist: str, place: int) -> ResponseReturnValue:
    """Keep a rating; htmx gets a line that says so, a form the next question."""
    facts, member = _rated_by(standard_id, panellist)
    if facts.is_bookmark or not 1 <= place <= len(facts.items):
        abort(404)
    code = facts.items.item[place - 1]
    try:
        value = _number(field("rating"))
        rate(
            database(), me(), facts.id, [Rating(member.code, code, value)],
            round_seen=int(_number(field("round"))),
        )  # fmt: skip
    except (InputError, NotAllowed) as error:
        return _refused(facts, member, place, error)
    if wants_fragment():
        given = standing_ratings(database(), facts, facts.round)[member.code]
        return render_template(
            "standards/_saved.html", value=value, given=given, facts=facts, just=True
        )
    following = place + 1 if place < len(facts.items) else None
    if following is None or field("then") == "stop":
        return redirect(url_for("standards.one", standard_id=facts.id), 303)
    return redirect(_address(facts, member, following), 303)


def _refused(
    facts: StudyFacts, member: Member, place: int, error: InputError | NotAllowed
) -> ResponseReturnValue:
    closed = isinstance(error, NotAllowed)
    said = f"{error}." if closed else "A rating is a number from 0 to 100."
    said, status = said[0].upper() + said[1:], 409 if closed else 422
    if wants_fragment():
        return render_template("standards/_saved.html", problem=said, facts=facts), status
    return _item_page(own_study(facts.id), member, place, said), status


def _number(text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError("a number", repr(text))
    return value


def _sheet(facts: StudyFacts, code: str, place: int, number: int | None = None) -> Sheet:
    """Return a question of the release that is studied, with its key; its number in a booklet."""
    found = revision(database(), facts.revision_id(code))
    language = facts.settings["language"]

    def address(medium: MediumInfo) -> str:
        return url_for("standards.medium", standard_id=facts.id, place=place, sha256=medium.sha256)

    written = written_key(found.type, found.key)
    try:
        shown = presented(database(), found.id, language, address)
        content = variant_content(database(), found.id, language)
    except InputError:
        return Sheet(code, None, _key(written, {}))
    names = {name: text for part in NAMED if part in content for name, text in content[part]}
    return Sheet(code, _numbered(shown, number), _key(written, names))


def _key(written: Mapping[str, Any], names: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the key in words: what was chosen instead of its id, and no places in a picture."""

    def said(value: Any, names: Mapping[str, Any] = names) -> Any:
        if isinstance(value, str):
            text = names.get(value)
            return f"{value}: {text}" if isinstance(text, str) else value
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return "; ".join(said(one, names) for one in value)
        if isinstance(value, Mapping):
            return {said(name): said(one, _gap(names, name)) for name, one in value.items()}
        return value

    return tuple(lines(said({k: v for k, v in written.items() if k != PLACES})))


def _gap(names: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what the ids within a gap stand for; elsewhere those of the whole question."""
    own = names.get(name)
    return names if own is None or isinstance(own, str) else dict(own)


def _numbered(shown: Presented, number: int | None) -> Presented:
    """Name a stimulus by the place in a booklet, where several show the same one."""
    if shown.stimulus is None or number is None:
        return shown
    title = f"{number}. {shown.stimulus.title_html}"
    return replace(shown, stimulus=replace(shown.stimulus, title_html=title))


@standards.get("/<standard_id>/media/<int:place>/<sha256>")
@for_staff(*BEYOND_ITEMS)
def medium(standard_id: str, place: int, sha256: str) -> ResponseReturnValue:
    """Send a picture or sound of a question of the study."""
    facts = own_study(standard_id)
    if not 1 <= place <= len(facts.items):
        abort(404)
    code = facts.items.item[place - 1]
    found = media_of(database(), facts.revision_id(code)).get(sha256)
    if found is None:
        abort(404)
    with database().read() as session:
        kind, content = medium_bytes(
            session, found.id, organisation_id=current_staff().organisation_id
        )
    return send_file(BytesIO(content), mimetype=kind, etag=sha256, conditional=True)


# --- bookmarks ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """A page of the booklet: its number, the question, and the step where it has several."""

    number: int
    place: Place
    sheet: Sheet
    words: str
    steps: int


def _booklet_page(
    facts: StudyFacts, member: Member, problem: str = "", status: int = 200
) -> ResponseReturnValue:
    found = facts.booklet
    given = standing_ratings(database(), facts, facts.round).get(member.code, {})
    pages = [_page(facts, number, place) for number, place in enumerate(found.places, 1)]
    page = render_template(
        "standards/_booklet.html" if wants_fragment() else "standards/booklet.html",
        facts=facts,
        member=member,
        pages=pages,
        placed=int(given[MARK]) if MARK in given else None,
        own=me().id == member.account_id,
        left_out=[(facts.items.item[row], step) for row, step in found.left_out],
        problem=problem,
    )
    return page, status


def _page(facts: StudyFacts, number: int, place: Place) -> Page:
    code, tops = facts.items.item[place.row], facts.items.n_categories - 1
    sheet = _sheet(facts, code, place.row + 1, number)
    words = plain_text(sheet.shown.stem_html) if sheet.shown else code
    return Page(number, place, sheet, words, int(tops[place.row]))


@standards.post("/<standard_id>/rate/<panellist>")
@for_staff(*BEYOND_ITEMS)
def place_mark(standard_id: str, panellist: str) -> ResponseReturnValue:
    """Keep a bookmark."""
    facts, member = _rated_by(standard_id, panellist)
    if not facts.is_bookmark:
        abort(404)
    try:
        rating = Rating(member.code, MARK, _number(field("bookmark")))
        rate(database(), me(), facts.id, [rating], round_seen=int(_number(field("round"))))
    except InputError as error:
        said = f"Expected {error.expected}, found {error.found}."
        return _booklet_page(facts, member, said, 422)
    except NotAllowed as error:
        said = f"{str(error)[0].upper()}{str(error)[1:]}."
        return _booklet_page(own_study(facts.id), member, said, 409)
    if wants_fragment():
        return _booklet_page(facts, member)
    here = url_for("standards.begin", standard_id=facts.id, panellist=member.code)
    return redirect(f"{here}#mark", 303)
