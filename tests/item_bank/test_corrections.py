"""Corrections: what an amended result says, who signs, and that nothing of the past is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, select, text
from support.corrections import (
    WORDS,
    person,
    put_in_force,
    right_choice,
    seen_effect,
    sit,
    somebody,
    standing,
    wrong_key,
)

from engine.errors import InputError
from engine.results.decisions import scaled
from engine.session import final_estimate
from item_bank.exams.errors import NotAllowed
from item_bank.exams.replay import replay
from item_bank.exams.snapshots import engine_state, read_snapshot
from item_bank.exams.verification import verify
from item_bank.items.items import revision
from item_bank.results.corrections.amending import amended, says_the_same
from item_bank.results.corrections.applying import apply
from item_bank.results.corrections.changes import ALL, IMPOSSIBLE, Wanted, changes_page
from item_bank.results.corrections.dry_run import dry_run
from item_bank.results.corrections.in_force import read_material
from item_bank.results.corrections.listing import correction_view, list_corrections
from item_bank.results.corrections.proposing import (
    propose_cuts,
    propose_drop,
    propose_key,
    withdraw,
)
from item_bank.results.corrections.signing import sign
from item_bank.results.corrections.terms import Rule
from item_bank.results.corrections.undoing import propose_undo
from item_bank.results.corrections.verification import check_corrections
from item_bank.results.replaying import replay_all
from item_bank.results.short_work import HANDLERS
from item_bank.store.jobs import run_pending
from item_bank.store.tables.sittings import ResponseContent, Result


def path_item(content, place=0):
    return content["path"][place]["item"]


def engine_score(hall, sitting, without=None, turned=None):
    """The score that the engine gives the log with one item left out, or its score turned."""
    with hall.db.read() as session:
        snapshot = read_snapshot(hall.db, session, sitting)
    state, codes = engine_state(snapshot), snapshot.release.items.item
    pairs = [
        (row, 1 - score if codes[row] == turned else score)
        for row, score in zip(state.administered, state.scores, strict=True)
        if codes[row] != without
    ]
    rows, scores = (tuple(part) for part in zip(*pairs, strict=True))
    design = snapshot.exam.plan.design
    found = final_estimate(
        replace(state, administered=rows, scores=scores), snapshot.release.items, design
    )
    return found.theta, scaled(found.theta, design.scale)


def test_a_corrected_key_gives_the_score_that_the_engine_gives_the_other_answer(hall):
    sitting = sit(hall, hall.alice)
    before = standing(hall, sitting)
    code = path_item(before)
    number = propose_key(hall.db, somebody(hall), ("small", code, 1), wrong_key(code), WORDS)
    put_in_force(hall, number)

    after = standing(hall, sitting)
    theta, score = engine_score(hall, sitting, turned=code)
    assert after["estimate"]["theta"] == pytest.approx(theta, abs=1e-12)
    assert after["score"] == score < before["score"]
    step = after["path"][0]
    assert (step["score"], step["correction"]["score_then"]) == (0, 1)
    assert [row["theta"] for row in after["path"]] == [row["theta"] for row in before["path"]]
    assert (after["number"], after["supersedes"]["number"]) == (2, 1)
    assert [one["number"] for one in after["corrections"]] == [number]
    assert after["corrections"][0]["reason"] == WORDS.reason


def test_the_old_result_stays_and_the_sitting_replays_exactly(hall):
    sitting = sit(hall, hall.alice)
    before = standing(hall, sitting)
    code = path_item(before)
    put_in_force(hall, propose_drop(hall.db, somebody(hall), ("small", code, 1), WORDS))

    with hall.db.read() as session:
        rows = session.scalars(
            select(Result).where(Result.sitting_id == sitting).order_by(Result.number)
        ).all()
    assert [row.number for row in rows] == [1, 2]
    assert rows[0].content == before
    assert replay(hall.db, sitting).problems == ()
    home = hall.alice.organisation_id
    found = replay_all(hall.db, sitting, organisation_id=home)
    assert (found.problems, found.amended) == ((), (2,))
    assert verify(hall.db).problems == ()


def test_a_dropped_item_does_not_count(hall):
    sitting = sit(hall, hall.alice)
    before = standing(hall, sitting)
    code = path_item(before, 2)
    put_in_force(hall, propose_drop(hall.db, somebody(hall), ("small", code, 1), WORDS))

    after = standing(hall, sitting)
    theta, score = engine_score(hall, sitting, without=code)
    assert (after["score"], after["n_items"]) == (score, before["n_items"] - 1)
    assert after["estimate"]["theta"] == pytest.approx(theta, abs=1e-12)
    assert after["path"][2]["score"] is None
    assert after["path"][2]["correction"]["kind"] == "drop"


def test_the_dry_run_lists_what_changes_and_changes_nothing(hall):
    right, wrong = sit(hall, hall.alice), sit(hall, hall.bob, right=False, language="ru")
    code = path_item(standing(hall, right))
    actor = somebody(hall)
    number = propose_key(hall.db, actor, ("small", code, 1), wrong_key(code), WORDS)
    effect = dry_run(hall.db, actor, number)

    rows = {
        one.sitting_id: one.change
        for one in changes_page(hall.db, actor, number, Wanted(show=ALL)).rows
    }
    met = {
        sitting
        for sitting in (right, wrong)
        if code in [row["item"] for row in standing(hall, sitting)["path"]]
    }
    assert set(rows) == met
    assert rows[right].new_score < rows[right].score == standing(hall, right)["score"]
    assert effect["exams"][0]["changed_scores"] == effect["changed"]
    assert effect["changed"] == sum(one.score != one.new_score for one in rows.values())
    assert standing(hall, right)["number"] == 1


def test_changed_cut_scores_decide_the_level_anew_and_are_a_version_of_their_own(hall):
    sitting = sit(hall, hall.alice)
    before = standing(hall, sitting)
    assert before["level"]["code"] == "certified"
    new = {"certified": before["score"] + 1}
    number = propose_cuts(hall.db, somebody(hall), "sums", new, (), WORDS)
    put_in_force(hall, number)

    after = standing(hall, sitting)
    assert (after["score"], after["level"]["code"]) == (before["score"], "below")
    assert after["scale"]["cut_scores"] != before["scale"]["cut_scores"]
    assert after["levels"][1]["minimum"] == before["score"] + 1
    assert correction_view(hall.db, somebody(hall), number).effect["exams"][0]["now_failed"] == 1


@pytest.mark.parametrize("kind", ["key", "drop", "cuts"])
def test_a_correction_and_its_inverse_restore_the_result(hall, kind):
    sitting = sit(hall, hall.alice)
    before, actor = standing(hall, sitting), somebody(hall)
    code = path_item(before)
    number = {
        "key": lambda: propose_key(hall.db, actor, ("small", code, 1), wrong_key(code), WORDS),
        "drop": lambda: propose_drop(hall.db, actor, ("small", code, 1), WORDS),
        "cuts": lambda: propose_cuts(hall.db, actor, "sums", {"certified": 650}, (), WORDS),
    }[kind]()
    put_in_force(hall, number)
    assert standing(hall, sitting)["number"] == 2
    put_in_force(hall, propose_undo(hall.db, actor, number))

    after = standing(hall, sitting)
    assert after["number"] == 3
    for name in set(before) - {"number", "path", "tried_out"}:
        assert after[name] == before[name], name
    assert [row["score"] for row in after["path"]] == [row["score"] for row in before["path"]]


def test_corrections_of_two_items_come_to_the_same_in_either_order(hall):
    sitting = sit(hall, hall.alice)
    with hall.db.read() as session:
        material = read_material(hall.db, session, sitting)
    first, second = (one.revision_id for one in material.snapshot.presented[:2])
    key = {**revision(hall.db, second).key, "correct": None}
    change = {"type": "single_choice", "key": key}
    results = [
        amended(
            material,
            [
                Rule("a", 1, "drop", first, None, {}, "faulty", place),
                Rule("b", 2, "key", second, None, change, "mistyped", 3 - place),
            ],
        )
        for place in (1, 2)
    ]
    assert says_the_same(*results)
    assert [one["number"] for one in results[1]["corrections"]] == [2, 1]
    assert [row["score"] for row in results[0]["path"][:3]] == [None, 0, 1]


def test_the_newest_correction_of_an_item_counts(hall):
    sitting = sit(hall, hall.alice)
    before, actor = standing(hall, sitting), somebody(hall)
    code = path_item(before)
    put_in_force(hall, propose_drop(hall.db, actor, ("small", code, 1), WORDS))
    put_in_force(hall, propose_key(hall.db, actor, ("small", code, 1), wrong_key(code), WORDS))
    after = standing(hall, sitting)
    assert (after["number"], after["n_items"]) == (3, before["n_items"])
    assert [one["kind"] for one in after["corrections"]] == ["drop", "key"]
    assert after["path"][0]["score"] == 0


def test_an_erased_answer_is_named_counted_and_leaves_the_result_as_it_is(hall):
    sitting = sit(hall, hall.alice)
    before, actor = standing(hall, sitting), somebody(hall)
    code = path_item(before)
    with hall.db.write() as session:
        session.execute(delete(ResponseContent).where(ResponseContent.sitting_id == sitting))
    number = propose_key(hall.db, actor, ("small", code, 1), wrong_key(code), WORDS)
    effect = dry_run(hall.db, actor, number)
    assert effect["problems"] == {"answer_erased": 1}
    listed = changes_page(hall.db, actor, number, Wanted(show=IMPOSSIBLE)).rows
    assert [one.problem for one in listed] == ["cannot be rescored: answer erased"]
    put_in_force(hall, number)
    assert standing(hall, sitting) == before
    said = correction_view(hall.db, actor, number).effect["applied"]
    assert said == {"amended": 0, "impossible": 1}


def test_a_score_that_a_correction_gave_outlives_the_answer(hall):
    sitting = sit(hall, hall.alice)
    before, actor = standing(hall, sitting), somebody(hall)
    first, second = path_item(before), path_item(before, 1)
    put_in_force(hall, propose_key(hall.db, actor, ("small", first, 1), wrong_key(first), WORDS))
    with hall.db.write() as session:
        session.execute(delete(ResponseContent).where(ResponseContent.sitting_id == sitting))
    put_in_force(hall, propose_drop(hall.db, actor, ("small", second, 1), WORDS))
    after = standing(hall, sitting)
    assert (after["number"], after["path"][0]["score"]) == (3, 0)


def test_a_sitting_that_ends_later_follows_when_it_is_sealed(hall):
    code = path_item(standing(hall, sit(hall, hall.alice)))
    put_in_force(hall, propose_drop(hall.db, somebody(hall), ("small", code, 1), WORDS))
    later = sit(hall, hall.alice)
    assert standing(hall, later)["number"] == 1
    run_pending(hall.db, HANDLERS)
    met = code in [row["item"] for row in standing(hall, later)["path"]]
    assert standing(hall, later)["number"] == (2 if met else 1)
    run_pending(hall.db, HANDLERS)
    assert replay(hall.db, later).problems == ()
    assert verify(hall.db).problems == ()


def test_the_audit_computes_amended_results_again(hall):
    sitting = sit(hall, hall.alice)
    code = path_item(standing(hall, sitting))
    put_in_force(hall, propose_drop(hall.db, somebody(hall), ("small", code, 1), WORDS))
    found = check_corrections(hall.db)
    assert (found.corrections, found.rebuilt, found.problems) == (1, 1, ())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE corrections SET reason = 'other'", "as it was proposed"),
        ("UPDATE corrections SET place = 9", "in force otherwise"),
        ("UPDATE corrections SET effect_hash = 'x'", "0 signatures"),
        ("UPDATE correction_changes SET new_hash = 'x'", "not the one that was signed"),
    ],
)
def test_the_audit_finds_what_was_changed(hall, change, expected):
    sitting = sit(hall, hall.alice)
    code = path_item(standing(hall, sitting))
    put_in_force(hall, propose_drop(hall.db, somebody(hall), ("small", code, 1), WORDS))
    with hall.db.write() as session:
        session.execute(text(change))
    said = " ".join(one.problem for one in check_corrections(hall.db).problems)
    assert expected in said


def test_the_audit_says_what_it_cannot_compute_again(hall):
    sitting = sit(hall, hall.alice)
    code = path_item(standing(hall, sitting))
    number = propose_key(hall.db, somebody(hall), ("small", code, 1), wrong_key(code), WORDS)
    put_in_force(hall, number)
    with hall.db.write() as session:
        session.execute(delete(ResponseContent))
    found = check_corrections(hall.db)
    assert (found.problems, found.erased) == ((), (f"{sitting}, result 2",))


# --- signatures --------------------------------------------------------------------------------


@pytest.fixture
def checked(hall):
    """A correction after its dry run, and the item that it drops."""
    code = path_item(standing(hall, sit(hall, hall.alice)))
    number = propose_drop(hall.db, somebody(hall), ("small", code, 1), WORDS)
    dry_run(hall.db, somebody(hall), number)
    return number


def test_two_people_sign_and_one_of_them_is_an_examiner(hall, checked):
    chief, clerk = (person(hall, name, "administrator") for name in ("chief", "clerk"))
    nora, effect = person(hall, "nora"), seen_effect(hall, checked)
    assert sign(hall.db, chief, checked, effect) == 1
    with pytest.raises(NotAllowed, match="must be an examiner"):
        sign(hall.db, clerk, checked, effect)
    with pytest.raises(NotAllowed, match="another person"):
        sign(hall.db, chief, checked, effect)
    with pytest.raises(NotAllowed, match="signed by examiners"):
        sign(hall.db, person(hall, "psy", "psychometrician"), checked, effect)
    assert sign(hall.db, nora, checked, effect) == 0
    assert correction_view(hall.db, nora, checked).row.status == "applying"


def test_a_signature_is_refused_when_a_sitting_has_ended_since(hall):
    sit(hall, hall.alice)
    nora, omar = person(hall, "nora"), person(hall, "omar")
    number = propose_cuts(hall.db, nora, "sums", {"certified": 600}, (), WORDS)
    dry_run(hall.db, nora, number)
    effect = seen_effect(hall, number)
    assert sign(hall.db, nora, number, effect) == 1
    sit(hall, hall.bob, right=False, language="ru")

    assert correction_view(hall.db, omar, number).stale
    with pytest.raises(NotAllowed, match="repeat"):
        sign(hall.db, omar, number, effect)
    dry_run(hall.db, omar, number)
    now = correction_view(hall.db, omar, number)
    assert (now.row.status, len(now.signed), now.stale) == ("checked", 0, False)
    with pytest.raises(NotAllowed, match="repeated meanwhile"):
        sign(hall.db, omar, number, effect)
    assert sign(hall.db, nora, number, seen_effect(hall, number)) == 1


def test_of_two_who_sign_at_once_both_count_once(hall, checked):
    from concurrent.futures import ThreadPoolExecutor

    people, effect = [person(hall, name) for name in ("nora", "omar")], seen_effect(hall, checked)
    with ThreadPoolExecutor(2) as pool:
        missing = list(pool.map(lambda one: sign(hall.db, one, checked, effect), people))
    assert sorted(missing) == [0, 1]
    assert correction_view(hall.db, people[0], checked).row.status == "applying"


def test_applying_twice_amends_once(hall, checked):
    for name in ("nora", "omar"):
        sign(hall.db, person(hall, name), checked, seen_effect(hall, checked))
    said = apply(hall.db, somebody(hall), checked)
    assert said == {"amended": 1, "impossible": 0}
    with pytest.raises(NotAllowed, match="applied"):
        apply(hall.db, somebody(hall), checked)
    with hall.db.read() as session:
        assert len(session.scalars(select(Result)).all()) == 2


def test_a_correction_in_force_cannot_be_withdrawn(hall, checked):
    other = propose_cuts(hall.db, somebody(hall), "sums", {"certified": 600}, (), WORDS)
    withdraw(hall.db, somebody(hall), other)
    with pytest.raises(NotAllowed, match="withdrawn"):
        dry_run(hall.db, somebody(hall), other)
    for name in ("nora", "omar"):
        sign(hall.db, person(hall, name), checked, seen_effect(hall, checked))
    with pytest.raises(NotAllowed, match="only another one"):
        withdraw(hall.db, somebody(hall), checked)
    statuses = [row.status for row in list_corrections(hall.db, somebody(hall))]
    assert statuses == ["withdrawn", "applying"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ({"correct": "E"}, "one of the choices"),
        ({"correct": ["A"]}, "key"),
        ({"credit": {"A": 0, "B": 1, "C": 2, "D": 0}}, "a key for the item's model 2pl"),
    ],
)
def test_a_key_that_is_none_for_the_item_is_refused(hall, key, expected):
    with pytest.raises(InputError, match=expected):
        propose_key(hall.db, somebody(hall), ("small", "S-01", 1), key, WORDS)


def test_what_would_change_nothing_is_refused(hall):
    same = {"correct": right_choice("S-01")}
    with pytest.raises(InputError, match="differs"):
        propose_key(hall.db, somebody(hall), ("small", "S-01", 1), same, WORDS)
    with pytest.raises(InputError, match="differ"):
        propose_cuts(hall.db, somebody(hall), "sums", {"certified": 500}, (), WORDS)
    with pytest.raises(InputError, match="order"):
        propose_cuts(hall.db, somebody(hall), "sums", {"certified": 250}, (), WORDS)


def test_an_invigilator_may_not_propose(hall):
    keeper = person(hall, "ivan", "invigilator")
    with pytest.raises(NotAllowed):
        propose_drop(hall.db, keeper, ("small", "S-01", 1), WORDS)
