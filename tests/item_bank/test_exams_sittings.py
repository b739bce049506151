from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from support.banks import small_bank_document
from support.sittings import EXAM, begin, close_over, finish, open_hall, respond, saying

from engine.errors import InputError
from item_bank.exams import answering, sittings
from item_bank.exams.answering import Outcome
from item_bank.exams.candidate_views import exams_of_candidate, view
from item_bank.exams.designs import apply_exam, current_version, set_status
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.exam_reviews import exam_overview, exposure
from item_bank.exams.replay import replay
from item_bank.exams.results import result_of
from item_bank.exams.reviews import report, search_sittings
from item_bank.exams.sittings import start, take_over
from item_bank.exams.upkeep import HANDLERS
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.items import hold_item
from item_bank.items.releases import publish
from item_bank.store.audit import breaks
from item_bank.store.jobs import run_pending
from item_bank.store.schema import organisation
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import PresentedItem, Response, ResponseContent, SittingEvent


def _count(hall, table) -> int:
    with hall.db.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_a_whole_sitting_ends_with_a_result_and_replays(hall):
    end = finish(hall, hall.alice, begin(hall, hall.alice))

    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    assert end.status == "finished"
    assert 4 <= result["n_items"] <= 8
    assert result["n_items"] == len(result["path"])
    assert result["band"][0] <= result["score"] <= result["band"][1]
    assert sum(level["probability"] for level in result["levels"]) == pytest.approx(1)
    assert replay(hall.db, end.sitting_id).problems == ()


def test_the_content_areas_are_shared_as_the_exam_says(hall):
    end = finish(hall, hall.alice, begin(hall, hall.alice))

    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    counts = [domain["n"] for domain in result["domains"]]
    assert max(counts) - min(counts) <= 1


def test_starting_again_while_a_sitting_runs_gives_the_same_sitting(hall):
    first, second = begin(hall, hall.alice), begin(hall, hall.alice)

    assert first.sitting_id == second.sitting_id
    assert first.question == second.question


def test_looking_never_writes(hall):
    now = begin(hall, hall.alice)
    events = _count(hall, SittingEvent)

    for _ in range(3):
        view(hall.db, hall.alice, now.sitting_id)
        exams_of_candidate(hall.db, hall.alice)

    assert _count(hall, SittingEvent) == events


def test_the_same_answer_sent_twice_is_kept_once(hall):
    now = begin(hall, hall.alice)

    assert respond(hall, hall.alice, now) is Outcome.ACCEPTED
    assert respond(hall, hall.alice, now) is Outcome.REPEATED
    assert _count(hall, Response) == 1
    assert _count(hall, PresentedItem) == 2


def test_another_answer_under_the_same_key_is_refused_and_recorded(hall):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now, choice=0)

    assert respond(hall, hall.alice, now, choice=1) is Outcome.CONFLICT
    assert _count(hall, Response) == 1
    found = report(hall.db, organisation_id=hall.alice.organisation_id, sitting_id=now.sitting_id)
    assert found.events[-1]["kind"] == "conflicting_answer_refused"


def test_an_old_question_cannot_be_answered_again(hall):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now)

    assert respond(hall, hall.alice, now, key="another page") is Outcome.ALREADY_ANSWERED
    assert _count(hall, Response) == 1


@pytest.mark.parametrize(
    "tampered", [{"read": saying("0" * 16)}, {"position": 2}, {"key": ""}, {"key": "x" * 65}]
)
def test_what_this_page_could_not_have_sent_is_refused_and_recorded(hall, tampered):
    now = begin(hall, hall.alice)

    assert respond(hall, hall.alice, now, **tampered) is Outcome.TAMPERED
    assert _count(hall, Response) == 0
    found = report(hall.db, organisation_id=hall.alice.organisation_id, sitting_id=now.sitting_id)
    assert found.events[-1]["kind"] == "foreign_answer_refused"


def test_after_a_take_over_the_older_window_is_turned_away(hall):
    now = begin(hall, hall.alice)
    epoch = take_over(hall.db, hall.alice, now.sitting_id)

    assert respond(hall, hall.alice, now) is Outcome.TAKEN_OVER
    assert respond(hall, hall.alice, now, epoch=epoch) is Outcome.ACCEPTED


def test_a_question_left_without_an_answer_scores_nothing(hall):
    now = begin(hall, hall.alice)

    assert respond(hall, hall.alice, now, read=saying(None)) is Outcome.ACCEPTED
    with hall.db.read() as session:
        assert session.scalars(select(Response.score)).one() == 0


