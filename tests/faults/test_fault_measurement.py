"""Answers and banks that are not as hoped for: cases 31, 32, 33 and 34."""

from __future__ import annotations

import json
import math
import re
from collections import Counter

import pytest
from sqlalchemy import select
from support.banks import small_bank_document
from support.fault_sites import PASSWORD
from support.sittings import EXAM, begin, finish, open_hall, respond, saying
from support.visitors import Visitor

from item_bank.exams.accounts import add_staff
from item_bank.exams.candidate_views import SittingView, view
from item_bank.exams.designs import apply_exam
from item_bank.exams.errors import NotAllowed
from item_bank.exams.replay import replay
from item_bank.exams.results import result_of
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.items import hold_item
from item_bank.items.releases import publish
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import PresentedItem, SittingEvent
from web.app import create_app
from web.settings import Settings


def steps_of(db, sitting_id):
    with db.read() as session:
        found = select(PresentedItem).where(PresentedItem.sitting_id == sitting_id)
        return session.scalars(found.order_by(PresentedItem.position)).all()


def kinds_of(db, sitting_id):
    with db.read() as session:
        found = select(SittingEvent.kind).where(SittingEvent.sitting_id == sitting_id)
        return session.scalars(found).all()


def sum_of(now: SittingView) -> str:
    """What a person who can add chooses."""
    first, second = re.findall(r"\d+", now.question.shown.stem_html)
    return next(
        option.id
        for option in now.question.shown.options
        if option.html == str(int(first) + int(second))
    )


PATTERNS = {
    "all right": sum_of,
    "all wrong": lambda now: next(
        option.id for option in now.question.shown.options if option.id != sum_of(now)
    ),
    "always the first": lambda now: now.question.shown.options[0].id,
    "none answered": lambda _now: None,
}


@pytest.mark.parametrize("final", ["eap", "wle"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_fault_32_one_sided_answers_end_by_rule_with_a_finite_estimate(
    db, small_bank, pattern, final
):
    text = EXAM.replace("[selection]", f'[estimation]\nfinal = "{final}"\n[selection]')
    hall = open_hall(db, exam=text)
    now = begin(hall, hall.alice)
    while now.question is not None:
        respond(hall, hall.alice, now, read=saying(PATTERNS[pattern](now)))
        now = view(hall.db, hall.alice, now.sitting_id)
    result = result_of(hall.db, now.sitting_id, candidate=hall.alice)

    assert result["stop_reason"] in {"se", "max_items"}
    assert math.isfinite(result["estimate"]["theta"])
    assert 0 < result["estimate"]["se"] < math.inf
    assert 300 <= result["score"] <= 700
    assert result["estimate"]["estimator"] == final
    assert replay(hall.db, now.sitting_id).problems == ()


def test_fault_32_the_report_says_that_a_one_sided_score_is_an_estimate(hall, app):
    now = begin(hall, hall.alice)
    while now.question is not None:
        respond(hall, hall.alice, now, read=saying(sum_of(now)))
        now = view(hall.db, hall.alice, now.sitting_id)

    assert "do not bound the score from above: it is an estimate" in report_page(app, hall, now)


def report_page(app, hall, now) -> str:
    """The page of a sitting as an examiner sees it."""
    home = organisation(hall.db)
    add_staff(hall.db, "eva@example.org", "examiner", PASSWORD, organisation_id=home)
    examiner = Visitor(app)
    examiner.sign_in_staff("eva@example.org", PASSWORD)
    return examiner.get(f"/staff/sittings/{now.sitting_id}").text


def hold_unseen(hall, now, *, left: int = 0, odd: bool = False) -> None:
    """Hold the items that a sitting has not met, but for some; of one area, where asked."""
    met = {step.row for step in steps_of(hall.db, now.sitting_id)}
    unseen = [row for row in range(12) if row not in met and not (odd and row % 2)]
    home = organisation(hall.db)
    for row in unseen[left:]:
        hold_item(hall.db, "small", f"S-{row + 1:02}", "leaked", organisation_id=home)


def test_fault_33_an_exhausted_bank_ends_the_sitting_by_name(hall, app):
    now = begin(hall, hall.alice)
    hold_unseen(hall, now, left=2)
    end = finish(hall, hall.alice, now)
    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)

    assert (result["stop_reason"], result["n_items"]) == ("bank_exhausted", 3)
    assert "Bank exhausted." in report_page(app, hall, end)
    assert replay(hall.db, end.sitting_id).problems == ()


BLUEPRINT = """
[blueprint]
method = "shadow_test"
[blueprint.content]
small = { minimum = 4 }
[[levels]]"""


def test_fault_33_a_blueprint_that_becomes_impossible_is_relaxed_by_name(db, small_bank):
    plain = EXAM.replace("[selection.content]\nsmall = 0.5\nlarge = 0.5\n", "")
    hall = open_hall(db, exam=plain.replace("\n[[levels]]", BLUEPRINT, 1))
    now = begin(hall, hall.alice)
    hold_unseen(hall, now, odd=True)
    end = finish(hall, hall.alice, now)
    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)

    assert any("blueprint_relaxed" in step["gave_way"] for step in result["path"])
    page = report_page(create_app(hall.db, Settings()), hall, end)
    assert "Limits of the exam gave way." in page
    assert re.search(r"question \d: blueprint relaxed, [^;]*small", page)
    assert replay(hall.db, end.sitting_id).problems == ()


