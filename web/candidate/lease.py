"""Which epoch of a sitting's lease this browser holds, kept in its session.

A browser that holds an older epoch, or none, is asked whether it wants to take the sitting over.
"""

from __future__ import annotations

from flask.sessions import SessionMixin

_KEY = "leases"
_KEPT = 4  # sittings that a session remembers: a cookie is small


def hold(session: SessionMixin, sitting_id: str, epoch: int) -> None:
    """Remember that this browser holds a sitting."""
    others = [pair for pair in session.get(_KEY, []) if pair[0] != sitting_id]
    session[_KEY] = [*others, [sitting_id, epoch]][-_KEPT:]


def holds(session: SessionMixin, sitting_id: str, epoch: int) -> bool:
    """Say whether this browser holds the sitting's lease as it is now."""
    return [sitting_id, epoch] in session.get(_KEY, [])