def test_nobody_sees_or_answers_somebody_elses_sitting(hall):
    now = begin(hall, hall.alice)

    with pytest.raises(NotFound):
        view(hall.db, hall.bob, now.sitting_id)
    with pytest.raises(NotFound):
        respond(hall, hall.bob, now)
    with pytest.raises(NotFound):
        take_over(hall.db, hall.bob, now.sitting_id)
    with pytest.raises(NotFound):
        result_of(hall.db, now.sitting_id, candidate=hall.bob)
    with pytest.raises(NotFound):
        report(hall.db, organisation_id="another", sitting_id=now.sitting_id)


def test_a_late_answer_is_kept_unscored_and_ends_the_sitting(hall):
    now = begin(hall, hall.alice)
    respond(hall, hall.alice, now)
    now = view(hall.db, hall.alice, now.sitting_id)
    hall.clock.pass_seconds(30 * 60 + 6)

    assert respond(hall, hall.alice, now) is Outcome.LATE
    result = result_of(hall.db, now.sitting_id, candidate=hall.alice)
    assert result["stop_reason"] == "time"
    assert result["n_items"] == 1
    assert result["time_rule"] == "score"
    assert [step["late"] for step in result["path"]] == [False, True]
    assert replay(hall.db, now.sitting_id).problems == ()


def test_extra_time_moves_the_deadline(hall):
    alice, bob = begin(hall, hall.alice), begin(hall, hall.bob, "ru")

    assert (bob.deadline_at - bob.started_at) == 1.5 * (alice.deadline_at - alice.started_at)


def test_the_worker_ends_what_was_abandoned_and_seals_it(hall):
    now = begin(hall, hall.alice)
    assert close_over(hall.db) == 0
    hall.clock.pass_seconds(31 * 60)

    assert close_over(hall.db) == 1
    assert close_over(hall.db) == 0
    run_pending(hall.db, HANDLERS)
    run_pending(hall.db, HANDLERS)
    with hall.db.read() as session:
        sealed = session.scalars(select(SiteEvent).where(SiteEvent.kind == "sitting_sealed")).all()
    assert [event.payload["sitting"] for event in sealed] == [now.sitting_id]
    assert replay(hall.db, now.sitting_id).problems == ()


def test_an_answer_after_the_end_changes_nothing(hall):
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(31 * 60)
    close_over(hall.db)

    assert respond(hall, hall.alice, now) is Outcome.CLOSED
    assert _count(hall, Response) == 0


def test_a_held_item_leaves_a_running_sitting_at_its_next_step(hall):
    now = begin(hall, hall.alice)
    with hall.db.read() as session:
        shown = session.scalars(select(PresentedItem)).one()
        best = shown.trace["best"]
    codes = current_version(hall.db, hall.exam.exam_id)
    assert codes.release_number == 1
    spare = [f"S-{row['row'] + 1:02}" for row in best if row["row"] != shown.row]
    for code in spare:
        hold_item(hall.db, "small", code, "seen online", organisation_id=hall.alice.organisation_id)

    end = finish(hall, hall.alice, now)

    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    assert not {step["item"] for step in result["path"]} & set(spare)
    assert replay(hall.db, end.sitting_id).problems == ()


def test_attempts_run_out(hall):
    for _ in range(2):
        finish(hall, hall.alice, begin(hall, hall.alice))

    exam = exams_of_candidate(hall.db, hall.alice)[0]
    assert (exam.status, exam.attempts_left) == ("finished", 0)
    with pytest.raises(NotAllowed, match="no attempt"):
        start(hall.db, hall.alice, exam.registration_id, "en")


def test_a_closed_exam_starts_no_one_and_lets_running_sittings_go_on(hall):
    now = begin(hall, hall.alice)
    set_status(hall.db, "sums", "closed", organisation_id=hall.alice.organisation_id)

    assert finish(hall, hall.alice, now).status == "finished"
    with pytest.raises(NotAllowed, match="closed"):
        begin(hall, hall.bob, "ru")


def test_a_language_that_the_exam_does_not_have_is_refused(hall):
    with pytest.raises(NotAllowed, match="'tg'"):
        begin(hall, hall.alice, "tg")


def test_an_edited_exam_is_a_new_version_and_running_sittings_keep_theirs(hall):
    now = begin(hall, hall.alice)
    home = hall.alice.organisation_id

    same, is_new = apply_exam(hall.db, EXAM, organisation_id=home)
    assert (same.number, is_new) == (1, False)
    edited, is_new = apply_exam(
        hall.db, EXAM.replace("max_items = 8", "max_items = 5"), organisation_id=home
    )
    assert (edited.number, is_new) == (2, True)
    assert view(hall.db, hall.alice, now.sitting_id).at_most == 8
    assert begin(hall, hall.bob, "ru").at_most == 5


def test_the_log_cannot_be_edited(hall):
    finish(hall, hall.alice, begin(hall, hall.alice))

    for table in (Response, PresentedItem, SittingEvent):
        with pytest.raises(DBAPIError), hall.db.write() as session:
            session.execute(table.__table__.delete())


