"""Releases: immutable, complete in every language, and cached as arrays."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from support.banks import small_bank_document

from engine.errors import AnswerIsNo, InputError
from item_bank.items.authoring.moves import move_item
from item_bank.items.calibrations import DraftRow, discard_draft, record_run, save_draft
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.items import (
    held_codes,
    hold_item,
    release_hold,
    revision,
)
from item_bank.items.life_cycle import Actor, State
from item_bank.items.presentation import variant_content
from item_bank.items.releases import (
    latest_release,
    missing_variants,
    publish,
    release_by_number,
    release_items,
    release_parameters,
)
from item_bank.items.scoring import max_score, score
from item_bank.store.schema import organisation


def imported(db, tmp_path, change=None, **options):
    document = small_bank_document()
    if change:
        change(document)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    return import_bank(db, read_json(path), organisation_id=organisation(db), **options)


def test_a_release_has_every_item_in_file_order_in_every_language(db, small_bank):
    english = release_items(db, small_bank.id, "en")
    russian = release_items(db, small_bank.id, "ru")

    assert small_bank.languages == ("en", "ru")
    assert english.items.item == tuple(f"S-{n:02}" for n in range(1, 13))
    assert english.revision_ids == russian.revision_ids
    assert english.items.b[0] == -2
    assert english.items.content[:2] == ("small", "large")
    assert english.note["en"] == "Illustrative parameters."


def test_arrays_of_a_release_are_loaded_once(db, small_bank):
    again = release_parameters(db, "small", organisation_id=organisation(db), language="ru")

    assert again is release_items(db, small_bank.id, "ru")


def test_a_language_that_a_release_lacks_is_refused(db, small_bank):
    with pytest.raises(InputError, match="en, ru, found 'tg'"):
        release_items(db, small_bank.id, "tg")


def test_releases_and_revisions_never_change(db, small_bank):
    for table in ("releases", "release_items", "item_revisions", "item_variants"):
        for act in (f"UPDATE {table} SET organisation_id = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="append-only"), db.write() as session:
                session.execute(text(act))


def test_publishing_again_without_a_change_is_refused(db, small_bank, tmp_path):
    report = imported(db, tmp_path)

    assert not report.changed
    with pytest.raises(AnswerIsNo, match="nothing to publish"):
        publish(db, "small", organisation_id=organisation(db))


def test_a_new_text_is_a_new_revision_and_leaves_the_old_release_alone(db, small_bank, tmp_path):
    def reworded(document):
        document["items"][0]["variants"]["en"]["stem"] = "How much is 1 + 2?"

    report = imported(db, tmp_path, reworded)
    second = publish(db, "small", organisation_id=organisation(db))
    old = release_items(db, small_bank.id, "en").revision_ids[0]
    new = release_items(db, second.id, "en").revision_ids[0]

    assert report.revised == ("S-01",)
    assert (revision(db, old).number, revision(db, new).number) == (1, 2)
    assert variant_content(db, old, "en")["stem"] == "What is 1 + 2?"
    assert variant_content(db, new, "en")["stem"] == "How much is 1 + 2?"


def test_a_retired_item_is_left_out_of_the_next_release(db, small_bank):
    home = organisation(db)
    move_item(db, "small", "S-03", State.RETIRED, Actor(), "worn", organisation_id=home)

    second = publish(db, "small", organisation_id=home)

    assert "S-03" not in release_items(db, second.id, "en").items.item
    assert "S-03" in release_items(db, small_bank.id, "en").items.item
    with pytest.raises(AnswerIsNo, match="retired already"):
        move_item(db, "small", "S-03", State.RETIRED, Actor(), "worn", organisation_id=home)


def test_a_dry_run_keeps_nothing(db, tmp_path):
    report = imported(db, tmp_path, dry_run=True)

    assert len(report.new) == 12
    with pytest.raises(InputError, match="no bank yet"):
        publish(db, "small", organisation_id=organisation(db))


def test_a_calibration_draft_changes_only_its_items(db, small_bank):
    home = organisation(db)
    first = release_items(db, small_bank.id, "en")
    run = record_run(
        db,
        organisation_id=home,
        bank_code="small",
        base_release_id=small_bank.id,
        data_hash="0" * 64,
        settings={},
        summary={"converged": True},
    )
    row = DraftRow(first.revision_ids[4], "", "2pl", {"a": 1.5, "b": 0.25}, {"a": 0.1, "b": 0.05})
    number = save_draft(
        db,
        organisation_id=home,
        bank_code="small",
        source="calibration",
        run_id=run,
        base_release_id=small_bank.id,
        rows=[row],
    )

    second = release_items(db, publish(db, "small", organisation_id=home).id, "ru")

    assert number == 2
    assert (second.items.a[4], second.items.b[4], second.se[4]["b"]) == (1.5, 0.25, 0.05)
    assert list(second.items.b[5:]) == list(first.items.b[5:])


def test_parameters_can_be_split_by_language(db, small_bank):
    home = organisation(db)
    first = release_items(db, small_bank.id, "en")
    row = DraftRow(first.revision_ids[0], "ru", "2pl", {"a": 1.0, "b": -1.0})
    given = {"bank_code": "small", "source": "calibration", "run_id": None}
    save_draft(db, organisation_id=home, base_release_id=small_bank.id, rows=[row], **given)

    second = publish(db, "small", organisation_id=home)

    assert release_items(db, second.id, "en").items.b[0] == -2
    assert release_items(db, second.id, "ru").items.b[0] == -1


def test_a_second_draft_keeps_the_rows_of_the_first(db, small_bank):
    home = organisation(db)
    ids = release_items(db, small_bank.id, "en").revision_ids
    given = {"bank_code": "small", "source": "calibration", "run_id": None}
    for position in (0, 1):
        rows = [DraftRow(ids[position], "", "2pl", {"a": 1.0, "b": 3.0})]
        save_draft(db, organisation_id=home, base_release_id=small_bank.id, rows=rows, **given)

    second = release_items(db, publish(db, "small", organisation_id=home).id, "en")

    assert list(second.items.b[:2]) == [3, 3]


def test_a_discarded_draft_is_not_published(db, small_bank):
    home = organisation(db)
    ids = release_items(db, small_bank.id, "en").revision_ids
    rows = [DraftRow(ids[0], "", "2pl", {"a": 1.0, "b": 3.0})]
    given = {"bank_code": "small", "source": "calibration", "run_id": None}
    save_draft(db, organisation_id=home, base_release_id=small_bank.id, rows=rows, **given)

    discard_draft(db, "small", organisation_id=home)

    with pytest.raises(AnswerIsNo, match="nothing to publish"):
        publish(db, "small", organisation_id=home)


def test_parameters_that_the_engine_refuses_are_not_published(db, small_bank):
    home = organisation(db)
    ids = release_items(db, small_bank.id, "en").revision_ids
    rows = [DraftRow(ids[0], "", "2pl", {"a": -1.0, "b": 3.0})]
    given = {"bank_code": "small", "source": "calibration", "run_id": None}
    save_draft(db, organisation_id=home, base_release_id=small_bank.id, rows=rows, **given)

    with pytest.raises(InputError, match="item S-01: a"):
        publish(db, "small", organisation_id=home)

    with db.read() as session:
        assert latest_release(session, small_bank.bank_id).number == 1


def test_another_organisation_does_not_see_a_bank(db, small_bank):
    with pytest.raises(InputError, match="no bank yet"):
        release_parameters(db, "small", organisation_id="another")


def test_a_release_number_that_is_none_is_named(db, small_bank):
    with db.read() as session, pytest.raises(InputError, match="from 1 to 1, found 7"):
        release_by_number(session, small_bank.bank_id, 7)


def test_missing_texts_are_listed_by_item_and_language(db, tmp_path):
    def without_russian(document):
        document["bank"]["languages"] = ["en"]
        del document["items"][1]["variants"]["ru"]

    imported(db, tmp_path, without_russian)
    release = publish(db, "small", organisation_id=organisation(db))

    assert missing_variants(db, release.id, ["en", "ru"]) == [("S-02", "ru")]
    assert len(release_items(db, release.id, "ru").items) == 12
    with pytest.raises(InputError, match="item S-02: expected text in language ru, found none"):
        variant_content(db, release_items(db, release.id, "ru").revision_ids[1], "ru")


def test_a_hold_is_placed_and_lifted(db, small_bank):
    home = organisation(db)
    hold_item(db, "small", "S-05", "seen on a forum", organisation_id=home)
    with db.read() as session:
        assert held_codes(session, small_bank.bank_id) == {"S-05"}
    with pytest.raises(AnswerIsNo, match="held already"):
        hold_item(db, "small", "S-05", "again", organisation_id=home)

    release_hold(db, "small", "S-05", organisation_id=home)

    with db.read() as session:
        assert held_codes(session, small_bank.bank_id) == frozenset()


def test_items_are_scored_by_the_key_of_their_revision(db, small_bank):
    of = revision(db, release_items(db, small_bank.id, "en").revision_ids[0])

    assert of.key["correct"] == "B"
    assert [score(of.type, of.key, answer) for answer in ("A", "B", None)] == [0, 1, 0]
    assert max_score(of.type, of.key) == 1
    with pytest.raises(InputError, match="one of the item's choices, found 'E'"):
        score(of.type, of.key, "E")
