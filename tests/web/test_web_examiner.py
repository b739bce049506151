"""What staff see: the list of sittings, the report, replay, exams and exposure."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text
from support.sittings import begin, finish
from support.visitors import HTMX

from item_bank.exams.results import result_of


@pytest.fixture
def examiner(staff):
    return staff("examiner")


@pytest.fixture
def sitting(hall) -> str:
    """A finished sitting of Alice."""
    return finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id


def test_a_wrong_password_is_not_told_from_an_unknown_email(visitor, examiner):
    known = visitor.sign_in_staff("examiner@example.org", "not the password")
    first = visitor.page
    unknown = visitor.sign_in_staff("nobody@example.org", "not the password")

    assert known.status_code == unknown.status_code == 422
    assert "do not belong together" in first
    assert "do not belong together" in visitor.page


def test_guessing_passwords_is_slowed_down(visitor, examiner):
    for _ in range(9):
        response = visitor.sign_in_staff("examiner@example.org", "not the password")

    assert response.status_code == 429
    assert "Too many tries" in visitor.page


@pytest.mark.parametrize(
    ("role", "place"),
    [("examiner", "sittings"), ("administrator", "sittings"), ("psychometrician", "exams")],
)
def test_each_role_begins_where_its_work_is(staff, role, place):
    response = staff(role).get("/staff")

    assert response.headers["Location"] == f"/staff/{place}"


def test_an_empty_list_says_what_will_be_here(examiner):
    examiner.get("/staff/sittings")
    assert "No sittings yet" in examiner.page

    examiner.get("/staff/sittings?q=nobody")
    assert "Nothing found" in examiner.page


def test_the_list_shows_score_level_and_status(examiner, sitting, hall):
    examiner.get("/staff/sittings")
    result = result_of(hall.db, sitting, candidate=hall.alice)

    assert f"/staff/sittings/{sitting}" in examiner.page
    assert f"{result['score']:.0f}" in examiner.page
    assert result["level"]["name"]["en"] in examiner.page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=alice", True),
        ("q=A", True),
        ("q=bob", False),
        ("exam=sums&status=finished", True),
        ("status=running", False),
        ("exam=none", False),
        ("status=nonsense", True),
        ("page=99", True),
        ("page=x", True),
        ("q=%25", False),
    ],
)
def test_search_and_filters_stand_in_the_address(examiner, sitting, query, found):
    response = examiner.get(f"/staff/sittings?{query}")

    assert response.status_code == 200
    assert (sitting in examiner.page) == found


def test_htmx_gets_the_list_alone_but_a_page_out_of_its_history_whole(examiner, sitting):
    part = examiner.get("/staff/sittings?q=alice", headers=HTMX)
    whole = examiner.get(
        "/staff/sittings?q=alice", headers=HTMX | {"HX-History-Restore-Request": "true"}
    )

    assert "<html" not in part.text
    assert sitting in part.text
    assert "<html" in whole.text


def test_a_name_cannot_carry_markup_into_a_page(examiner, sitting, hall):
    with hall.db.write() as session:
        session.execute(text("UPDATE candidate_details SET name = '<script>alert(1)</script>'"))
    for address in ("/staff/sittings", f"/staff/sittings/{sitting}"):
        examiner.get(address)
        assert "<script>alert" not in examiner.page
        assert "&lt;script&gt;alert" in examiner.page


def test_the_report_has_the_answer_the_picture_the_table_and_the_conditions(
    examiner, sitting, hall
):
    examiner.get(f"/staff/sittings/{sitting}")
    result = result_of(hall.db, sitting, candidate=hall.alice)
    page = examiner.page

    assert page.index("answer-score") < page.index('class="plot') < page.index("Conditions")
    for step in result["path"]:
        assert f"<code>{step['item']}</code>" in page
    for value in (
        result["exam"]["content_hash"],
        result["release"]["content_hash"],
        result["software"],
        "EAP",
        "Illustrative parameters.",
        "Small numbers",
    ):
        assert value in page
    assert len(re.findall(r'class="mark-(right|wrong)" cx="[\d.]+" cy', page)) >= len(
        result["path"]
    )


def test_the_report_of_a_running_sitting_says_that_it_runs(examiner, hall):
    running = begin(hall, hall.alice)
    response = examiner.get(f"/staff/sittings/{running.sitting_id}")

    assert response.status_code == 200
    assert "Still running" in examiner.page


def test_there_is_no_report_of_no_sitting(examiner):
    assert examiner.get(f"/staff/sittings/{'0' * 32}").status_code == 404


@pytest.mark.parametrize("headers", [None, HTMX])
def test_replay_says_that_everything_agrees(examiner, sitting, hall, headers):
    steps = len(result_of(hall.db, sitting, candidate=hall.alice)["path"])
    examiner.get(f"/staff/sittings/{sitting}")
    response = examiner.post(f"/staff/sittings/{sitting}/replay", headers=headers)

    assert f"Replays exactly: {steps} steps." in response.text
    assert ("<html" in response.text) == (headers is None)


def test_replay_names_the_first_difference(examiner, sitting, hall):
    change = "UPDATE responses SET theta = theta + 0.01 WHERE position = 2"
    with hall.db.write() as session:
        named = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for name in session.scalars(named).all():
            session.execute(text(f'DROP TRIGGER "{name}"'))
        session.execute(text(change))
    examiner.get(f"/staff/sittings/{sitting}")
    response = examiner.post(f"/staff/sittings/{sitting}/replay", headers=HTMX)

    assert "Does not replay." in response.text
    assert "after response 2: theta" in response.text


def test_exams_show_what_their_sittings_came_to(staff, sitting):
    psychometrician = staff("psychometrician")
    psychometrician.get("/staff/exams")
    assert "Sums" in psychometrician.page
    assert re.search(r"Finished sittings</dt><dd>1</dd>", psychometrician.page)

    psychometrician.get("/staff/exams/sums")
    assert "Table of exposure" in psychometrician.page
    assert 'class="column"' in psychometrician.page
    assert psychometrician.get("/staff/exams/none").status_code == 404


def test_an_exam_without_sittings_says_what_will_be_here(staff, hall):
    administrator = staff("administrator")
    administrator.get("/staff/exams/sums")

    assert "No finished sittings yet" in administrator.page


def test_signing_out_ends_the_session(examiner):
    examiner.get("/staff/sittings")
    examiner.post("/staff/sign-out")

    assert examiner.get("/staff/sittings").status_code == 303
