"""Rooms: what an invigilator sees and does, without scripts."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select
from support.sittings import Hall, begin, finish, open_hall, respond
from support.visitors import HTMX, Visitor

from item_bank.exams import conditions, presence
from item_bank.exams.accounts import add_staff
from item_bank.exams.actors import Actor
from item_bank.exams.candidate_views import SittingView, view
from item_bank.exams.messages import messages_for
from item_bank.store.clock import SECOND
from item_bank.store.schema import organisation
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.site import OrganisationRow
from item_bank.store.tables.sittings import SittingEvent
from web.app import create_app
from web.beats import Heard
from web.invigilator.words import EVENT_WORDS, STATE_WORDS, event_words
from web.settings import Settings

ROOM = "/staff/rooms/sums"


@pytest.fixture
def keeper(staff) -> Visitor:
    """A signed-in invigilator."""
    return staff("invigilator")


@pytest.fixture
def sat(hall) -> SittingView:
    """The sitting of Alice, with one answer."""
    now = begin(hall, hall.alice)
    hall.clock.pass_seconds(20)
    respond(hall, hall.alice, now)
    return view(hall.db, hall.alice, now.sitting_id)


def text(page: str) -> str:
    """What a page says, without its marks."""
    body = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", body)))


def events(hall: Hall, table) -> list[str]:
    with hall.db.read() as session:
        return [one.kind for one in session.scalars(select(table).order_by(table.number))]


def of_sitting(hall: Hall, sitting_id: str) -> list[str]:
    with hall.db.read() as session:
        query = select(SittingEvent.kind).where(SittingEvent.sitting_id == sitting_id)
        return list(session.scalars(query.order_by(SittingEvent.number)))


def again(hall: Hall, sitting: SittingView) -> SittingView:
    return view(hall.db, hall.alice, sitting.sitting_id)


# --- looking -----------------------------------------------------------------------------------


def test_an_invigilator_begins_at_the_rooms(keeper):
    assert "<h1>Rooms</h1>" in keeper.page
    assert "0 in the exam" in text(keeper.page)


def test_rooms_count_who_answers_is_held_up_and_has_finished(keeper, hall, sat):
    other = begin(hall, hall.bob)
    conditions.pause(hall.db, chief(hall), other.sitting_id)
    keeper.get("/staff/rooms")

    said = text(keeper.page)
    assert "2 in the exam" in said
    assert "1 paused or on a break" in said
    assert "0 not seen" in said
    finish(hall, hall.alice, sat)
    keeper.get("/staff/rooms")
    assert "1 finished" in text(keeper.page)


def test_a_site_without_exams_says_what_will_be_here(db):
    home = organisation(db)
    add_staff(db, "invigilator@example.org", "invigilator", "weigh-with-care", organisation_id=home)
    visitor = Visitor(create_app(db, Settings()))
    visitor.sign_in_staff("invigilator@example.org", "weigh-with-care")

    assert "No exams yet" in visitor.page


def chief(hall: Hall) -> Actor:
    return Actor(None, organisation(hall.db), "command line", "command line")


def test_a_room_says_how_far_along_each_candidate_is(keeper, sat):
    keeper.get(ROOM)

    said = text(keeper.page)
    assert re.search(r"Alice A answering 2 of at most 8 29 min 08:00:20 UTC 08:00:20 UTC", said)


def test_a_room_names_what_should_be_looked_at(keeper, hall, sat):
    respond(hall, hall.alice, sat, choice=0)
    respond(hall, hall.alice, sat, choice=1)  # another answer under the same key
    keeper.get(ROOM)

    assert "a second, different answer was refused" in text(keeper.page)
    keeper.get(f"/staff/seats/{sat.sitting_id}")
    assert text(keeper.page).count("a second, different answer was refused") == 2  # and the log


def test_an_empty_room_says_who_will_be_in_it(keeper):
    assert "Nobody is in this exam" in keeper.get(ROOM).text


def test_a_page_that_is_silent_for_a_minute_is_not_seen_and_seen_again(keeper, hall, sat):
    hall.clock.pass_seconds(61)
    keeper.get(f"{ROOM}?state=unseen")
    assert "not seen since 08:00:20 UTC" in text(keeper.page)

    here = Heard(sat.sitting_id, organisation(hall.db), "10.1.2.3", "phone")
    presence.note_presence(hall.db, [here])
    keeper.get(f"{ROOM}?state=unseen")
    assert "Nobody found" in keeper.page
    keeper.get(f"/staff/seats/{sat.sitting_id}")
    assert "10.1.2.3" in keeper.page


@pytest.mark.parametrize("state", [*STATE_WORDS, "all", "nonsense"])
def test_every_state_of_a_room_can_be_looked_at(keeper, sat, state):
    assert keeper.get(f"{ROOM}?state={state}").status_code == 200


def test_a_room_is_searched_by_name_and_roster_number(keeper, hall, sat):
    begin(hall, hall.bob)

    assert "Bob" not in text(keeper.get(f"{ROOM}?q=ali").text)
    assert "Alice" not in text(keeper.get(f"{ROOM}?q=B").text)


def test_a_room_refreshes_as_a_fragment_that_keeps_its_address(keeper, sat):
    fragment = keeper.get(f"{ROOM}?q=ali&state=all", headers=HTMX | {"HX-Trigger": "room"}).text

    assert "<html" not in fragment
    assert 'hx-get="/staff/rooms/sums?q=ali&amp;state=all"' in fragment
    assert 'hx-trigger="every 15s"' in fragment
    assert "hx-swap-oob" not in fragment


def test_a_search_is_read_out_and_a_refresh_is_not(keeper, sat):
    fragment = keeper.get(f"{ROOM}?q=ali", headers=HTMX | {"HX-Trigger": "find"}).text

    assert "1 found" in fragment


def test_the_page_of_a_sitting_refreshes_without_its_forms(keeper, sat):
    fragment = keeper.get(f"/staff/seats/{sat.sitting_id}", headers=HTMX).text

    assert "<form" not in fragment
    assert "<textarea" not in fragment


def test_the_log_of_a_sitting_is_in_words_and_questions_can_be_left_out(keeper, sat):
    short = text(keeper.get(f"/staff/seats/{sat.sitting_id}").text)
    full = text(keeper.get(f"/staff/seats/{sat.sitting_id}?all=1").text)

    assert "started" in short
    assert "answer to question 1" not in short
    assert "answer to question 1" in full
    assert "question 2 shown" in full


def test_every_kind_of_event_has_words():
    from item_bank.exams import records

    kinds = {
        value for name, value in vars(records).items() if name.isupper() and isinstance(value, str)
    }
    assert kinds - {records.SEALED} == set(EVENT_WORDS)


# --- least privilege ---------------------------------------------------------------------------


def test_an_invigilator_sees_no_score_no_estimate_no_key_and_no_item(keeper, hall, sat):
    ended = finish(hall, hall.alice, sat)
    begin(hall, hall.bob)
    pages = [
        keeper.get(address).text
        for address in (
            "/staff/rooms",
            f"{ROOM}?state=all",
            f"/staff/seats/{ended.sitting_id}",
            f"/staff/seats/{ended.sitting_id}?all=1",
            f"/staff/seats/{ended.sitting_id}/end",
        )
    ]

    for page in pages:
        said = text(page).lower()
        for forbidden in ("theta", "score", "certified", "level", "what is", "s-0", "digest"):
            assert forbidden not in said, forbidden
        assert not re.search(r"\b[0-9a-f]{64}\b", said)  # no hash of a result either


@pytest.mark.parametrize("address", ["/staff/sittings", "/staff/exams", "/staff/banks"])
def test_an_invigilator_opens_no_report_exam_or_bank(keeper, address):
    assert keeper.get(address).status_code == 403


@pytest.mark.parametrize("role", ["examiner", "psychometrician", "author"])
def test_others_do_not_watch_over_rooms(staff, sat, role):
    visitor = staff(role)

    assert visitor.get(ROOM).status_code == 403
    assert visitor.post(f"/staff/seats/{sat.sitting_id}/pause").status_code == 403


def test_an_administrator_may_do_it_too(staff, hall, sat):
    visitor = staff("administrator")
    visitor.get(f"/staff/seats/{sat.sitting_id}")
    visitor.post(f"/staff/seats/{sat.sitting_id}/pause")

    assert again(hall, sat).pause == "invigilator"


@pytest.fixture
def stranger(app: Flask, hall) -> Visitor:
    """An invigilator of another organisation."""
    with hall.db.write() as session:
        session.add(
            OrganisationRow(id="b" * 32, code="far", name="Elsewhere", created_at=hall.clock.at)
        )
    add_staff(
        hall.db, "far@example.org", "invigilator", "weigh-with-care", organisation_id="b" * 32
    )
    one = Visitor(app)
    one.sign_in_staff("far@example.org", "weigh-with-care")
    return one


def test_another_organisation_finds_nothing_and_changes_nothing(stranger, hall, sat):
    seat = f"/staff/seats/{sat.sitting_id}"
    before = of_sitting(hall, sat.sitting_id)
    form = {"minutes": "5", "reason": "x", "text": "x", "whom": f"{sat.sitting_id}:"}

    for address in (ROOM, seat, f"{seat}/end"):
        assert stranger.get(address).status_code == 404
    acts = [f"{seat}/{one}" for one in ("pause", "resume", "time", "message", "release", "end")]
    acts += [f"{ROOM}/everybody/{one}" for one in ("time", "message", "pause", "resume")]
    for address in acts:
        stranger.get("/staff/rooms")
        assert stranger.post(address, form).status_code == 404, address
    assert of_sitting(hall, sat.sitting_id) == before
    assert "No exams yet" in stranger.get("/staff/rooms").text


# --- acts on one -------------------------------------------------------------------------------


def act(visitor: Visitor, sitting: SittingView, name: str, **form: str):
    """Look at the sitting's page, send one of its forms, and go where it leads."""
    seat = f"/staff/seats/{sitting.sitting_id}"
    visitor.get(seat)
    deadline = {"deadline": visitor.field("deadline")}
    address = re.search(r'name="deadline" form="give-time" value="(\d+)"', visitor.page)
    if address:
        deadline = {"deadline": address[1]}
    return visitor.post(f"{seat}/{name}", deadline | form, follow_redirects=True)


