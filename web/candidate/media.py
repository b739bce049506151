"""Pictures and sounds of the open question of one's own sitting, by their content hash.

A medium of an earlier or a later question is not there for anybody.
"""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, abort, send_file
from flask.typing import ResponseReturnValue

from item_bank.exams.candidate_views import own_medium
from web.access import current_candidate, for_candidates
from web.candidate.safe_browser import guard
from web.site import database

media = Blueprint("media", __name__)
media.before_request(guard)

DIGEST_LENGTH = 64


@media.get("/sitting/<sitting_id>/media/<sha256>")
@for_candidates
def medium(sitting_id: str, sha256: str) -> ResponseReturnValue:
    """Send a medium, whole or the range of it that a player asks for."""
    if len(sha256) != DIGEST_LENGTH:
        abort(404)
    media_type, content = own_medium(database(), current_candidate(), sitting_id, sha256)
    return send_file(BytesIO(content), mimetype=media_type, etag=sha256, conditional=True)
