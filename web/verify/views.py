"""Checking a result by its code: anybody may ask, and is told no score.

Reports carry the address of `code_page` as a QR code (`web/documents/views.address_of`).
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from item_bank.results.checking import check_code, plain_code
from web.access import public
from web.documents.checking import grouped
from web.site import database

verify = Blueprint("verify", __name__, url_prefix="/verify")

MAX_CODE = 64


@verify.after_request
def _not_listed(response: Response) -> Response:
    """Keep search engines from listing people."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@verify.get("")
@public
def ask() -> ResponseReturnValue:
    """Ask for a code; a typed one leads to its page."""
    typed = request.args.get("code", "")[:MAX_CODE].strip()
    if not typed:
        return render_template("verify/code.html", typed="", found=None)
    code = plain_code(typed)
    if code is None:
        return _shown(typed)
    return redirect(url_for("verify.code_page", code=grouped(code)), 303)


@verify.get("/<code>")
@public
def code_page(code: str) -> ResponseReturnValue:
    """Say what a code tells; a wrong one and one of no result look the same."""
    return _shown(code[:MAX_CODE])


def _shown(typed: str) -> ResponseReturnValue:
    found = check_code(database(), typed, address=request.remote_addr or "")
    page = render_template(
        "verify/code.html", typed=grouped(found.code) if found else typed, found=found
    )
    return make_response(page, 200 if found else 404)
