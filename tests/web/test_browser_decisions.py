"""Pages of decisions, appeals and codes break no rule of WCAG, and the panel works with htmx."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from playwright.sync_api import Page
from sqlalchemy import select
from support.signed_results import PASSWORD, amended
from support.sittings import begin, finish
from support.wcag import scrolls_sideways, violations

from item_bank.exams.signing_in import candidate_by_session
from item_bank.results.appeals import open_appeal
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import AccessCode, CandidateDetails

pytestmark = pytest.mark.chromium
LOOKS = [
    (390, "light"),
    (1440, "dark"),
    pytest.param((390, "dark"), marks=pytest.mark.long),
    pytest.param((1440, "light"), marks=pytest.mark.long),
]


@pytest.fixture(params=LOOKS, ids=str)
def page(request, chromium):
    width, scheme = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, locale="en-GB"
    )
    yield context.new_page()
    context.close()


def check(page: Page) -> None:
    assert violations(page) == []
    assert not scrolls_sideways(page)


@pytest.fixture
def sitting(db, codes):
    """A finished sitting of Bob, with an amended result and an open appeal."""
    hall = SimpleNamespace(db=db, clock=SimpleNamespace(pass_seconds=lambda _seconds: None))
    with db.read() as session:
        code = session.scalar(
            select(AccessCode.id)
            .join(CandidateDetails, CandidateDetails.candidate_id == AccessCode.candidate_id)
            .where(CandidateDetails.roster_id == "B")
        )
    bob = candidate_by_session(db, code)
    sitting = finish(hall, bob, begin(hall, bob)).sitting_id
    amended(hall, sitting)
    open_appeal(db, bob, sitting, "Question 3 was wrong.")
    return sitting


def test_deciding_on_a_result(page, address, db, codes, sitting):
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill("examiner@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    for place in ("results", "results?tab=released", "results/appeals"):
        page.goto(f"{address}/staff/{place}")
        check(page)
    page.goto(f"{address}/staff/sittings/{sitting}")
    for summary in page.locator("#decision summary").all():
        summary.click()
    check(page)

    page.get_by_label("Reason, for the record", exact=True).fill("The room sent no report.")
    page.get_by_role("button", name="Hold the result").click()
    page.get_by_role("heading", name="Decision: held").wait_for()
    check(page)
    with db.read() as session:
        outcome = session.get_one(Outcome, sitting)
        assert outcome.state == "held"
        code = outcome.verification
    page.get_by_role("button", name="Release").click()
    page.get_by_role("heading", name="Decision: released").wait_for()

    page.goto(f"{address}/verify")
    check(page)
    page.get_by_label("Code on the report").fill(code.lower())
    page.get_by_role("button", name="Check").click()
    page.get_by_text("This result is genuine, and it stands.").wait_for()
    check(page)


def test_what_a_candidate_reads_of_a_correction_and_of_an_appeal(page, address, codes, sitting):
    page.goto(f"{address}/?lang=en")
    page.get_by_label("Access code").fill(codes["Bob"])
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{address}/sitting/{sitting}/result?lang=en")
    check(page)
    page.get_by_role("button", name="I have read this").click()
    page.get_by_role("link", name="which does not stand any more").click()
    page.get_by_text("This is an earlier result.").wait_for()
    check(page)
