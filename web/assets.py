"""Static files: ours from `web/static`, htmx from the package that carries it.

Every address bears a hash of the file, so that browsers may keep it for a year.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Flask, Response, send_from_directory, url_for

from web.access import public

STATIC = Path(__file__).parent / "static"
HTMX = Path(str(files("js_lib_htmx"))) / "static" / "htmx" / "htmx.min.js"

assets = Blueprint("assets", __name__)


@assets.get("/static/htmx.min.js")
@public
def htmx() -> Response:
    """Serve htmx."""
    return send_from_directory(HTMX.parent, HTMX.name, mimetype="text/javascript")


def init_assets(app: Flask) -> None:
    """Give templates ``asset('css/base.css')`` and ``htmx_address()``."""
    app.register_blueprint(assets)
    app.add_template_global(_address, "asset")
    app.add_template_global(lambda: url_for("assets.htmx", v=_hash(HTMX)), "htmx_address")


def _address(name: str) -> str:
    return url_for("static", filename=name, v=_hash(STATIC / name))


@cache
def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
