"""A question in another language: where the exam allows it, with the draft, and in the log."""

from __future__ import annotations

import re

import pytest
from support.banks import small_bank_document
from support.sittings import EXAM, open_hall
from support.visitors import HTMX, Visitor

from engine.errors import InputError
from item_bank.exams.designs import apply_exam, shared_parameters
from item_bank.exams.languages import changes_of_language
from item_bank.exams.replay import replay
from item_bank.exams.snapshots import read_snapshot
from item_bank.items.bank_files import Parameters
from item_bank.store.schema import organisation
from web.app import create_app
from web.settings import Settings

SWITCHING = EXAM.replace("time_limit_minutes", "language_switch = true\ntime_limit_minutes")


@pytest.fixture
def switching(db, small_bank):
    return open_hall(db, exam=SWITCHING)


@pytest.fixture
def person(switching) -> Visitor:
    one = Visitor(create_app(switching.db, Settings()))
    one.sign_in(switching.codes["Alice"])
    return one


def switch(person: Visitor, sitting: str, language: str, **fields):
    form = {name: person.field(name) for name in ("position", "epoch", "key")}
    options = {"headers": fields.pop("headers", None)}
    return person.post(
        f"/sitting/{sitting}/language", form | {"language": language} | fields, **options
    )


@pytest.mark.parametrize("headers", [None, HTMX])
def test_a_question_is_shown_in_another_language_with_what_was_chosen(person, headers):
    sitting = person.begin()
    assert "What is" in person.page
    chosen = person.choices()[2]
    response = switch(person, sitting, "ru", choice=chosen, headers=headers)

    assert response.status_code == 200
    assert "Сколько будет" in response.text
    assert f'value="{chosen}" checked' in response.text
    assert person.choices()[2] == chosen
    assert "Confirm answer" in response.text


def test_the_log_has_the_language_of_every_presentation_and_replays(person, switching):
    sitting = person.begin()
    switch(person, sitting, "ru")
    switch(person, sitting, "ru")
    person.get(f"/sitting/{sitting}")
    person.finish(sitting)

    with switching.db.read() as session:
        snapshot = read_snapshot(switching.db, session, sitting)
        assert changes_of_language(session, sitting) == [(1, "ru")]
    languages = [row.language for row in snapshot.presented]
    assert languages == ["en", *["ru"] * (len(languages) - 1)]
    assert replay(switching.db, sitting).problems == ()


def test_the_page_before_says_so(person):
    person.get("/home")
    person.get(re.search(r"/start/\w+", person.page)[0])

    assert "You can change the language of each question" in person.page


@pytest.mark.parametrize("language", ["zh", "", "xx"])
def test_a_language_that_the_exam_has_not_is_refused(person, language):
    sitting = person.begin()

    assert switch(person, sitting, language).status_code == 409


def test_an_exam_that_does_not_allow_it_neither_offers_nor_does_it(alice):
    sitting = alice.begin()

    assert f"/sitting/{sitting}/language" not in alice.page
    assert switch(alice, sitting, "ru").status_code == 409


def test_an_exam_whose_languages_have_their_own_parameters_cannot_switch(db, small_bank):
    assert isinstance(Parameters, type)
    home = organisation(db)
    exam, _ = apply_exam(db, SWITCHING, organisation_id=home)
    assert shared_parameters(db, exam) == "shared by all languages"
    _publish_with_own_parameters(db)

    with pytest.raises(InputError, match="language_switch: expected false"):
        apply_exam(db, SWITCHING, organisation_id=home)
    exam, _ = apply_exam(db, EXAM, organisation_id=home)
    assert shared_parameters(db, exam) == "each language has its own"


def _publish_with_own_parameters(db) -> None:
    import json
    import tempfile
    from pathlib import Path

    from item_bank.items.formats.json_file import read_json
    from item_bank.items.imports import import_bank
    from item_bank.items.releases import publish

    document = small_bank_document()
    for item in document["items"]:
        own = item["parameters"]
        harder = own | {"b": own["b"] + 0.2}
        item["parameters"] = {"by_language": {"en": own, "ru": harder}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bank.json"
        path.write_text(json.dumps(document))
        import_bank(db, read_json(path), organisation_id=organisation(db))
    publish(db, "small", organisation_id=organisation(db))


def test_a_key_that_is_neither_true_nor_false_is_named(db, small_bank):
    wrong = SWITCHING.replace("language_switch = true", 'language_switch = "yes"')
    with pytest.raises(InputError, match="language_switch: expected true or false"):
        apply_exam(db, wrong, organisation_id=organisation(db))
