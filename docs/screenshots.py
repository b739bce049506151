"""Photographs every page of the demonstration at 390 and 1440 px, light, and two pages in dark.

``make screenshots`` runs it. All pictures go to the folder given (``build/screenshots``), and the
two that the documentation shows also to ``docs/images``. Chinese needs a font: on Debian
``fonts-noto-cjk``.
"""  # noqa: INP001 - a script beside the documents, not a package

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from item_bank.demo.answers import answer_worth
from item_bank.demo.build import CANDIDATES, STAFF
from item_bank.exams.candidate_views import by_content
from item_bank.exams.page_names import TYPED, as_page_shows
from item_bank.exams.snapshots import read_snapshot
from item_bank.items.items import revision
from item_bank.items.scoring import max_score
from item_bank.store.database import Database
from item_bank.store.schema import open_site
from web.language import LANGUAGES

IMAGES = Path(__file__).parent / "images"
SHOWN = ("question-390", "report-1440")
SIZES = {390: 844, 1440: 900}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
WRONG = {3, 5, 8, 9, 12, 14, 17, 20, 22}
PICK = 0.5  # which of several answers that are worth the same
PORT = 8471
PATIENCE = 600
OTHER_PAGES = {
    "results": "/staff/results?tab=released",
    "appeals": "/staff/results/appeals",
    "corrections": "/staff/corrections",
    "correction-of-cuts": "/staff/corrections/new/exam/low-altitude",
    "compromised": "/staff/corrections/compromised",
    "standards": "/staff/standards",
    "calibration": "/staff/calibration/banks/low-altitude",
    "work": "/staff/work",
    "verify": "/verify",
}


class Camera:
    """A page of one size, and where its pictures go."""

    def __init__(self, page: Page, folder: Path, suffix: str) -> None:
        self.page = page
        self.folder = folder
        self.suffix = suffix

    def shoot(self, name: str, *, whole: bool = True) -> None:
        """Take a picture of the whole page, or of what a screen shows of it."""
        path = self.folder / f"{name}-{self.suffix}.png"
        self.page.screenshot(path=path, full_page=whole, animations="disabled")


def main(folder: Path) -> None:
    """Serve a fresh demonstration and photograph it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, served(Path(place)) as address:
        os.environ["TAROZU_SECRETS"] = str(Path(place) / "demo" / "demo-secrets")
        db = open_site(f"sqlite:///{Path(place) / 'demo' / 'demo.db'}")
        with chromium() as browser:
            for width, candidate in zip(SIZES, CANDIDATES, strict=False):
                with camera(browser, folder, width) as taken:
                    candidate_pages(taken, address, candidate.secret, db)
                with camera(browser, folder, width) as taken:
                    staff_pages(taken, address)
            with camera(browser, folder, 1440, "dark") as taken:
                report_page(taken, address)
            with camera(browser, folder, 390, "dark") as taken:
                taken.page.goto(address)
                taken.shoot("sign-in")
        db.close()
    IMAGES.mkdir(exist_ok=True)
    for name in SHOWN:
        shutil.copy(folder / f"{name}.png", IMAGES / f"{name}.png")


@contextmanager
def served(place: Path) -> Iterator[str]:
    """Run the demonstration in a folder that goes away."""
    command = [sys.executable, "-m", "tarozu", "--quiet", "demo", "--port", str(PORT), "--folder"]
    log = (place / "log").open("wb")
    with subprocess.Popen([*command, str(place / "demo")], stdout=log, stderr=log) as process:  # noqa: S603 - our own command
        try:
            wait_for(f"http://127.0.0.1:{PORT}", process)
            yield f"http://127.0.0.1:{PORT}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            log.close()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the site answers."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):  # noqa: S310 - our own
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("the demonstration does not answer")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the machine's Chromium."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def camera(browser: Browser, folder: Path, width: int, scheme: Any = "light") -> Iterator[Camera]:
    """Open a page of one width."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]}, color_scheme=scheme, locale="en-GB"
    )
    suffix = str(width) if scheme == "light" else f"{width}-{scheme}"
    yield Camera(context.new_page(), folder, suffix)
    context.close()