def test_the_chain_shows_a_changed_link_and_survives_an_erased_answer(hall):
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    with hall.db.write() as session:
        session.execute(ResponseContent.__table__.delete())
    with hall.db.read() as session:
        links = list(session.scalars(select(SittingEvent).order_by(SittingEvent.number)))
        session.expunge_all()
    assert breaks(end.sitting_id, links) == []

    links[2].payload = {**links[2].payload, "late": True}
    assert breaks(end.sitting_id, links)[0].number == 3
    assert breaks(end.sitting_id, links[1:])[0].number == 1
    assert replay(hall.db, end.sitting_id).problems == ()


def test_a_replay_finds_an_item_that_the_rules_would_not_have_chosen(hall, monkeypatch):
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    with hall.db.read() as session:
        rows = session.scalars(select(PresentedItem).order_by(PresentedItem.position)).all()
        other = (set(range(12)) - {row.row for row in rows}).pop()
    with hall.db.engine.begin() as connection:
        _switch_triggers(hall.db, connection, off=True)
        connection.execute(
            PresentedItem.__table__.update().where(PresentedItem.position == 3).values(row=other)
        )

    problems = replay(hall.db, end.sitting_id).problems
    assert any(problem.startswith("position 3:") for problem in problems)


def _switch_triggers(db, connection, *, off: bool) -> None:
    """As an intruder with the database's own password would."""
    assert off
    if db.is_sqlite:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.all():
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    else:
        connection.exec_driver_sql("ALTER TABLE presented_items DISABLE TRIGGER USER")


def test_sixteen_threads_answering_one_question_keep_one_response(hall):
    now = begin(hall, hall.alice)
    outcomes: list[Outcome] = []

    def press(number: int) -> None:
        outcomes.append(respond(hall, hall.alice, now, key=f"press-{number}"))

    threads = [threading.Thread(target=press, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [Outcome.ACCEPTED] + [Outcome.ALREADY_ANSWERED] * 15
    assert _count(hall, Response) == 1


def test_a_take_over_between_reading_and_writing_turns_the_answer_away(hall, monkeypatch):
    now = begin(hall, hall.alice)
    _in_between(monkeypatch, lambda: take_over(hall.db, hall.alice, now.sitting_id))

    assert respond(hall, hall.alice, now) is Outcome.TAKEN_OVER
    assert _count(hall, Response) == 0


def test_a_hold_between_reading_and_writing_makes_the_step_be_decided_again(hall, monkeypatch):
    now = begin(hall, hall.alice)
    home = hall.alice.organisation_id
    codes = [f"S-{number:02}" for number in range(2, 12, 2)]
    _in_between(
        monkeypatch,
        lambda: [hold_item(hall.db, "small", c, "leaked", organisation_id=home) for c in codes],
    )

    assert respond(hall, hall.alice, now) is Outcome.ACCEPTED
    with hall.db.read() as session:
        second = session.scalars(select(PresentedItem).where(PresentedItem.position == 2)).one()
    assert second.trace["held"] == [1, 3, 5, 7, 9]
    assert replay(hall.db, now.sitting_id).problems == ()


def test_a_deadline_between_reading_and_writing_makes_the_answer_late(hall, monkeypatch):
    now = begin(hall, hall.alice)
    _in_between(monkeypatch, lambda: hall.clock.pass_seconds(31 * 60))

    assert respond(hall, hall.alice, now) is Outcome.LATE


def _in_between(monkeypatch, act) -> None:
    """Let something happen once, after an answer was decided upon and before it is kept."""
    decide, waiting = answering.decide, [act]

    def decided(*arguments):
        decision = decide(*arguments)
        while waiting:
            waiting.pop()()
        return decision

    monkeypatch.setattr(answering, "decide", decided)


def test_an_exam_without_levels_has_a_score_and_no_level(db, small_bank):
    hall = open_hall(db, exam=EXAM.partition("[[levels]]")[0])
    end = finish(hall, hall.alice, begin(hall, hall.alice))

    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    assert (result["level"], result["levels"]) == (None, [])


def test_an_item_on_trial_is_never_chosen_and_does_not_count(db, tmp_path):
    document = small_bank_document(14)
    for item in document["items"][4:9]:
        item["status"] = "pretest"
    path = tmp_path / "trial.json"
    path.write_text(json.dumps(document))
    home = organisation(db)
    import_bank(db, read_json(path), organisation_id=home)
    publish(db, "small", organisation_id=home)
    hall = open_hall(db)
    end = finish(hall, hall.alice, begin(hall, hall.alice))

    result = result_of(hall.db, end.sitting_id, candidate=hall.alice)
    on_trial = {item["code"] for item in document["items"][4:9]}
    assert not on_trial & {step["item"] for step in result["path"]}
    assert replay(hall.db, end.sitting_id).problems == ()
    with pytest.raises(InputError, match="at most 9, as many items as release 1 has in use"):
        apply_exam(hall.db, EXAM.replace("max_items = 8", "max_items = 10"), organisation_id=home)


def test_examiners_find_sittings_by_name_exam_and_status(hall):
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    begin(hall, hall.bob, "ru")
    home = hall.alice.organisation_id

    assert search_sittings(hall.db, organisation_id=home).total == 2
    found = search_sittings(hall.db, organisation_id=home, text="ali", status="finished")
    assert [row.sitting_id for row in found.rows] == [end.sitting_id]
    assert search_sittings(hall.db, organisation_id=home, text="%").total == 0
    assert search_sittings(hall.db, organisation_id="another").total == 0
    overview = exam_overview(hall.db, organisation_id=home)[0]
    assert (overview.finished, overview.running) == (1, 1)
    shown = exposure(hall.db, organisation_id=home, exam_code="sums")
    assert sum(row.shown for row in shown) == found.rows[0].n_items


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        ('code = ""', "code"),
        ("languages = []", "languages"),
        ('release = "newest"', "release"),
        ("time_limit_minutes = -3", "time_limit_minutes"),
        ("colour = 1", "colour"),
        ('code = "low altitude / x"', "code"),
    ],
)
def test_an_exam_file_that_is_wrong_is_refused_by_its_key(hall, wrong, column):
    key = wrong.split(" = ")[0]
    before, sep, after = f"\n{EXAM}".partition(f"\n{key} = ")
    text = before + "\n" + after.partition("\n")[2] if sep else EXAM
    with pytest.raises(InputError) as error:
        apply_exam(hall.db, f"{wrong}\n{text}", organisation_id="x", file="e.toml")
    assert error.value.column == column
    assert str(error.value).startswith("e.toml: ")