def test_fault_33_an_area_without_items_is_named(hall, app):
    now = begin(hall, hall.alice)
    hold_unseen(hall, now, odd=True)
    end = finish(hall, hall.alice, now)

    assert re.search(r"gave way.*question \d: small", report_page(app, hall, end))
    assert replay(hall.db, end.sitting_id).problems == ()


def test_fault_34_a_release_that_is_published_meanwhile_leaves_running_sittings_alone(
    db, small_bank, tmp_path
):
    hall = open_hall(db)
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now)
    bank = small_bank_document()
    for item in bank["items"]:
        item["parameters"]["b"] += 1
    file = tmp_path / "harder.json"
    file.write_text(json.dumps(bank))
    import_bank(hall.db, read_json(file), organisation_id=organisation(hall.db))
    assert publish(hall.db, "small", organisation_id=organisation(hall.db)).number == 2
    apply_exam(hall.db, EXAM, organisation_id=organisation(hall.db))
    end = finish(hall, hall.alice, view(hall.db, hall.alice, now.sitting_id))
    after = finish(hall, hall.bob, begin(hall, hall.bob, "ru"))

    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    assert result["release"]["number"] == 1
    first = small_bank_document()["items"]
    asked = {item["code"]: item["parameters"]["b"] for item in first}
    assert all(step["parameters"]["b"] == asked[step["item"]] for step in result["path"])
    theirs = result_of(hall.db, after.sitting_id, candidate=hall.bob)
    assert theirs["release"]["number"] == 2
    assert [replay(hall.db, one.sitting_id).problems for one in (end, after)] == [(), ()]


EXPOSED = "[exposure]\nceiling = 0.6\navoid_earlier = {}\n[stopping]"


def test_fault_31_no_item_is_everyones_item(db, small_bank):
    text = EXAM.replace("[stopping]", EXPOSED.format("false")).replace(
        "max_items = 8", "max_items = 5"
    )
    hall = open_hall(db, exam=text, attempts=20)
    ends = [finish(hall, hall.alice, begin(hall, hall.alice)) for _ in range(12)]
    met = Counter(step.row for end in ends for step in steps_of(hall.db, end.sitting_id))

    assert max(met.values()) <= 0.6 * len(ends) + 1
    assert [replay(hall.db, end.sitting_id).problems for end in ends] == [()] * 12


def test_fault_31_who_comes_again_meets_other_items(db, small_bank):
    text = EXAM.replace("[stopping]", EXPOSED.format("true")).replace(
        "max_items = 8", "max_items = 5"
    )
    hall = open_hall(db, exam=text)
    first, second = (finish(hall, hall.alice, begin(hall, hall.alice)) for _ in range(2))
    met = [{step.row for step in steps_of(hall.db, end.sitting_id)} for end in (first, second)]

    assert not met[0] & met[1]


def test_fault_31_a_page_holds_one_question_and_nothing_of_the_next(site):
    one = site.begun()
    stems = re.findall(r"What is \d+ \+ \d+\?", one.page.text)

    assert len(stems) == 1
    assert not re.search(r"prefetch|preload|S-\d\d", one.page.text)


def test_fault_31_who_has_sat_waits_before_the_next_time(db, small_bank):
    hall = open_hall(db, exam=EXAM.replace("[title]", "[retakes]\nwait_days = 14\n[title]", 1))
    finish(hall, hall.alice, begin(hall, hall.alice))
    hall.clock.pass_seconds(13 * 86_400)
    with pytest.raises(NotAllowed):
        begin(hall, hall.alice)
    hall.clock.pass_seconds(86_400)

    assert begin(hall, hall.alice).position == 1


def test_fault_31_answers_too_quick_to_have_been_read_are_an_event(hall, app):
    now = begin(hall, hall.alice)
    while now.question is not None:
        hall.clock.pass_seconds(0.4)
        respond(hall, hall.alice, now)
        now = view(hall.db, hall.alice, now.sitting_id)
    calm = finish(hall, hall.bob, begin(hall, hall.bob, "ru"))  # 20 seconds for each

    assert "rapid_answers" in kinds_of(hall.db, now.sitting_id)
    assert "rapid_answers" not in kinds_of(hall.db, calm.sitting_id)


def test_fault_31_an_item_that_leaked_leaves_every_running_sitting(hall):
    now = begin(hall, hall.alice)
    hold_unseen(hall, now, left=6)
    end = finish(hall, hall.alice, now)
    unseen = [row for row in range(12) if row != steps_of(hall.db, now.sitting_id)[0].row]

    assert not {step.row for step in steps_of(hall.db, end.sitting_id)} & set(unseen[6:])
    assert replay(hall.db, end.sitting_id).problems == ()
