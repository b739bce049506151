"""Items that are tried out: given, marked, kept for calibration, and without other effect."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update
from support.banks import small_bank_document
from support.sittings import EXAM, begin, finish, open_hall, respond

from engine.errors import InputError
from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import exams_of_candidate, view
from item_bank.exams.designs import apply_exam
from item_bank.exams.replay import replay
from item_bank.exams.responses import recorded_responses
from item_bank.exams.results import result_of
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.items import hold_item
from item_bank.items.releases import publish
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import PresentedItem
from item_bank.store.tables.usage import UsageCounter

TRIED = ("S-05", "S-06", "S-07", "S-08")
EIGHT = EXAM.replace("se = 0.3\nmin_items = 4\nmax_items = 8", "length = 8")
RULES = {
    "set places": "[pretest]\ncount = 2\npositions = [3, 6]\n",
    "drawn places": "[pretest]\ncount = 2\nfirst = 2\nlast = 7\n",
    "d-optimal": '[pretest]\ncount = 2\npositions = [3, 6]\nchoice = "d_optimal"\n',
    "within the length": "[pretest]\ncount = 2\npositions = [3, 6]\ncounts_towards_length = true\n",
}


def trying(rules, text=EIGHT):
    return text.replace("[stopping]", f"{rules}[stopping]")


@pytest.fixture
def bank(db, tmp_path):
    document = small_bank_document(16)
    for item in document["items"]:
        if item["code"] in TRIED:
            item["status"] = "pretest"
    path = tmp_path / "trial.json"
    path.write_text(json.dumps(document))
    import_bank(db, read_json(path), organisation_id=organisation(db))
    return publish(db, "small", organisation_id=organisation(db))


def presented_in(db, sitting_id):
    query = select(PresentedItem).where(PresentedItem.sitting_id == sitting_id)
    with db.read() as session:
        return session.scalars(query.order_by(PresentedItem.position)).all()


@pytest.mark.parametrize("name", RULES)
def test_items_are_tried_out_without_counting_and_the_sitting_replays(db, bank, name):
    hall = open_hall(db, exam=trying(RULES[name]))
    end = finish(hall, hall.alice, begin(hall, hall.alice))

    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    scored = 6 if name == "within the length" else 8
    assert (result["n_items"], len(result["path"])) == (scored, scored)
    assert (result["n_tried_out"], len(result["tried_out"])) == (2, 2)
    assert {step["item"] for step in result["tried_out"]} <= set(TRIED)
    assert not {step["item"] for step in result["path"]} & set(TRIED)
    assert sum(domain["n"] for domain in result["domains"]) == scored
    assert all(step["score"] is not None for step in result["tried_out"])
    assert replay(hall.db, end.sitting_id).problems == ()


@pytest.mark.parametrize("name", RULES)
def test_progress_tells_what_then_happens(db, bank, name):
    hall = open_hall(db, exam=trying(RULES[name]))
    now, total = begin(hall, hall.alice), 8 if name == "within the length" else 10
    offered = exams_of_candidate(hall.db, hall.alice)[0]
    assert offered.min_items <= total <= offered.max_items == total
    while now.question is not None:
        assert now.at_least == now.at_most == total - now.answered
        respond(hall, hall.alice, now)
        now = view(hall.db, hall.alice, now.sitting_id)
    assert now.answered == total


def test_progress_of_an_adaptive_length_stays_within_its_bounds(db, bank):
    hall = open_hall(db, exam=trying(RULES["drawn places"], EXAM.replace("se = 0.3", "se = 0.55")))
    now, told = begin(hall, hall.alice), []
    while now.question is not None:
        told.append((now.answered + now.at_least, now.answered + now.at_most))
        respond(hall, hall.alice, now)
        now = view(hall.db, hall.alice, now.sitting_id)
    assert all(least <= now.answered <= most for least, most in told)


def test_an_answer_to_an_item_on_trial_moves_no_estimate(db, bank):
    hall = open_hall(db, exam=trying(RULES["set places"]))
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    thetas = [presented.trace["theta"] for presented in presented_in(hall.db, end.sitting_id)]
    assert thetas[2] == thetas[3]
    assert thetas[5] == thetas[6]
    assert len(set(thetas)) == 8


def test_the_items_on_trial_get_responses_evenly(db, bank):
    hall = open_hall(
        db, exam=trying(RULES["set places"] + "[exposure]\navoid_earlier = false\n"), attempts=50
    )
    for _ in range(6):
        finish(hall, hall.alice, begin(hall, hall.alice))
    with hall.db.read() as session:
        found = session.scalars(select(UsageCounter).where(UsageCounter.item.in_(TRIED))).all()
    assert sorted(one.given for one in found) == [3, 3, 3, 3]
    assert all(one.knowledge_bb > 0 for one in found)


def test_calibration_gets_the_responses_to_items_on_trial(db, bank):
    hall = open_hall(db, exam=trying(RULES["set places"]))
    finish(hall, hall.alice, begin(hall, hall.alice))

    found = list(recorded_responses(db, "small", organisation_id=organisation(db)))
    assert [one.position for one in found] == list(range(1, 11))
    tried = [one for one in found if one.item in TRIED]
    assert [one.position for one in tried] == [3, 6]
    assert [one.status for one in tried] == ["pretest", "pretest"]
    assert {one.status for one in found if one not in tried} == {"operational"}


def test_nothing_of_today_gets_into_a_replay_with_items_on_trial(db, bank):
    hall = open_hall(db, exam=trying(RULES["d-optimal"]), attempts=3)
    ends = [finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id for _ in range(2)]
    with hall.db.write() as session:
        session.execute(update(UsageCounter).values(given=9, knowledge_aa=4.0, knowledge_bb=1.0))
    for code in TRIED:
        hold_item(hall.db, "small", code, "leaked", organisation_id=organisation(db))
    assert [replay(hall.db, one).problems for one in ends] == [(), ()]


def test_an_item_is_tried_out_once_with_one_person(db, bank):
    hall = open_hall(db, exam=trying(RULES["set places"]), attempts=3)
    results = []
    for _ in range(3):
        end = finish(hall, hall.alice, begin(hall, hall.alice))
        results.append(result_of(hall.db, end.sitting_id, candidate=hall.alice))
        assert replay(hall.db, end.sitting_id).problems == ()
    tried = [step["item"] for result in results for step in result["tried_out"]]
    assert sorted(tried) == sorted(TRIED)
    assert [result["n_items"] for result in results] == [8, 8, 8]
    events = [
        event for one in presented_in(hall.db, end.sitting_id) for event in one.trace["events"]
    ]
    assert events.count("pretest_missing") == 2


def test_a_retake_without_items_on_trial_is_told_its_true_length(db, bank):
    hall = open_hall(db, exam=trying(RULES["set places"]), attempts=3)
    for _ in range(2):
        finish(hall, hall.alice, begin(hall, hall.alice))
    now = begin(hall, hall.alice)
    assert (now.at_least, now.at_most) == (8, 8)


def test_a_late_answer_to_an_item_on_trial_is_late_there(db, bank):
    hall = open_hall(db, exam=trying(RULES["set places"]))
    now = begin(hall, hall.alice)
    for _ in range(2):
        respond(hall, hall.alice, now)
        now = view(hall.db, hall.alice, now.sitting_id)
    hall.clock.pass_seconds(31 * 60)
    assert respond(hall, hall.alice, now) is Outcome.LATE
    result = result_of(hall.db, now.sitting_id, candidate=hall.alice)
    assert (result["n_items"], result["n_tried_out"]) == (2, 0)
    assert [step["late"] for step in result["tried_out"]] == [True]
    assert replay(hall.db, now.sitting_id).problems == ()


@pytest.mark.parametrize(
    ("rules", "text", "message"),
    [
        (
            "[pretest]\ncount = 5\nfirst = 1\nlast = 8\n",
            EIGHT,
            r"pretest\.count: expected at least 5",
        ),
        (RULES["set places"], EIGHT.replace("length = 8", "length = 13"), r"stopping"),
    ],
)
def test_a_bank_without_enough_items_of_either_kind_is_refused(db, bank, rules, text, message):
    with pytest.raises(InputError, match=message):
        apply_exam(db, trying(rules, text), organisation_id=organisation(db), file="e.toml")
    apply_exam(db, trying(RULES["set places"]), organisation_id=organisation(db))


def test_the_command_shows_items_on_trial_apart(db, bank, run_command):
    hall = open_hall(db, exam=trying(RULES["set places"]))
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    status, said, _err = run_command("sitting", "show", end.sitting_id)
    assert status == 0
    before, _, after = said.partition("Tried out, not scored:")
    assert sum(code in after for code in TRIED) == 2
    assert not any(code in before for code in TRIED)
