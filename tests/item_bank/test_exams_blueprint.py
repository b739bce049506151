"""Exams with a blueprint: kept in a real sitting, replayed, and refused when the bank cannot."""

from __future__ import annotations

import json
import tomllib

import pytest
from sqlalchemy import select
from support.banks import small_bank_document
from support.sittings import EXAM, begin, finish, open_hall

from engine.errors import InputError
from item_bank.exams.designs import apply_exam, current_version
from item_bank.exams.replay import replay
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.releases import publish
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import PresentedItem

BLUEPRINT = """
[blueprint]
method = "{method}"
seconds = {seconds}
enemies = [["S-01", "S-02", "S-03"]]
excluded = ["S-12"]
[blueprint.content]
small = {{ minimum = 3, maximum = 4 }}
[blueprint.labels.key]
"*" = {{ maximum = 3 }}
[[levels]]"""


def exam_with(method, seconds=5.0):
    plain = EXAM.replace("[selection.content]\nsmall = 0.5\nlarge = 0.5\n", "")
    return plain.replace("\n[[levels]]", BLUEPRINT.format(method=method, seconds=seconds), 1)


@pytest.fixture
def hall(db, small_bank):
    return open_hall(db)


def sit(hall, text):
    loaded, _ = apply_exam(hall.db, text, organisation_id=hall.alice.organisation_id)
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    with hall.db.read() as session:
        query = select(PresentedItem).where(PresentedItem.sitting_id == end.sitting_id)
        presented = session.scalars(query.order_by(PresentedItem.position)).all()
    return current_version(hall.db, loaded.exam_id), end, presented


@pytest.mark.parametrize("method", ["masks", "priority_index", "shadow_test"])
def test_a_sitting_keeps_its_blueprint_and_replays(hall, method):
    _, end, presented = sit(hall, exam_with(method))
    rows = {item.row for item in presented}
    assert 3 <= len(rows & {0, 2, 4, 6, 8, 10}) <= 4
    assert len(rows & {0, 1, 2}) <= 1
    assert 11 not in rows
    assert replay(hall.db, end.sitting_id).problems == ()


def test_searches_that_the_clock_stops_are_logged_and_replay(hall):
    _, end, presented = sit(hall, exam_with("shadow_test", seconds=1e-9))
    assert {event for item in presented for event in item.trace["events"]} == {"no_shadow_form"}
    assert replay(hall.db, end.sitting_id).problems == ()


@pytest.mark.parametrize("seconds", [5.0, 1e-9])
def test_a_sitting_of_stages_replays(hall, seconds):
    text = exam_with("shadow_test", seconds).replace("enemies =", "stages = STAGES\nenemies =", 1)
    length = tomllib.loads(text.replace("STAGES", "[]"))["stopping"]
    length = length.get("length") or length["max_items"]
    text = text.replace("STAGES", f"[2, {length - 2}]").replace("randomesque = 2", "")
    _, end, presented = sit(hall, text)
    said = [item.trace["stage"] for item in presented]
    assert [one["number"] for one in said] == [1, 1, *[2] * (len(said) - 2)]
    if seconds > 1:
        items = [item.row for item in presented]
        assert said[0]["items"] == items[:2]
        assert said[-1]["items"][: len(items) - 2] == items[2:]
    assert replay(hall.db, end.sitting_id).problems == ()


def test_a_blueprint_that_the_bank_cannot_keep_is_refused_with_the_conflict(hall):
    text = exam_with("masks").replace("minimum = 3, maximum = 4", "minimum = 6")
    with pytest.raises(InputError, match=r"a conflict between: .*content small at least 6"):
        apply_exam(hall.db, text, organisation_id=hall.alice.organisation_id)


TOTALS = """
[blueprint]
[blueprint.totals]
words = { maximum = 60 }
[blueprint.labels.topic]
odd = { minimum = 4 }
[[levels]]"""


def described(number):
    return {"words": number, "seconds": 30, "labels": {"topic": "odd" if number % 2 else "even"}}


@pytest.fixture
def described_bank(db, tmp_path):
    document = small_bank_document()
    for number, item in enumerate(document["items"], start=1):
        item.update(described(number))
    path = tmp_path / "described.json"
    path.write_text(json.dumps(document))
    import_bank(db, read_json(path), organisation_id=organisation(db))
    return publish(db, "small", organisation_id=organisation(db))


def test_totals_and_labels_of_a_bank_bound_its_sittings(db, described_bank):
    plain = EXAM.replace("[selection.content]\nsmall = 0.5\nlarge = 0.5\n", "")
    _, end, presented = sit(open_hall(db), plain.replace("\n[[levels]]", TOTALS, 1))
    rows = [item.row for item in presented]
    assert sum(row + 1 for row in rows) <= 60
    assert sum(row % 2 == 0 for row in rows) >= 4
    assert replay(db, end.sitting_id).problems == ()
