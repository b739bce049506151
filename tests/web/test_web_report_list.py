"""The list of sittings: what it can be narrowed to and ordered by, all of it in its address."""

from __future__ import annotations

import re

import pytest
from support.sittings import begin, finish

from item_bank.results.flags.records import Found, keep
from item_bank.results.handlers import LONG
from item_bank.store.long_work import run_long
from item_bank.store.schema import organisation
from item_bank.store.tables.outcomes import Outcome

DAY = "2027-01-15"  # of the hall's clock


@pytest.fixture
def examiner(staff):
    return staff("examiner")


@pytest.fixture
def two(hall) -> tuple[str, str]:
    """Alice's sitting, which stands out and is held, and Bob's, a minute later, in Russian."""
    first = finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id
    hall.clock.pass_seconds(60)
    second = finish(hall, hall.bob, begin(hall, hall.bob, "ru")).sitting_id
    home = organisation(hall.db)
    with hall.db.write() as session:
        keep(session, first, home, [Found("likeness", flagged=True, values={})], 1)
        keep(session, second, home, [Found("likeness", flagged=False, values={})], 1)
        outcome = session.get_one(Outcome, first)
        outcome.state, outcome.country, outcome.score = "held", "TJ", 390.0
        session.get_one(Outcome, second).score = 610.0
    return first, second


def listed(examiner, query: str) -> list[str]:
    response = examiner.get(f"/staff/sittings?{query}")
    assert response.status_code == 200
    return re.findall(r'<th scope="row"><a href="/staff/sittings/(\w+)"', examiner.page)


@pytest.mark.parametrize(
    ("query", "whom"),
    [
        ("", "BA"),
        ("state=held", "A"),
        ("state=released", "B"),
        ("flag=any", "A"),
        ("flag=likeness", "A"),
        ("flag=time", ""),
        ("language=ru", "B"),
        ("country=TJ", "A"),
        (f"since={DAY}&until={DAY}", "BA"),
        ("since=2027-01-16", ""),
        ("until=2027-01-14", ""),
        ("since=yesterday&until=9999-99-99", "BA"),
        ("sort=name", "AB"),
        ("sort=-name", "BA"),
        ("sort=score", "AB"),
        ("sort=-score", "BA"),
        ("sort=started", "AB"),
        ("sort=-state", "BA"),
        ("sort=items&state=held", "A"),
        ("sort=nonsense", "BA"),
    ],
)
def test_filters_and_order(examiner, two, query, whom):
    ids = dict(zip("AB", two, strict=True))

    assert listed(examiner, query) == [ids[name] for name in whom]


def test_the_list_says_how_many_stand_out_and_names_the_flag(examiner, two):
    examiner.get("/staff/sittings")

    assert "2 sittings, 1 with flags." in examiner.page
    assert f'href="/staff/sittings/{two[0]}#flags">Answers alike' in examiner.page


def test_a_column_orders_and_once_more_turns_round_and_filters_stay(examiner, two):
    examiner.get("/staff/sittings?q=a&sort=-score")
    assert 'aria-sort="descending"' in examiner.page
    assert 'href="/staff/sittings?q=a&amp;sort=score"' in examiner.page
    assert 'name="sort" value="-score"' in examiner.page

    examiner.get("/staff/sittings?q=a&sort=score")
    assert 'aria-sort="ascending"' in examiner.page


def test_a_search_for_flags_without_any_says_where_they_come_from(examiner, two):
    examiner.get("/staff/sittings?flag=time")

    assert "Flags are found when a sitting is sealed" in examiner.page


def test_a_look_through_an_exam_is_work_that_its_page_then_tells_of(examiner, two, hall):
    examiner.get("/staff/exams/sums")
    assert "Nobody has looked through this exam yet." in examiner.page
    response = examiner.post("/staff/exams/sums/flags")
    assert re.fullmatch(r"/staff/work/\w+", response.headers["Location"])

    assert run_long(hall.db, LONG) == 1
    examiner.get("/staff/exams/sums")
    assert "2 sittings, looked through" in examiner.page
    assert examiner.post("/staff/exams/none/flags").status_code == 404
