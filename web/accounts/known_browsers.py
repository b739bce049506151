"""Browsers in which somebody of the staff has signed in before, told by a cookie of their own.

Wrong passwords from such a browser are counted apart, so that whoever guesses a password, be it
from the same address, cannot shut its owner out. The cookie opens nothing by itself.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hmac import compare_digest

from flask import Response, current_app, request

from item_bank.store.secret_keys import keyed_hash

COOKIE = "tarozu-browser"
_DAYS = 180
_MOST = 4  # accounts that one browser remembers


@dataclass(frozen=True)
class _Browser:
    """What the cookie says: the browser's random name, and marks of who signed in."""

    name: str
    marks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        plain = f"{self.name}:{','.join(self.marks)}"
        return f"{plain}:{_keyed(plain)}"


def known_browser(email: str) -> str | None:
    """Return the name of this browser where the e-mail has signed in here before."""
    browser = _browser()
    return browser.name if _mark(email) in browser.marks else None


def remember_browser(response: Response, email: str) -> None:
    """Note that the e-mail has signed in here."""
    before = _browser()
    others = [mark for mark in before.marks if mark != _mark(email)]
    response.set_cookie(
        COOKIE,
        _Browser(before.name, (*others, _mark(email))[-_MOST:]).text,
        max_age=_DAYS * 24 * 3600,
        path="/staff",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def _browser() -> _Browser:
    plain, _, signature = request.cookies.get(COOKIE, "").rpartition(":")
    if not compare_digest(signature.encode(), _keyed(plain).encode()):
        return _Browser(secrets.token_hex(8))
    name, _, marks = plain.partition(":")
    return _Browser(name, tuple(marks.split(",")))


def _mark(email: str) -> str:
    return _keyed(f"e-mail {email.strip().lower()}")[:16]


def _keyed(text: str) -> str:
    return keyed_hash(str(current_app.secret_key), COOKIE, text)
