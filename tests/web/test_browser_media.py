"""Sound plays and pictures show, in a real browser."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pytest
from playwright.sync_api import Locator, Page, expect
from support.browsing import Site, at_end, browsing, go_on_without, kind, serve
from support.example_bank import LANGUAGES, example_bank, open_example_exam

pytestmark = pytest.mark.chromium
BANK = example_bank()
SOUND = "OPS-RADIO"


@pytest.fixture
def heard(db) -> Iterator[Site]:
    """An exam of one question about a recording."""
    item = next(item for item in BANK.items if item.about.get("stimulus") == SOUND)
    yield from serve(db, open_example_exam(db, replace(BANK, items=(item,))))


@pytest.fixture
def seen(db) -> Iterator[Site]:
    """An exam of the questions with a picture of their own or of their stimulus."""
    items = [item for item in BANK.items if item.type == "hotspot"
             or item.about.get("stimulus") == "AIR-MAP"]  # fmt: skip
    yield from serve(db, open_example_exam(db, replace(BANK, items=tuple(items))))


def recording() -> tuple[bytes, float]:
    """The bytes of the recording and how many seconds it lasts."""
    stimulus = next(one for one in BANK.stimuli if one.code == SOUND)
    content = BANK.media[stimulus.variants["en"]["audio"]]
    with wave.open(BytesIO(content)) as sound:
        return content, sound.getnframes() / sound.getframerate()


def duration(sound: Locator) -> float:
    sound.page.wait_for_function("e => e.readyState > 0", arg=sound.element_handle())
    return float(sound.evaluate("e => e.duration"))


def test_a_recording_is_sent_in_ranges_and_its_length_is_known(chromium, heard):
    content, seconds = recording()
    with browsing(chromium) as (page, record):
        statuses = []
        page.on("response", lambda one: "/media/" in one.url and statuses.append(one.status))
        heard.begin(page)
        sound = page.locator("audio")

        assert duration(sound) == pytest.approx(seconds, abs=0.05)
        assert statuses
        assert set(statuses) == {206}
        address = sound.evaluate("e => e.currentSrc")
        part = page.request.get(address, headers={"Range": "bytes=1000-1999"})
        assert part.status == 206
        assert part.body() == content[1000:2000]
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(content)}"
        beyond = page.request.get(address, headers={"Range": f"bytes={len(content)}-"})
        assert beyond.status == 416
    assert record.complaints == []


def test_a_recording_is_reached_and_played_by_keyboard(chromium, heard):
    with browsing(chromium) as (page, _):
        heard.begin(page)
        sound = page.locator("audio")
        duration(sound)
        tab_to(page, "audio")
        page.keyboard.press("Space")
        page.wait_for_function(
            "e => !e.paused && e.currentTime > 0.3", arg=sound.element_handle(), timeout=10_000
        )
        page.keyboard.press("Space")

        assert sound.evaluate("e => e.paused")
        assert sound.evaluate("e => e.error") is None


def tab_to(page: Page, what: str) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", what):
            return
    raise AssertionError(f"Tab does not reach {what}")


def test_the_end_of_a_recording_is_heard(chromium, heard):
    with browsing(chromium) as (page, _):
        heard.begin(page)
        sound = page.locator("audio")
        end = duration(sound) - 0.5
        sound.evaluate("(e, at) => { e.currentTime = at; }", end)
        tab_to(page, "audio")
        page.keyboard.press("Space")

        page.wait_for_function("e => e.ended", arg=sound.element_handle(), timeout=10_000)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_can_be_read(chromium, heard, language):
    stimulus = next(one for one in BANK.stimuli if one.code == SOUND)
    said = stimulus.variants[language]["transcript"].split()[-1]
    with browsing(chromium) as (page, _):
        heard.begin(page, language)
        expect(page.locator(".transcript > div")).to_be_hidden()
        tab_to(page, ".transcript summary")
        page.keyboard.press("Enter")

        expect(page.locator(".transcript > div")).to_be_visible()
        expect(page.locator(".transcript > div")).to_contain_text(said.strip("*_"))
        assert page.locator("audio").evaluate(NAME) == page.locator(".stimulus h2").inner_text()


NAME = "e => document.getElementById(e.getAttribute('aria-labelledby')).innerText"


def test_the_sound_check_before_an_exam_plays(chromium, heard):
    with browsing(chromium) as (page, record):
        heard.to_start(page)
        sound = page.locator("#device-check audio")
        tab_to(page, "#device-check audio")
        page.keyboard.press("Space")

        page.wait_for_function(
            "e => e.duration > 0.5 && e.currentTime > 0.2", arg=sound.element_handle()
        )
    assert record.complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_pictures_show_and_say_what_they_show(chromium, seen, width):
    alternatives = set()
    with browsing(chromium, viewport={"width": width, "height": 844}) as (page, record):
        seen.begin(page, "ru")
        while not at_end(page):
            images = page.locator(".question img").all()
            assert images
            for image in images:
                check_picture(page, image)
                alternatives.add(image.get_attribute("alt"))
            if kind(page) == "hotspot":
                check_areas(page)
            go_on_without(page)

    written = [item.variants["ru"]["image"]["alt"] for item in BANK.items if item.type == "hotspot"]
    assert set(written) < alternatives
    assert all(len(alternative) > 20 for alternative in alternatives)
    assert [text for text in record.complaints if "422" not in text] == []


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_when_a_picture_arrives(chromium, seen, width):
    with browsing(chromium, viewport={"width": width, "height": 844}) as (page, _):
        waiting = []
        page.route("**/media/*", lambda route: waiting.append(route))  # noqa: PLW0108 - it is marked
        seen.begin(page, until="domcontentloaded")
        awaited = 0
        while not at_end(page):
            picture = page.locator(".question img").first
            if not picture.evaluate("e => e.naturalWidth"):  # a stimulus comes once
                awaited += 1
                before = picture.bounding_box()
                let_come(page, waiting)
                page.wait_for_function("e => e.naturalWidth > 0", arg=picture.element_handle())
                assert picture.bounding_box() == pytest.approx(before, abs=0.5), kind(page)
            go_on_without(page)
        assert awaited == 6


def let_come(page: Page, waiting: list) -> None:
    while not waiting:
        page.wait_for_timeout(50)
    while waiting:
        waiting.pop().continue_()


def check_picture(page: Page, image: Locator) -> None:
    page.wait_for_function("e => e.complete && e.naturalWidth > 0", arg=image.element_handle())
    natural = image.evaluate("e => e.naturalWidth / e.naturalHeight")
    box = image.bounding_box()
    assert box["width"] > 200
    assert box["width"] / box["height"] == pytest.approx(natural, rel=0.02)


def check_areas(page: Page) -> None:
    """What is pressed lies on the picture, and pressing it chooses the box of its number."""
    picture = page.locator(".hotspot-picture img").bounding_box()
    drawing = page.locator(".hotspot-picture svg").bounding_box()
    assert drawing == pytest.approx(picture, abs=1)
    for place, label in enumerate(page.locator(".area-label").all()):
        label.click()
        boxes = page.locator(".area-row input")
        assert boxes.nth(place).is_checked()
        assert page.locator(".area").nth(place).get_attribute("class") == "area chosen"
        if boxes.nth(place).get_attribute("type") == "checkbox":
            label.click()