def test_a_sitting_is_paused_and_goes_on_with_the_time_of_the_pause(keeper, hall, sat):
    act(keeper, sat, "pause", reason="fire alarm")
    assert again(hall, sat).question is None
    said = text(keeper.page)
    assert "paused since 08:00:20" in said
    assert "it stands still" in said
    assert "paused by invigilator: fire alarm" in said

    hall.clock.pass_seconds(120)
    act(keeper, sat, "resume")
    assert again(hall, sat).deadline_at == sat.deadline_at + 120 * SECOND
    assert "the end was moved by 2 min" in text(keeper.page)


def test_time_is_given_with_a_reason_and_stands_in_both_chains(keeper, hall, sat):
    before = len(events(hall, SiteEvent))
    act(keeper, sat, "time", minutes="10", reason="projector failed")

    assert again(hall, sat).deadline_at == sat.deadline_at + 600 * SECOND
    assert "10 min more, given by invigilator: projector failed" in text(keeper.page)
    assert "time_granted" in of_sitting(hall, sat.sitting_id)
    assert events(hall, SiteEvent)[before:] == ["sitting_granted_time"]


def test_a_form_for_time_that_is_sent_twice_gives_it_once(keeper, hall, sat):
    seat = f"/staff/seats/{sat.sitting_id}"
    keeper.get(seat)
    form = {"minutes": "10", "reason": "late bus", "deadline": str(sat.deadline_at)}
    keeper.post(f"{seat}/time", form)
    second = keeper.post(f"{seat}/time", form)

    assert second.status_code == 409
    assert "moved meanwhile" in second.text
    assert again(hall, sat).deadline_at == sat.deadline_at + 600 * SECOND


