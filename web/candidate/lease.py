"""Which epoch of a sitting's lease this browser holds, in a signed cookie of its own.

The cookie outlives a sign-in that expires, so that the candidate who signs in again comes back to
the same question. It opens nothing: whoever is not signed in as the sitting's candidate sees none
of it. A browser that holds an older epoch, or none, is asked whether it wants to take over. The
cookie also names the device, by a number drawn at random, for exams that stay on one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import cast

from flask import Response, after_this_request, g, request
from itsdangerous import BadData, URLSafeSerializer

from web.site import database, site

KEPT = 4  # sittings that a browser remembers: a cookie is small
SECONDS = 30 * 24 * 3600
_NAME = "tarozu-hold"

Hold = tuple[str, int, bool]
"""A sitting, the epoch, and whether a page has yet to hear that it is the one that holds it."""


@dataclass(frozen=True)
class Held:
    """What the cookie says."""

    device: str
    holds: tuple[Hold, ...] = ()


def device() -> str:
    """Return what names this device; a new one is named."""
    held = _held()
    _keep(held)
    return held.device


def hold(sitting_id: str, epoch: int, *, tell_page: bool = True) -> None:
    """Remember that this browser holds a sitting."""
    held = _held()
    others = tuple(one for one in held.holds if one[0] != sitting_id)
    _keep(replace(held, holds=(*others, (sitting_id, epoch, tell_page))[-KEPT:]))


def holds(sitting_id: str, epoch: int) -> bool:
    """Say whether this browser holds the sitting's lease as it is now."""
    return any(one[:2] == (sitting_id, epoch) for one in _held().holds)


def told_page(sitting_id: str, epoch: int) -> bool:
    """Say, once, to the page after a start or a take-over that its window holds the sitting."""
    if (sitting_id, epoch, True) not in _held().holds:
        return False
    hold(sitting_id, epoch, tell_page=False)
    return True


def let_go() -> None:
    """Forget all that this browser holds."""
    _keep(Held(_held().device))


def _name() -> str:
    return f"__Host-{_NAME}" if site().settings.secure_cookies else _NAME


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(database().secrets().session, salt="hold of a sitting")


def _held() -> Held:
    if "held" not in g:
        g.held = _read(request.cookies.get(_name(), ""))
    return cast("Held", g.held)


def _read(cookie: str) -> Held:
    try:
        device, *holds = _signer().loads(cookie)
        return Held(str(device), tuple((str(s), int(e), bool(tell)) for s, e, tell in holds))
    except (BadData, ValueError, TypeError):
        return Held(secrets.token_hex(8))


def _keep(held: Held) -> None:
    if "held_changed" not in g:
        g.held_changed = True
        after_this_request(_set_cookie)
    g.held = held


def _set_cookie(response: Response) -> Response:
    response.set_cookie(
        _name(),
        str(_signer().dumps([g.held.device, *g.held.holds])),
        max_age=SECONDS,
        httponly=True,
        samesite="Lax",
        secure=site().settings.secure_cookies,
    )
    return response
