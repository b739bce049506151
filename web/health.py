"""``/healthz``: whether this process can serve, for load balancers and watchers."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from engine.errors import InputError
from item_bank.store.schema import Unreachable, check_schema
from web.access import public
from web.logs import log
from web.site import database, has_room

health = Blueprint("health", __name__)


@health.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """Say whether the database answers with a schema that this version knows, and has room."""
    state = _state()
    return state, 200 if state["status"] == "ok" else 503


def _state() -> dict[str, str]:
    try:
        check_schema(database())
    except Unreachable as error:
        return _unreachable(error)
    except InputError:
        return {"status": "failing", "database": "reachable", "schema": "unknown"}
    except Exception as error:  # noqa: BLE001 - whatever keeps the database away, it is away
        return _unreachable(error)
    known = {"database": "reachable", "schema": "known"}
    if not has_room():
        return {"status": "failing", **known, "disk": "full"}
    return {"status": "ok", **known}


def _unreachable(error: Exception) -> dict[str, str]:
    log.warning("database unreachable", kind=type(error).__name__)
    return {"status": "failing", "database": "unreachable", "schema": "unknown"}