@pytest.mark.parametrize(
    ("now", "then", "column"),
    [
        ("max_items = 8", "", "stopping"),
        ("minimum = 300\npassed", "minimum = 350\npassed", "levels"),
        ("passed = false", "", "levels[1]"),
        ("small = 0.5\nlarge = 0.5", "tiny = 0.5\nlarge = 0.5", "selection.content"),
    ],
)
def test_what_an_exam_cannot_be_given_with_is_refused(hall, now, then, column):
    assert now in EXAM
    home = hall.alice.organisation_id
    with pytest.raises(InputError) as error:
        apply_exam(hall.db, EXAM.replace(now, then, 1), organisation_id=home, file="e.toml")
    assert error.value.column == column
    assert str(error.value).startswith("e.toml: ")


def test_an_exam_in_a_language_without_texts_is_refused_by_item(hall):
    text = EXAM.replace('["en", "ru"]', '["en", "ru", "tg"]')
    text = text.replace('ru = "Суммы"', 'ru = "Суммы"\ntg = "Ҷамъ"').replace(
        ', ru = "', ', tg = "x", ru = "'
    )
    with pytest.raises(InputError, match="no text in tg"):
        apply_exam(hall.db, text, organisation_id=hall.alice.organisation_id)


def test_a_second_browser_process_sees_the_same_sitting(hall):
    now = begin(hall, hall.alice)
    other = replace(hall.db)

    assert view(other, hall.alice, now.sitting_id).question == now.question


@pytest.mark.parametrize("change", ["hold", "version"])
def test_what_changes_while_a_first_item_is_chosen_makes_it_be_chosen_again(
    hall, monkeypatch, change
):
    home, chosen = hall.alice.organisation_id, []
    first_item = sittings.first_item

    def chosen_then(db, snapshot):
        found = first_item(db, snapshot)
        if not chosen and change == "hold":
            code = snapshot.release.items.item[found[0].next_item]
            hold_item(db, "small", code, "leaked", organisation_id=home)
        elif not chosen:
            apply_exam(db, EXAM.replace("max_items = 8", "max_items = 5"), organisation_id=home)
        chosen.append(found[0].next_item)
        return found

    monkeypatch.setattr(sittings, "first_item", chosen_then)
    now = begin(hall, hall.alice)
    assert len(chosen) == 2
    assert now.at_most == (8 if change == "hold" else 5)
    with hall.db.read() as session:
        assert session.scalars(select(PresentedItem.row)).all() == [chosen[1]]
    assert replay(hall.db, now.sitting_id).problems == ()


def test_sixteen_threads_that_start_at_once_start_one_sitting(hall):
    exam = exams_of_candidate(hall.db, hall.alice)[0]
    with ThreadPoolExecutor(16) as threads:
        started = list(
            threads.map(lambda _: start(hall.db, hall.alice, exam.registration_id, "en"), range(16))
        )
    assert len(set(started)) == 1
    assert _count(hall, PresentedItem) == 1
