"""What goes with every response: security headers, cache rules and the request's id."""

from __future__ import annotations

import secrets

from flask import Flask, Response, abort, g, request

from web.settings import Settings

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; font-src 'none'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}
_YEAR = 365 * 24 * 3600
_STATIC = ("static", "assets.htmx")


def may_frame() -> None:
    """Let this response show pages of this site in frames."""
    g.frames = True


def may_be_framed() -> None:
    """Let this response stand in a frame of a page of this site; it can send nothing."""
    g.framed = True


def _headers() -> dict[str, str]:
    policy = CONTENT_SECURITY_POLICY
    if g.get("frames"):
        policy += "; frame-src 'self'"
    if not g.get("framed"):
        return HEADERS | {"Content-Security-Policy": policy}
    policy = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    policy = policy.replace("form-action 'self'", "form-action 'none'")
    return HEADERS | {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"}


def init_security(app: Flask, settings: Settings) -> None:
    """Give each request an id and each response its headers."""
    app.before_request(_give_id)
    app.before_request(_refuse_nul)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(_headers())
        response.headers["X-Request-Id"] = g.get("request_id", "")
        response.vary.add("HX-Request")
        if settings.secure_cookies:
            response.headers["Strict-Transport-Security"] = f"max-age={_YEAR}"
        return _cache(response)


def _give_id() -> None:
    g.request_id = secrets.token_hex(8)


def _refuse_nul() -> None:
    """Refuse a character that no form types and PostgreSQL cannot keep."""
    for sent in (request.args, request.form):
        if any("\0" in value for _, value in sent.items(multi=True)):
            abort(400)
    if any("\0" in str(value) for value in (request.view_args or {}).values()):
        abort(400)


def _cache(response: Response) -> Response:
    response.headers.pop("Expires", None)
    if request.endpoint not in _STATIC or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    elif "v" in request.args:
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    else:
        response.headers["Cache-Control"] = "public, max-age=300"
    return response