@pytest.mark.parametrize("minutes", ["", "0", "-5", "1.5", "1441", "ten", "٣", "9" * 30])
def test_time_that_is_no_number_of_minutes_is_refused_and_what_was_typed_stays(
    keeper, hall, sat, minutes
):
    response = act(keeper, sat, "time", minutes=minutes, reason="late bus")

    assert response.status_code == 422
    assert 'value="late bus"' in response.text
    assert again(hall, sat).deadline_at == sat.deadline_at


def test_time_without_a_reason_is_refused(keeper, hall, sat):
    response = act(keeper, sat, "time", minutes="5", reason="")

    assert response.status_code == 409
    assert "A reason has 1 to 200 characters." in response.text


def test_a_message_reaches_the_candidate_and_the_log_says_when_it_is_read(keeper, hall, sat):
    act(keeper, sat, "message", text="Come <b>here</b> & look")
    told = messages_for(hall.db, hall.alice, sat.sitting_id)
    assert [one.text for one in told] == ["Come <b>here</b> & look"]
    assert "not read yet" in keeper.page
    assert "<b>here</b>" not in keeper.page

    conditions.message_seen(hall.db, hall.alice, sat.sitting_id, told[0].id)
    keeper.get(f"/staff/seats/{sat.sitting_id}")
    assert "message from invigilator, read" in text(keeper.page)


