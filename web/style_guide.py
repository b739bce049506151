"""The parts that pages are built from, on one page; registered in debug only."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from web.access import public

style_guide = Blueprint("style_guide", __name__)


@style_guide.get("/styleguide")
@public
def page() -> ResponseReturnValue:
    """Show every part."""
    return render_template("style_guide.html")
