"""The parts that pages are built from, on one page; registered in debug only."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from item_bank.items.presented import Presented
from item_bank.store.media import MediumInfo
from web.access import public
from web.candidate.responses import Flaw
from web.practice.pool import medium_name, practice_question, practice_types

style_guide = Blueprint("style_guide", __name__)


@style_guide.get("/styleguide")
@public
def page() -> ResponseReturnValue:
    """Show every part."""
    language = request.args.get("lang", "en")
    questions = [practice_question(name, language, _address) for name in practice_types()]
    shown = [(one, answered(one)) for one in questions]
    return render_template("style_guide.html", questions=shown, flaws=list(Flaw))


def _address(medium: MediumInfo) -> str:
    return url_for("practice.medium", name=medium_name(medium.sha256))


def answered(shown: Presented) -> MultiDict[str, str]:
    """Return a form that answers a question, so that its chosen state can be seen."""
    names = [one.id for one in shown.options] or [one.id for one in shown.areas]
    fields = [("choice", name) for name in names]
    if shown.type in {"single_choice", "rating_scale"}:
        fields = fields[:1]
    if shown.choose:
        fields = fields[: shown.choose]
    if shown.type == "hotspot":
        fields = fields[:1]
    fields += [("text", "4,5")] if shown.max_length else []
    fields += [(f"at.{gap.id}", gap.options[0].id) for gap in shown.gaps]
    fields += [(f"at.{row.id}", shown.columns[0].id) for row in shown.rows]
    if shown.type == "order":
        fields = [(f"at.{one.id}", str(place)) for place, one in enumerate(shown.options, 1)]
    return MultiDict(fields)