def test_a_quick_sentence_is_sent_in_the_language_of_the_exam(keeper, hall):
    sitting = begin(hall, hall.bob, "ru")
    act(keeper, sitting, "message", phrase="go-on")

    told = messages_for(hall.db, hall.bob, sitting.sitting_id)[0].text
    assert re.fullmatch(r"[А-яЁё .,]+", told)


def test_a_message_without_words_is_refused(keeper, sat):
    assert act(keeper, sat, "message", text="  ", phrase="unknown").status_code == 422


def test_ending_an_exam_asks_first_and_says_what_it_means(keeper, hall, sat):
    seat = f"/staff/seats/{sat.sitting_id}"
    asked = text(keeper.get(f"{seat}/end").text)
    assert "cannot be opened again" in asked
    assert "The 1 answer confirmed so far counts" in asked
    assert again(hall, sat).status == "running"

    assert keeper.post(f"{seat}/end", {"reason": ""}).status_code == 409
    keeper.post(f"{seat}/end", {"reason": "left the room"}, follow_redirects=True)
    ended = again(hall, sat)
    assert (ended.status, ended.stop_reason) == ("finished", "terminated")
    assert "ended by an invigilator" in text(keeper.page)


def test_an_ended_sitting_takes_no_act_and_says_so(keeper, hall, sat):
    finish(hall, hall.alice, sat)

    for name in ("pause", "resume", "time", "message", "release"):
        response = act(keeper, sat, name, minutes="5", reason="x", text="x")
        assert response.status_code == 409, name
        assert "This sitting has ended." in response.text
    assert "ended already" in keeper.get(f"/staff/seats/{sat.sitting_id}/end").text


def test_a_pause_twice_is_refused_in_words(keeper, sat):
    act(keeper, sat, "pause")

    assert "This sitting is paused already." in act(keeper, sat, "pause").text


def test_a_sitting_that_is_kept_to_one_device_is_released(db, small_bank):
    from support.sittings import EXAM

    hall = open_hall(db, exam=EXAM + '[delivery]\nsecond_device = "deny"\n')
    home = organisation(hall.db)
    add_staff(hall.db, "i@example.org", "invigilator", "weigh-with-care", organisation_id=home)
    visitor = Visitor(create_app(hall.db, Settings()))
    visitor.sign_in_staff("i@example.org", "weigh-with-care")
    sitting = begin(hall, hall.alice)
    visitor.get(f"/staff/seats/{sitting.sitting_id}")
    assert "Release for another device" in visitor.page
    act(visitor, sitting, "release")

    assert "lease_released" in of_sitting(hall, sitting.sitting_id)
    assert "released for another device by i" in text(visitor.page)


def test_an_act_without_the_token_of_a_page_is_refused(keeper, hall, sat):
    response = keeper.client.post(f"/staff/seats/{sat.sitting_id}/pause")

    assert response.status_code == 400
    assert again(hall, sat).pause is None


# --- everybody ---------------------------------------------------------------------------------


@pytest.fixture
def both(hall, sat) -> tuple[SittingView, SittingView]:
    return sat, begin(hall, hall.bob)


def for_all(visitor: Visitor, name: str, **form: str):
    """Ask for an act on everybody, and confirm it."""
    visitor.get(ROOM)
    asked = visitor.post(f"{ROOM}/everybody/{name}", form)
    if asked.status_code != 200:
        return asked
    kept = {key: visitor.field(key) for key in ("whom", *form)}
    return visitor.post(f"{ROOM}/everybody/{name}", kept, follow_redirects=True)


