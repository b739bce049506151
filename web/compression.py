"""Pages, style sheets and scripts leave the server compressed, as a poor line needs.

What a proxy has compressed, media, and short answers are left as they are. Static files are
compressed once.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Flask, Response, request

_TYPES = frozenset(
    {"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"}
)
_LEAST = 600  # below it nothing is won
_QUICK, _SMALL = 5, 9


def init_compression(app: Flask) -> None:
    """Compress what a browser takes compressed."""
    app.after_request(compressed)


def compressed(response: Response) -> Response:
    """Compress a response, if it is text, long enough, whole, and the browser takes gzip."""
    if response.mimetype not in _TYPES:
        return response
    response.vary.add("Accept-Encoding")
    if not _may_be(response):
        return response
    response.direct_passthrough = False
    file = response.response
    body = response.get_data()
    if hasattr(file, "close"):
        file.close()  # a static file has been read, and is not sent itself any more
    if len(body) < _LEAST:
        return response
    is_static = request.endpoint in {"static", "assets.htmx"}
    response.set_data(_kept(body) if is_static else gzip.compress(body, _QUICK, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)
    if is_static:
        response.headers.pop("ETag", None)
    return response


def _may_be(response: Response) -> bool:
    return (
        response.status_code in {200, 400, 404, 409, 410, 422}
        and "Content-Encoding" not in response.headers
        and not (response.is_streamed and not response.direct_passthrough)
        and request.method != "HEAD"
        and request.accept_encodings.quality("gzip") > 0
    )


@lru_cache(maxsize=64)
def _kept(body: bytes) -> bytes:
    return gzip.compress(body, _SMALL, mtime=0)
