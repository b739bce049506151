"""Pages of banks and items: what each role sees and may do, previews, and what they refuse."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select
from support.banks import small_bank_document
from support.type_exams import open_type_exam
from support.visitors import HTMX

from item_bank.items.authoring.actors import actor_by_email
from item_bank.items.authoring.imported import Terms
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.store.schema import organisation
from item_bank.store.tables.authoring import ItemComment, ItemMove, SignOff
from item_bank.store.tables.items import Item
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.site import OrganisationRow

EVERYBODY = ("examiner", "administrator", "psychometrician", "author")


@pytest.fixture
def item_id(hall) -> str:
    with hall.db.read() as session:
        return session.scalars(select(Item.id).where(Item.code == "S-01")).one()


def rows(hall, table) -> list:
    with hall.db.read() as session:
        return list(session.scalars(select(table)))


def reworded(hall, tmp_path, **options) -> None:
    """Import the bank again with another first question."""
    document = small_bank_document()
    document["items"][0]["variants"]["en"]["stem"] = "How much is 1 + 2 <b>now</b>?"
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    import_bank(hall.db, read_json(path), organisation_id=organisation(hall.db), **options)


@pytest.mark.parametrize("role", EVERYBODY)
def test_every_role_sees_banks_and_items(staff, item_id, role):
    visitor = staff(role)
    visitor.get("/staff/banks")
    assert 'href="/staff/banks/small"' in visitor.page
    visitor.get("/staff/banks/small")
    assert f"/staff/items/{item_id}" in visitor.page
    visitor.get(f"/staff/items/{item_id}")

    assert ("Parameters by release" in visitor.page) == (
        role in {"psychometrician", "administrator"}
    )
    assert (">Exposure<" in visitor.page) == (role != "author")


def test_an_author_sees_neither_exams_nor_sittings(staff):
    author = staff("author")

    assert author.get("/staff").headers["Location"] == "/staff/banks"
    assert author.get("/staff/exams").status_code == 403
    assert author.get("/staff/sittings").status_code == 403
    author.get("/staff/banks")
    assert "/staff/exams" not in author.page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 12),
        ("state=operational", 12),
        ("state=draft", 0),
        ("state=nonsense", 12),
        ("area=large", 6),
        ("q=s-01", 1),
        ("q=will+be", 0),
        ("missing=ru", 0),
        ("page=99", 12),
        ("page=x", 12),
    ],
)
def test_filters_stand_in_the_address(staff, query, found):
    author = staff("author")
    response = author.get(f"/staff/banks/small?{query}")

    assert response.status_code == 200
    assert author.page.count('href="/staff/items/') == found
    assert ("Nothing found" in author.page) == (found == 0)


def test_htmx_gets_the_items_alone(staff):
    part = staff("author").get("/staff/banks/small?q=S-02", headers=HTMX)

    assert "<html" not in part.text
    assert "S-02" in part.text


def test_there_is_no_page_of_no_bank_and_no_item(staff):
    author = staff("author")

    assert author.get("/staff/banks/none").status_code == 404
    assert author.get(f"/staff/items/{'0' * 32}").status_code == 404


def test_another_organisations_bank_and_item_are_not_there(staff, hall, tmp_path):
    author, other = staff("author"), "f" * 32
    with hall.db.write() as session:
        session.add(OrganisationRow(id=other, code="other", name="Other", created_at=1))
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(small_bank_document(1, code="theirs")))
    import_bank(hall.db, read_json(path), organisation_id=other)
    with hall.db.read() as session:
        theirs = session.scalars(select(Item.id).where(Item.organisation_id == other)).one()

    assert author.get("/staff/banks/theirs").status_code == 404
    for what in ("", "/preview?language=en", f"/media/{'0' * 64}"):
        assert author.get(f"/staff/items/{theirs}{what}").status_code == 404
    author.get("/staff/banks")
    assert "theirs" not in author.page
    assert author.post(f"/staff/items/{theirs}/comment", {"text": "x"}).status_code == 404


def test_the_item_page_has_key_rationale_and_history(staff, item_id, hall, tmp_path):
    reworded(hall, tmp_path)
    author = staff("author")
    author.get(f"/staff/items/{item_id}")

    assert re.search(r"<dt>correct</dt><dd>B</dd>", author.page)
    assert "Revision 2" in author.page
    assert "<del>What</del>" in author.page
    assert "<ins>How much</ins>" in author.page
    assert "<b>now" not in author.page


# --- previews ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words", "confirm"),
    [
        ("en", "What is 1 + 2?", "Confirm answer"),
        ("ru", "Сколько будет 1 + 2?", "Подтвердить ответ"),
    ],
)
def test_a_preview_is_what_a_candidate_sees_in_each_language(
    staff, item_id, language, words, confirm
):
    author = staff("author")
    response = author.get(f"/staff/items/{item_id}/preview?language={language}")

    assert words in response.text
    assert confirm in response.text
    assert f'<html lang="{language}"' in response.text
    assert "correct" not in response.text


def test_a_preview_stands_in_frames_of_this_site_and_no_other_page_does(staff, item_id):
    author = staff("author")
    page = author.get(f"/staff/items/{item_id}")
    framed = author.get(f"/staff/items/{item_id}/preview?language=en")
    other = author.get("/staff/banks")

    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'self'" in framed.headers["Content-Security-Policy"]
    assert "form-action 'none'" in framed.headers["Content-Security-Policy"]
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-src" not in other.headers["Content-Security-Policy"]
    assert other.headers["X-Frame-Options"] == "DENY"


def test_there_is_no_preview_in_a_language_without_a_text_and_no_foreign_medium(staff, item_id):
    author = staff("author")

    assert author.get(f"/staff/items/{item_id}/preview?language=tg").status_code == 404
    assert author.get(f"/staff/items/{item_id}/media/{'0' * 64}").status_code == 404


# --- acts --------------------------------------------------------------------------------------


def act(visitor, item_id, what, **form):
    visitor.get(f"/staff/items/{item_id}")
    seen = visitor.field("seen")
    return visitor.post(f"/staff/items/{item_id}/{what}", {"seen": seen} | form)


def test_a_move_is_made_kept_and_said(staff, item_id, hall):
    psychometrician = staff("psychometrician")
    response = act(psychometrician, item_id, "move", to="retired", reason="worn out")
    psychometrician.get(response.headers["Location"])
    (move,) = rows(hall, ItemMove)

    assert response.status_code == 303
    assert "The item is now retired." in psychometrician.page
    assert (move.to_state, move.role, move.reason) == ("retired", "psychometrician", "worn out")


@pytest.mark.parametrize(
    ("role", "form", "status"),
    [
        ("author", {"to": "retired", "reason": "x"}, 403),
        ("author", {"to": "held", "reason": "x"}, 403),
        ("examiner", {"to": "retired", "reason": "x"}, 403),
        ("administrator", {"to": "pretest", "reason": ""}, 409),
        ("administrator", {"to": "reviewed", "reason": "x"}, 409),
        ("administrator", {"to": "ready", "reason": "x"}, 422),
        ("examiner", {"to": "held", "reason": " "}, 422),
        ("examiner", {"to": "held", "reason": "x" * 201}, 422),
        ("administrator", {"to": "draft", "reason": "x" * 1001}, 422),
    ],
)
def test_a_move_that_is_refused_changes_nothing(staff, item_id, hall, role, form, status):
    visitor = staff(role)
    response = act(visitor, item_id, "move", **form)

    assert response.status_code == status
    assert rows(hall, ItemMove) == []
    if status != 403:
        assert "Nothing was changed." in visitor.page


def test_a_page_offers_the_moves_of_its_reader_only(staff, item_id):
    offered = {}
    for role in EVERYBODY:
        visitor = staff(role)
        visitor.get(f"/staff/items/{item_id}")
        offered[role] = set(re.findall(r'name="to" value="(\w+)"', visitor.page))

    assert offered == {
        "examiner": {"held"},
        "author": set(),
        "psychometrician": {"draft", "pretest", "held", "retired"},
        "administrator": {"draft", "pretest", "held", "retired"},
    }


def test_a_hold_is_placed_by_an_examiner_and_lifted_by_others(staff, item_id, hall):
    examiner, administrator = staff("examiner"), staff("administrator")

    assert act(examiner, item_id, "move", to="held", reason="seen on a forum").status_code == 303
    assert act(examiner, item_id, "release-hold").status_code == 403
    assert act(administrator, item_id, "release-hold").status_code == 303
    assert act(administrator, item_id, "release-hold").status_code == 409
    kinds = [event.kind for event in rows(hall, SiteEvent)]
    assert kinds.count("item_held") == kinds.count("item_hold_lifted") == 1


def test_texts_are_signed_off_by_language_but_not_ones_own_review(staff, item_id, hall, tmp_path):
    author, examiner = staff("author"), staff("examiner")
    home = organisation(hall.db)
    editor = actor_by_email(hall.db, "author@example.org", organisation_id=home)
    reworded(hall, tmp_path, terms=Terms(status="draft", editor=editor))
    before = len(rows(hall, SignOff))

    assert act(author, item_id, "sign-off", language="").status_code == 403
    assert act(examiner, item_id, "sign-off", language="").status_code == 303
    assert act(examiner, item_id, "sign-off", language="").status_code == 409
    assert act(examiner, item_id, "sign-off", language="tg").status_code == 409
    assert len(rows(hall, SignOff)) == before + 1


def test_a_text_that_changed_since_it_was_read_is_not_signed_off(staff, item_id, hall, tmp_path):
    author = staff("author")
    author.get(f"/staff/items/{item_id}")
    seen = author.field("seen")
    reworded(hall, tmp_path)
    response = author.post(f"/staff/items/{item_id}/sign-off", {"seen": seen, "language": ""})

    assert response.status_code == 409
    assert "was edited meanwhile" in author.page


def test_comments_are_kept_and_shown_without_markup(staff, item_id, hall):
    author = staff("author")
    response = act(author, item_id, "comment", text="<script>x</script> Clearer?", language="ru")
    author.get(response.headers["Location"])

    assert "&lt;script&gt;x&lt;/script&gt; Clearer?" in author.page
    assert rows(hall, ItemComment)[0].language == "ru"
    assert act(author, item_id, "comment", text="  ").status_code == 422


@pytest.mark.parametrize("what", ["move", "release-hold", "sign-off", "comment"])
def test_nothing_is_done_without_the_token_of_the_page(staff, item_id, hall, what):
    administrator = staff("administrator")
    response = administrator.client.post(
        f"/staff/items/{item_id}/{what}", data={"to": "retired", "reason": "x", "text": "x"}
    )

    assert response.status_code == 400
    assert rows(hall, ItemMove) == []


def test_every_type_of_item_has_a_page_and_a_preview_with_its_media(staff, hall, tmp_path):
    open_type_exam(hall.db, tmp_path)
    author = staff("author")
    with hall.db.read() as session:
        ids = session.scalars(select(Item.id).where(Item.code.not_like("S-%"))).all()
    media = set()
    for item_id in ids:
        assert author.get(f"/staff/items/{item_id}").status_code == 200
        shown = author.get(f"/staff/items/{item_id}/preview?language=en")
        assert shown.status_code == 200
        media |= set(re.findall(rf"/staff/items/{item_id}/media/\w{{64}}", shown.text))

    assert len(ids) >= 9
    assert media
    for address in media:
        response = author.get(address)
        assert (response.status_code, response.mimetype.split("/")[0] in {"image", "audio"}) == (
            200,
            True,
        )
