"""An item as its candidate sees it, alone in a frame of the item's page, with its media.

The page has the exam's own style sheets and question templates; nothing of it can be sent.
"""

from __future__ import annotations

from io import BytesIO

from flask import abort, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from engine.errors import InputError
from item_bank.items.authoring.item_pages import item_page
from item_bank.items.presentation import media_of, presented
from item_bank.store.media import MediumInfo, medium_bytes
from web.access import ON_ITEMS, current_staff, for_staff
from web.banks.views import banks, own_place
from web.language import LANGUAGES
from web.security import may_be_framed
from web.site import database


@banks.get("/items/<item_id>/preview")
@for_staff(*ON_ITEMS)
def preview(item_id: str) -> ResponseReturnValue:
    """Show the newest revision in one language as the exam would."""
    place = own_place(item_id)
    language = request.args.get("language", "")[:64]

    def address(medium: MediumInfo) -> str:
        return url_for("banks.medium", item_id=item_id, sha256=medium.sha256)

    revision_id = item_page(database(), place).revision_id
    try:
        shown = presented(database(), revision_id, language, address)
    except InputError:
        abort(404)
    may_be_framed()
    with force_locale(language if language in LANGUAGES else "en"):
        return render_template("banks/preview.html", shown=shown)


@banks.get("/items/<item_id>/media/<sha256>")
@for_staff(*ON_ITEMS)
def medium(item_id: str, sha256: str) -> ResponseReturnValue:
    """Send a picture or sound of the item's newest revision."""
    place = own_place(item_id)
    found = media_of(database(), item_page(database(), place).revision_id).get(sha256)
    if found is None:
        abort(404)
    organisation = current_staff().organisation_id
    with database().read() as session:
        kind, content = medium_bytes(session, found.id, organisation_id=organisation)
    return send_file(BytesIO(content), mimetype=kind, etag=sha256, conditional=True)
