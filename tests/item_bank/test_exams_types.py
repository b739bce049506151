"""Whole sittings of items of every type, with stimuli: scored, kept together, replayed, audited."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from support import item_types
from support.item_types import MEDIA
from support.sittings import EXAM, begin, open_hall, saying

from engine.randomness import uniform
from item_bank.demo.answers import answer_worth
from item_bank.exams.answering import answer
from item_bank.exams.candidate_views import view
from item_bank.exams.questions import checked, shown_question
from item_bank.exams.replay import replay
from item_bank.exams.verification import verify
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.items import revision
from item_bank.items.releases import publish, release_items
from item_bank.items.scoring import max_score
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import PresentedItem, Response, ResponseContent

PLAIN = (
    EXAM.replace('bank = "small"', 'bank = "types"')
    .replace('languages = ["en", "ru"]', 'languages = ["en"]')
    .replace("[selection.content]\nsmall = 0.5\nlarge = 0.5\n", "")
    .replace("se = 0.3\nmin_items = 4\nmax_items = 8", "length = 14")
)
SETS = """
[blueprint]
[blueprint.sets]
min_items = 2
max_items = 3
[[levels]]"""


@pytest.fixture
def bank(db, tmp_path):
    """Two items of every type, three of them about one map, three about another."""
    content = item_types.document(stimuli=True)
    del content["items"][2]["variants"]["ru"], content["items"][2]["key"]["accepted"]["ru"]
    second = [{**item, "code": item["code"] + "b"} for item in content["items"]]
    content["items"] += second
    for place, item in enumerate(content["items"]):
        if place % 3 == 0:
            item["stimulus"] = "MAP" if place < 9 else "RADIO"
    path = item_types.write(tmp_path, content, MEDIA)
    import_bank(db, read_json(path), organisation_id=organisation(db))
    return publish(db, "types", organisation_id=organisation(db))


def under_names_of(page, own, response):
    """A response with the author's ids under the names that its page gave to them."""

    def names(of_page, of_author):
        return {a.id: p.id for p, a in zip(of_page, of_author, strict=True)}

    if not isinstance(response, str):
        if page.gaps:
            pairs = {a.id: (p, a) for p, a in zip(page.gaps, own.gaps, strict=True)}
            return {
                pairs[gap][0].id: names(pairs[gap][0].options, pairs[gap][1].options)[chosen]
                for gap, chosen in response.items()
            }
        if page.rows:
            rows, columns = names(page.rows, own.rows), names(page.columns, own.columns)
            return {rows[row]: columns[column] for row, column in response.items()}
        known = names(page.options, own.options) | names(page.areas, own.areas)
        return [known[one] for one in response]
    return names(page.options, own.options).get(response, response)


def sit(hall):
    """Answer every question with a response of a drawn score."""
    now, given = begin(hall, hall.alice), []
    while now.question is not None:
        with hall.db.read() as session:
            row = session.get_one(PresentedItem, (now.sitting_id, now.position))
        of = revision(hall.db, row.revision_id)
        draw = uniform(7, now.position, "score")[0]
        points = int(draw * (max_score(of.type, of.key) + 1))
        said = answer_worth(of.type, of.key, "en", points, float(draw))
        hall.clock.pass_seconds(20)
        own = shown_question(hall.db, row, str)
        named = None if said is None else under_names_of(now.question.shown, own, said)
        answer(
            hall.db,
            hall.alice,
            now.sitting_id,
            position=now.position,
            epoch=now.epoch,
            key=f"key-{now.position}",
            read=saying(named),
        )
        given.append(said)
        now = view(hall.db, hall.alice, now.sitting_id)
    return now, given


def recorded(db, sitting_id):
    with db.read() as session:
        wanted = select(PresentedItem, Response, ResponseContent).where(
            PresentedItem.sitting_id == sitting_id,
            Response.sitting_id == sitting_id,
            ResponseContent.sitting_id == sitting_id,
            Response.position == PresentedItem.position,
            ResponseContent.position == PresentedItem.position,
        )
        return session.execute(wanted.order_by(PresentedItem.position)).all()


def test_a_sitting_of_every_type_is_scored_and_replays(db, bank):
    hall = open_hall(db, exam=PLAIN)

    end, given = sit(hall)
    rows = recorded(hall.db, end.sitting_id)

    assert end.stop_reason == "length"
    assert {revision(hall.db, shown.revision_id).type for shown, _, _ in rows} > {"order", "match"}
    assert max(response.score for _, response, _ in rows) >= 2
    for shown, _, content in rows:
        of = revision(hall.db, shown.revision_id)
        said = given[shown.position - 1]
        assert content.content == {"response": checked(hall.db, shown.revision_id, said)}
        if of.type == "order":
            assert shown.choice_order != of.key["correct"]
        if of.type == "match":
            assert sorted(shown.choice_order) == of.key["columns"]
    assert replay(hall.db, end.sitting_id).problems == ()
    assert verify(hall.db).problems == ()


def test_items_of_a_stimulus_stay_together(db, bank):
    hall = open_hall(db, exam=PLAIN.replace("\n[[levels]]", SETS, 1))

    end, _ = sit(hall)
    release = release_items(hall.db, bank.id, "en")
    names = [
        release.items.attributes.stimulus[shown.row]
        for shown, _, _ in recorded(hall.db, end.sitting_id)
    ]

    for name in ("MAP", "RADIO"):
        places = [place for place, one in enumerate(names) if one == name]
        assert places == list(range(places[0], places[0] + len(places))) if places else True
    assert "MAP" in names or "RADIO" in names
    assert replay(hall.db, end.sitting_id).problems == ()
