"""No page breaks a rule of WCAG 2.2 A or AA that axe-core can check, in light and in dark."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from playwright.sync_api import Page
from sqlalchemy import select
from support.browsing import answer_somehow, at_end, confirm
from support.calibrated import kept_study, record_calibration
from support.cohort_data import add_outcomes
from support.corrections import correction_after_dry_run
from support.sittings import begin, finish
from support.standard_studies import rated_studies
from support.wcag import scrolls_sideways, violations

from item_bank.exams.accounts import add_staff
from item_bank.exams.actors import command_line
from item_bank.exams.designs import versions_of
from item_bank.exams.signing_in import candidate_by_session
from item_bank.items.items import hold_item
from item_bank.results.corrections.compromised import compute
from item_bank.results.handlers import LONG
from item_bank.store.long_work import run_long
from item_bank.store.schema import organisation
from item_bank.store.tables.items import Item
from item_bank.store.tables.people import AccessCode, CandidateDetails
from web.language import LANGUAGES

pytestmark = pytest.mark.chromium
WIDTHS = (390, 1440)


def check(page: Page) -> None:
    assert violations(page) == []
    assert not scrolls_sideways(page)


LOOKS = [
    (390, "dark"),
    (1440, "light"),
    pytest.param((390, "light"), marks=pytest.mark.long),
    pytest.param((1440, "dark"), marks=pytest.mark.long),
]


@pytest.fixture(params=LOOKS, ids=str)
def page(request, chromium):
    width, scheme = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, locale="en-GB"
    )
    yield context.new_page()
    context.close()


def test_pages_of_a_candidate(page, address, codes):
    page.goto(address)
    check(page)
    page.get_by_label("Access code").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    check(page)
    page.get_by_label("Access code").fill(codes["Alice"])
    page.get_by_role("button", name="Sign in").click()
    check(page)
    page.get_by_role("link", name="Start").click()
    check(page)
    page.get_by_role("button", name="Start the exam").click()
    check(page)
    page.get_by_role("button", name="Confirm answer").click()
    page.get_by_text("You have not given an answer.").wait_for()
    check(page)
    while not at_end(page):
        answer_somehow(page)
        confirm(page)
    check(page)
    result = page.url
    for language in LANGUAGES:
        page.goto(f"{result}?lang={language}")
        check(page)
    page.goto(f"{address}/nothing")
    check(page)


@pytest.mark.parametrize("width", [360, *WIDTHS])
def test_the_bar_above_a_question_has_room_in_every_language(chromium, address, codes, width):
    with chromium.new_context(viewport={"width": width, "height": 844}) as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_label("Access code").fill(codes["Alice"])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Start").click()
        page.get_by_role("button", name="Start the exam").click()
        sitting = page.url
        for language in LANGUAGES:
            page.goto(f"{sitting}?lang={language}")
            page.locator(".timer-toggle").wait_for()
            progress = page.locator("#progress span")
            end = page.evaluate("e => e.getBoundingClientRect().right", progress.element_handle())
            widest = page.evaluate("e => e.scrollWidth - e.clientWidth", progress.element_handle())
            start = page.locator("#timer").bounding_box()
            assert not scrolls_sideways(page)
            assert widest <= 0
            assert start["x"] >= end, language


def test_pages_of_staff(page, address, codes, db):
    sitting = _finished_sitting(db)
    page.goto(f"{address}/staff")
    check(page)
    page.get_by_label("E-mail").fill("examiner@example.org")
    page.get_by_label("Password").fill("weigh-with-care")
    page.get_by_role("button", name="Sign in").click()
    check(page)
    page.goto(f"{address}/staff/sittings/{sitting}")
    check(page)
    for summary in page.locator("details > summary").all():
        summary.click()
    check(page)
    page.goto(f"{address}/staff/exams")
    check(page)
    page.goto(f"{address}/staff/exams/sums")
    check(page)
    page.get_by_role("link", name="Reports as PDF").click()
    page.get_by_role("button", name="Make the report").wait_for()
    check(page)


def test_pages_of_cohorts(page, address, codes, db):
    exam = versions_of(db, "sums", organisation_id=organisation(db))[0]
    add_outcomes(db, exam, 200)
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill("examiner@example.org")
    page.get_by_label("Password").fill("weigh-with-care")
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{address}/staff/exams/sums/cohort")
    for part in ("Results", "Precision", "Groups", "Time", "Items", "Alarms"):
        page.locator(".tabs").get_by_role("link", name=part, exact=True).click()
        page.locator(f".tabs [aria-current]:text-is('{part}')").wait_for()
        for summary in page.locator("#cohort details > summary").all():
            summary.click()
        check(page)
    page.get_by_role("link", name="Technical report as PDF").click()
    page.get_by_role("button", name="Make the report").wait_for()
    check(page)


def test_pages_of_work_and_exports(page, address, codes, db):
    home = organisation(db)
    add_outcomes(db, versions_of(db, "sums", organisation_id=home)[0], 200)
    add_staff(db, "boss@example.org", "administrator", "weigh-with-care", organisation_id=home)
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill("boss@example.org")
    page.get_by_label("Password").fill("weigh-with-care")
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{address}/staff/work")
    check(page)
    page.goto(f"{address}/staff/exams/sums/export")
    check(page)
    page.get_by_role("button", name="Count").click()
    page.get_by_role("button", name="Make the file").wait_for()
    check(page)
    page.get_by_role("button", name="Make the file").click()
    page.get_by_text("waits for its turn").wait_for()
    check(page)
    run_long(db, LONG)
    page.get_by_role("link", name="Download").wait_for()  # the page asks by itself
    check(page)
    page.goto(f"{address}/staff/work?whose=all")
    check(page)
    page.goto(f"{address}/staff/exams/sums/export/research?k=5&anybody=on&simulated=on")
    check(page)


def test_pages_of_banks_and_items(page, address, codes, db):
    with db.read() as session:
        item = session.scalars(select(Item.id).where(Item.code == "S-01")).one()
    add_staff(db, "judge@example.org", "psychometrician", "weigh-with-care",
              organisation_id=organisation(db))  # fmt: skip
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill("judge@example.org")
    page.get_by_label("Password").fill("weigh-with-care")
    page.get_by_role("button", name="Sign in").click()
    home = organisation(db)
    run = record_calibration(db, "small", home)
    study = kept_study(db, "small", home, "dif", [{"item": "S-03", "effect": -1.7, "flagged": 1}])
    for place in ("banks", "banks/small", "banks/small?state=draft", "calibration/banks/small",
                  f"calibration/runs/{run}", "calibration/diff/small",
                  f"calibration/studies/{study}"):  # fmt: skip
        page.goto(f"{address}/staff/{place}")
        check(page)
    for width in ("phone", "desktop"):
        page.goto(f"{address}/staff/items/{item}?width={width}&language=ru")
        page.frame_locator("iframe").locator("#q-stem").wait_for()
        check(page)
    page.get_by_role("button", name="Retire").click()
    page.get_by_text("Nothing was changed.").wait_for()
    check(page)
    page.get_by_label("Reason").fill("worn out")
    page.get_by_role("button", name="Hold").click()
    page.get_by_text("The item is now held.").wait_for()
    page.get_by_role("textbox", name="Comment").fill("Seen on a forum.")
    page.get_by_role("button", name="Keep the comment").click()
    page.get_by_text("The comment is kept.").wait_for()
    for summary in page.locator("details > summary").all():
        summary.click()
    check(page)


def test_pages_of_standard_setting(page, address, codes, db):
    add_staff(db, "judge@example.org", "psychometrician", "weigh-with-care",
              organisation_id=organisation(db))  # fmt: skip
    angoff, bookmark = rated_studies(db)
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill("judge@example.org")
    page.get_by_label("Password").fill("weigh-with-care")
    page.get_by_role("button", name="Sign in").click()
    for place in ("", "/new", f"/{angoff}", f"/{angoff}/rate/P1/2", f"/{bookmark}/rate/P1"):
        page.goto(f"{address}/staff/standards{place}")
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        check(page)
    page.locator("button[name=bookmark][value='3']").click()
    page.get_by_text("the bookmark stands before place 3").wait_for()
    page.goto(f"{address}/staff/standards/{angoff}/rate/P1/2")
    page.get_by_label("The same on a slider").press("ArrowRight")
    page.get_by_text("Saved:").wait_for()
    check(page)


def test_pages_of_corrections(page, address, codes, db):
    sitting, home = _finished_sitting(db), organisation(db)
    item, code = correction_after_dry_run(db, sitting)
    hold_item(db, "small", code, "Leaked.", organisation_id=home, compromised=True)
    compute(db, command_line(home), "small")
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill("examiner@example.org")
    page.get_by_label("Password").fill("weigh-with-care")
    page.get_by_role("button", name="Sign in").click()
    for place in ("", "/1", "/1/changes?show=all", f"/new/item/{item}", "/new/exam/sums",
                  "/compromised", "/compromised/bank/small?show=all"):  # fmt: skip
        page.goto(f"{address}/staff/corrections{place}")
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        check(page)


def _finished_sitting(db) -> str:
    """A sitting of Bob, who is registered under the real clock."""
    bob = SimpleNamespace(db=db, clock=SimpleNamespace(pass_seconds=lambda _seconds: None))
    candidate = candidate_by_session(db, _code_id(db, "B"))
    return finish(bob, candidate, begin(bob, candidate)).sitting_id


def _code_id(db, roster_id: str) -> str:
    with db.read() as session:
        return session.scalar(
            select(AccessCode.id)
            .join(CandidateDetails, CandidateDetails.candidate_id == AccessCode.candidate_id)
            .where(CandidateDetails.roster_id == roster_id)
        )


def test_the_check_sees_what_is_wrong(chromium):
    page = chromium.new_page()
    page.set_content('<html><body><img src="x.png"><p style="color:#ccc">pale</p></body></html>')
    found = {one.split(":")[0] for one in violations(page)}
    page.close()

    assert {"image-alt", "color-contrast", "html-has-lang"} <= found