def test_time_for_everybody_asks_first_and_names_how_many(keeper, hall, both):
    keeper.get(ROOM)
    keeper.post(f"{ROOM}/everybody/time", {"minutes": "10", "reason": "fire alarm"})

    said = text(keeper.page)
    assert "This concerns 2 candidates" in said
    assert "10 minutes for each" in said
    assert "Give the time: 2 candidates" in said
    assert again(hall, both[0]).deadline_at == both[0].deadline_at


def test_time_is_given_to_everybody_once(keeper, hall, both):
    keeper.get(ROOM)
    keeper.post(f"{ROOM}/everybody/time", {"minutes": "10", "reason": "fire alarm"})
    form = {key: keeper.field(key) for key in ("whom", "minutes", "reason")}
    keeper.post(f"{ROOM}/everybody/time", form, follow_redirects=True)
    assert "Time was given to 2 candidates." in keeper.page

    keeper.post(f"{ROOM}/everybody/time", form, follow_redirects=True)
    assert "Not to Alice (A): The end of this sitting has been moved meanwhile." in keeper.page
    for sitting, person in zip(both, (hall.alice, hall.bob), strict=True):
        now = view(hall.db, person, sitting.sitting_id)
        assert now.deadline_at == sitting.deadline_at + 600 * SECOND


def test_a_message_to_everybody_is_read_by_each_in_the_language_of_the_exam(keeper, hall, sat):
    other = begin(hall, hall.bob, "ru")
    for_all(keeper, "message", phrase="wait", text="")

    english = messages_for(hall.db, hall.alice, sat.sitting_id)[0].text
    russian = messages_for(hall.db, hall.bob, other.sitting_id)[0].text
    assert english == "Please stay at your place. I am coming to you."
    assert re.search("[а-я]", russian)


def test_everybody_is_paused_and_goes_on(keeper, hall, both):
    conditions.pause(hall.db, chief(hall), both[1].sitting_id)
    for_all(keeper, "pause", reason="fire alarm")
    assert "The exam is paused for 1 candidate." in keeper.page
    assert again(hall, both[0]).pause == "invigilator"

    for_all(keeper, "resume")
    assert "The exam goes on for 2 candidates." in keeper.page
    assert again(hall, both[0]).pause is None


def test_only_those_whom_the_page_named_are_concerned(keeper, hall, sat):
    keeper.get(ROOM)
    keeper.post(f"{ROOM}/everybody/pause")
    form = {"whom": keeper.field("whom")}
    late = begin(hall, hall.bob)
    keeper.post(f"{ROOM}/everybody/pause", form)

    assert again(hall, sat).pause == "invigilator"
    assert view(hall.db, hall.bob, late.sitting_id).pause is None


def test_who_finished_between_question_and_confirmation_is_said(keeper, hall, both):
    keeper.get(ROOM)
    keeper.post(f"{ROOM}/everybody/message", {"text": "Ten minutes left."})
    form = {key: keeper.field(key) for key in ("whom", "text")}
    finish(hall, hall.bob, both[1])
    keeper.post(f"{ROOM}/everybody/message", form, follow_redirects=True)

    assert "The message was sent to 1 candidate." in keeper.page
    assert "1 candidate had finished meanwhile." in keeper.page


@pytest.mark.parametrize(
    ("name", "form", "status"),
    [
        ("time", {"minutes": "", "reason": "x"}, 422),
        ("time", {"minutes": "5", "reason": ""}, 422),
        ("message", {"text": ""}, 422),
        ("message", {"text": "x" * 501}, 422),
        ("resume", {}, 409),
        ("dismiss", {}, 404),
    ],
)
def test_what_cannot_be_done_to_everybody_is_refused(keeper, both, name, form, status):
    assert for_all(keeper, name, **form).status_code == status


def test_words_of_an_unknown_event_are_its_name():
    from item_bank.exams.rooms import RoomEvent

    event = RoomEvent(1, "brand_new", 0, {"score": 3}, None, None, None)
    assert event_words(event) == "brand new"