def candidate_pages(taken: Camera, address: str, code: str, db: Database) -> None:
    """Go a candidate's way from sign-in to the result."""
    page = taken.page
    page.goto(f"{address}/?lang=en")
    taken.shoot("sign-in")
    page.get_by_label("Access code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    taken.shoot("home")
    page.get_by_role("link", name="Start").click()
    taken.shoot("start")
    page.locator("input[value=en]").check()
    page.get_by_role("button", name="Start the exam").click()
    sitting = page.url.rsplit("/", 1)[-1]
    finished = page.locator("#finished")
    while not finished.is_visible():
        answer_question(taken, db, sitting)
    taken.shoot("finished")
    finished.locator(".button").click()
    page.locator("article").wait_for()
    result = page.url
    for language in LANGUAGES:
        page.goto(f"{result}?lang={language}")
        taken.shoot(f"result-{language}")


def answer_question(taken: Camera, db: Database, sitting: str) -> None:
    """Answer as somebody able, but not perfect, would; photograph the sixth question."""
    page = taken.page
    number = int(re.findall(r"\d+", page.get_by_role("heading", level=1).inner_text())[0])
    give(page, db, sitting, right=number not in WRONG)
    if number == 6:
        taken.shoot("question", whole=False)
        page.emulate_media(color_scheme="dark")
        taken.shoot("question-dark", whole=False)
        page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Confirm answer").click()
    page.mouse.move(0, 0)
    following = page.locator(f"#answer[data-draft$=':{number + 1}'], #finished").first
    anyway = page.locator("[name=anyway], [name=as_shown]")
    following.or_(anyway).first.wait_for()
    if anyway.is_visible():
        anyway.click()
        following.wait_for()


def give(page: Page, db: Database, sitting: str, *, right: bool) -> None:
    """Give a right or a wrong answer of any type, which only the database can tell apart."""
    with db.read() as session:
        presented = read_snapshot(db, session, sitting).presented[-1]
    _, ids = as_page_shows(db, presented, by_content)
    shown = revision(db, presented.revision_id)
    points = range(max_score(shown.type, shown.key) + 1)
    answers = (
        answer_worth(shown.type, shown.key, presented.language, score, PICK)
        for score in (reversed(points) if right else points)
    )
    fill(page, ids, shown.type, next(found for found in answers if found is not None))


def fill(page: Page, ids: Mapping[str, str], item_type: str, answer: Any) -> None:
    """Put an answer in its author's ids into the controls of the page."""
    if item_type in TYPED:
        page.locator("#answer input[name=text]").fill(answer)
    elif item_type == "order":
        put_in_order(page, ids, answer)
    elif isinstance(answer, Mapping):
        for place in page.locator("#answer select").all():
            wanted = answer[ids[attribute(place, "name").removeprefix("at.")]]
            names = [attribute(one, "value") for one in place.locator("option").all()]
            place.select_option(next(n for n in names if ids.get(n) == wanted))
    else:
        wanted = {answer} if isinstance(answer, str) else set(answer)
        for box in page.locator("#answer input[name=choice]").all():
            if ids[attribute(box, "value")] in wanted:
                box.check(force=True)  # its label may lie over it


def put_in_order(page: Page, ids: Mapping[str, str], wanted: Sequence[str]) -> None:
    """Move each line up to its place, from the first to the last."""
    for place, own in enumerate(wanted):
        lines = page.locator(".order-line select").all()
        now = [ids[attribute(line, "name").removeprefix("at.")] for line in lines].index(own)
        for at in range(now, place, -1):
            page.locator(".order-line").nth(at).locator(".move[data-move='-1']").click()


def attribute(element: Locator, name: str) -> str:
    """Return an attribute that every such element has."""
    return str(element.get_attribute(name))


def staff_pages(taken: Camera, address: str) -> None:
    """Photograph what an examiner sees."""
    page = taken.page
    page.goto(f"{address}/staff")
    taken.shoot("staff-sign-in")
    report_page(taken, address)
    page.get_by_role("button", name="Replay this sitting").click()
    page.get_by_text("Replays exactly").wait_for()
    for summary in page.locator("details > summary").all():
        summary.click()
    taken.shoot("report-whole")
    page.goto(f"{address}/staff/sittings")
    taken.shoot("sittings", whole=False)
    page.goto(f"{address}/staff/sittings?q=nobody")
    taken.shoot("sittings-none")
    page.goto(f"{address}/staff/exams")
    taken.shoot("exams")
    page.goto(f"{address}/staff/exams/low-altitude")
    taken.shoot("exam")
    for part in ("", "/precision", "/groups?by=centre", "/time", "/items", "/alarms", "/report"):
        page.goto(f"{address}/staff/exams/low-altitude/cohort{part}")
        taken.shoot(f"cohort-{part.strip('/').split('?')[0] or 'results'}")
    page.goto(f"{address}/staff/exams/low-altitude/reports")
    taken.shoot("exam-reports")
    for name, place in OTHER_PAGES.items():
        page.goto(f"{address}{place}")
        taken.shoot(name)
    page.goto(f"{address}/nothing")
    taken.shoot("not-found")


def report_page(taken: Camera, address: str) -> None:
    """Sign in as an examiner and open the report of a certified candidate."""
    page = taken.page
    page.goto(f"{address}/staff")
    page.get_by_label("E-mail").fill(STAFF[0].name)
    page.get_by_label("Password").fill(STAFF[0].secret)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{address}/staff/sittings?status=finished&page=2")
    page.locator("tr", has_text="Certified").locator("a").first.click()
    page.get_by_role("heading", name="Path of the sitting").wait_for()
    width = page.viewport_size["width"] if page.viewport_size else 1440
    page.set_viewport_size({"width": width, "height": 1290})
    taken.shoot("report", whole=False)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots"))
