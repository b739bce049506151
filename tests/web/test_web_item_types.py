"""Item types over plain forms: problems, media, practice."""

from __future__ import annotations

import re

import pytest
from support.type_exams import open_type_exam
from support.visitors import Visitor

from item_bank.exams.replay import sitting_ids
from item_bank.exams.snapshots import read_snapshot
from item_bank.store.tables.sittings import SittingEvent
from web.app import create_app
from web.practice.pool import FOLDER, practice_types
from web.settings import Settings


@pytest.fixture
def site(db, tmp_path):
    """The site of the exam with every type, and its signed-in candidate."""
    code = open_type_exam(db, tmp_path)
    one = Visitor(create_app(db, Settings(debug=True)))
    one.sign_in(code)
    one.db = db
    return one


def kind(page: str) -> str:
    return re.search(r'data-type="(\w+)"', page)[1]


def until(site: Visitor, sitting: str, wanted: str) -> None:
    while kind(site.page) != wanted:
        leave(site, sitting)


def leave(site: Visitor, sitting: str) -> None:
    site.get(post(site, sitting, without="1").headers["Location"])


def post(site: Visitor, sitting: str, **fields):
    form = {name: site.field(name) for name in ("position", "epoch", "key")}
    return site.post(f"/sitting/{sitting}/answer", form | fields)


def test_a_number_that_is_none_is_asked_about_and_kept_in_its_field(site):
    sitting = site.begin()
    until(site, sitting, "numeric_entry")
    response = post(site, sitting, text="about 4")

    assert response.status_code == 422
    assert "This does not read as a number." in site.page
    assert 'value="about 4"' in site.page
    assert post(site, sitting, text="about 4", anyway="1").status_code == 303


def test_places_that_do_not_fit_are_asked_about_until_they_do(site):
    sitting = site.begin()
    until(site, sitting, "order")
    lines = re.findall(r'name="(at\.\w+)"', site.page)
    same = dict.fromkeys(lines, "1")
    assert post(site, sitting, **same, anyway="1").status_code == 422
    assert "Give every line a place of its own." in site.page
    assert site.page.count("<option selected>1</option>") == 4
    assert post(site, sitting).status_code == 422
    assert post(site, sitting, as_shown="1").status_code == 303


def test_what_the_page_could_not_send_is_logged_and_not_scored(site):
    sitting = site.begin()
    until(site, sitting, "match")
    rows = re.findall(r'name="(at\.\w+)"', site.page)
    position = int(site.field("position"))
    assert post(site, sitting, **{rows[0]: "f" * 16}).status_code == 400

    with site.db.read() as session:
        assert len(read_snapshot(site.db, session, sitting).responses) == position - 1
        kinds = [e.kind for e in session.query(SittingEvent).filter_by(sitting_id=sitting)]
    assert kinds.count("foreign_answer_refused") == 1


def test_a_medium_is_sent_in_ranges_to_its_own_question_alone(site, db):
    sitting = site.begin()
    until(site, sitting, "multiple_response")
    sound = re.search(r'<source src="([^"]+)" type="audio/wav"', site.page)[1]
    content = (FOLDER / "media/tones.wav").read_bytes()
    whole = site.get(sound)
    part = site.get(sound, headers={"Range": "bytes=100-199"})

    assert (whole.status_code, whole.mimetype, whole.data) == (200, "audio/wav", content)
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Cache-Control"] == "no-store"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert "media-src 'self'" in whole.headers["Content-Security-Policy"]
    assert (part.status_code, part.data) == (206, content[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(content)}"
    assert site.get(sound, headers={"Range": f"bytes={len(content)}-"}).status_code == 416
    assert site.get(sound[:-1] + "x").status_code == 404
    assert Visitor(site.client.application).get(sound).status_code == 303
    site.get(f"/sitting/{sitting}")
    while f"/sitting/{sitting}/answer" in site.page:
        leave(site, sitting)
    assert site.get(sound).status_code == 404


def test_practice_has_a_question_of_each_type_and_writes_nothing(site):
    site.get("/home")
    start = re.search(r'href="(/start/\w+)"', site.page)[1]
    site.get(start)
    assert f"{start}/practice/1" in site.page
    assert "you should hear three tones" in site.page
    for step in range(1, len(practice_types()) + 1):
        site.get(f"{start}/practice/{step}")
        assert f"Practice {step} of 9" in site.page
        assert site.post(f"{start}/practice/{step}").status_code == 422
        assert "You have not given an answer." in site.page
        assert site.post(f"{start}/practice/{step}", {"without": "1"}).status_code == 303
    assert site.get(f"{start}/practice/10").status_code == 200
    assert site.get(f"{start}/practice/11").status_code == 404
    assert site.post(f"{start}/practice/1", {"choice": "Z"}).status_code == 400
    assert sitting_ids(site.db) == []


def test_practice_is_of_the_types_of_the_exam_alone(alice):
    alice.get("/home")
    start = re.search(r'href="(/start/\w+)"', alice.page)[1]
    alice.get(f"{start}/practice/1")

    assert "Practice 1 of 1" in alice.page
    alice.get(start)
    assert "three tones" not in alice.page


@pytest.mark.parametrize("language", ["en", "ru", "tg", "zh"])
def test_the_style_guide_shows_every_type(site, language):
    site.get(f"/styleguide?lang={language}")

    for name in practice_types():
        assert f'<section class="stack" id="{name}">' in site.page
