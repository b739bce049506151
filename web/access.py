"""Who may see what: signed-in candidates and staff, their roles, and the gate before every view.

Each view says its audience by one decorator: `public`, `for_candidates` or `for_staff(...)`. The
gate refuses a view that says nothing, and `create_app` does not start with one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user

from item_bank.exams.signing_in import (
    CandidateSession,
    StaffSession,
    candidate_by_session,
    end_session,
    staff_by_session,
)
from web.htmx import send_to, wants_fragment
from web.site import database

PUBLIC = "public"
CANDIDATE = "candidate"
ROLES = ("examiner", "administrator", "psychometrician", "author", "invigilator")
ON_ITEMS = ("examiner", "administrator", "psychometrician", "author")
"""Staff who see banks and items, with their keys."""
BEYOND_ITEMS = ("examiner", "administrator", "psychometrician")
"""Staff who see exams and what came of them; authors see items alone."""

View = TypeVar("View", bound=Callable[..., Any])
Person = CandidateSession | StaffSession


@dataclass(frozen=True)
class SignedIn:
    """Somebody who has signed in, as Flask-Login wants to see them."""

    person: Person
    session_id: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    @property
    def audience(self) -> str:
        """Return "candidate" or the staff role."""
        return CANDIDATE if isinstance(self.person, CandidateSession) else self.person.role

    def get_id(self) -> str:
        """Return what the session cookie keeps; it ends with sign-out, the code or the epoch."""
        if isinstance(self.person, CandidateSession):
            return f"candidate:{self.session_id}:{self.person.code_id}"
        return f"staff:{self.session_id}:{self.person.id}:{self.person.epoch}"


def public(view: View) -> View:
    """Open a view to everybody."""
    return _audience(view, PUBLIC)


def for_candidates(view: View) -> View:
    """Open a view to signed-in candidates."""
    return _audience(view, CANDIDATE)


def for_staff(*roles: str) -> Callable[[View], View]:
    """Open a view to staff of the named roles."""
    return lambda view: _audience(view, *roles)


def _audience(view: View, *names: str) -> View:
    view.audience = frozenset(names)  # type: ignore[attr-defined]
    return view


def audience_of(app: Flask, endpoint: str) -> frozenset[str]:
    """Return who may see an endpoint; nobody where its view does not say."""
    if endpoint == "static":
        return frozenset({PUBLIC})
    return cast(
        "frozenset[str]", getattr(app.view_functions[endpoint], "audience", frozenset[str]())
    )


def init_access(app: Flask) -> None:
    """Set up sign-in and the gate."""
    manager = LoginManager(app)
    manager.session_protection = None  # a phone changes its address in the middle of an exam
    manager.user_loader(_load)
    app.before_request(_gate)


def check_audiences(app: Flask) -> None:
    """Refuse to start with a view that does not say whom it is for."""
    silent = [
        rule.endpoint for rule in app.url_map.iter_rules() if not audience_of(app, rule.endpoint)
    ]
    if silent:
        raise RuntimeError(f"views without an audience: {', '.join(sorted(silent))}")


def _load(identity: str) -> SignedIn | None:
    kind, session_id, key, epoch, *_ = *identity.split(":"), "", "", ""
    person = _person(kind, session_id, key, epoch)
    return SignedIn(person, session_id) if person else None


def _person(kind: str, session_id: str, key: str, epoch: str) -> Person | None:
    if kind == CANDIDATE:
        return candidate_by_session(database(), key, session_id)
    return staff_by_session(database(), key, int(epoch), session_id) if epoch.isdecimal() else None


def _gate() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    audience = audience_of(current_app, request.endpoint)
    if PUBLIC in audience:
        return None
    if not current_user.is_authenticated:
        return _to_sign_in(audience)
    if current_user.audience not in audience:
        abort(403)
    return None


def _to_sign_in(audience: frozenset[str]) -> ResponseReturnValue:
    endpoint = "candidate.sign_in" if CANDIDATE in audience else "examiner.sign_in"
    if wants_fragment():
        back = urlsplit(request.headers.get("HX-Current-URL", "")).path
        return send_to(url_for(endpoint, next=local_path(back), again=1), 401)
    here = request.full_path.rstrip("?") if request.method == "GET" else _page_that_sent()
    return redirect(url_for(endpoint, next=local_path(here)), 303)


def _page_that_sent() -> str | None:
    """Return the page of this site whose form was sent, where the browser names it."""
    page = urlsplit(request.referrer or "")
    return page.path if page.netloc == request.host else None


def local_path(path: str | None) -> str | None:
    """Return a path of this site, or None for anything that could lead elsewhere."""
    if path is None or not path.startswith("/") or path.startswith("//"):
        return None
    return path if path.isprintable() and "\\" not in path else None


def sign_in_as(person: Person) -> None:
    """Begin a new session, so that nothing from before sign-in is carried over but the language."""
    language = session.get("language")
    forget()
    session.permanent = True
    if language:
        session["language"] = language
    login_user(SignedIn(person, secrets.token_hex(16)))


def forget() -> None:
    """End the session, on the server too: a copy of its cookie opens nothing any more."""
    visitor = signed_in()
    if visitor is not None:
        end_session(database(), visitor.session_id, current_app.permanent_session_lifetime)
    logout_user()
    session.clear()
    g.pop("csrf_token", None)


def signed_in() -> SignedIn | None:
    """Return who is signed in, if anybody."""
    return current_user._get_current_object() if current_user.is_authenticated else None  # noqa: SLF001 - Flask-Login's documented way to the object behind the proxy


def current_candidate() -> CandidateSession:
    """Return the signed-in candidate; the gate has made sure that there is one."""
    return cast(CandidateSession, current_user.person)


def current_staff() -> StaffSession:
    """Return the signed-in member of staff; the gate has made sure that there is one."""
    return cast(StaffSession, current_user.person)
