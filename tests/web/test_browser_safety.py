"""Whatever an item says, a candidate's browser runs nothing and asks nobody else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page
from support import item_types
from support.browsing import Site, at_end, browsing, go_on_without, kind, serve
from support.example_bank import example_bank, open_example_exam
from support.type_exams import ELSEWHERE, bank_with_every_type, open_type_exam

from engine.errors import InputError
from item_bank.items.formats.json_file import read_json
from item_bank.items.types.catalogue import TYPES
from web.practice.pool import FOLDER

pytestmark = pytest.mark.chromium
LIVE = (
    "script, style, link, iframe, object, embed, base, meta, [onerror], [onload], [onclick], "
    "[style], [href], [src]:not([src^='/sitting/']), [hx-get], "
    "form, .stem button, .choice-text button, [action]"
)


@pytest.fixture
def hostile(db, tmp_path) -> Iterator[Site]:
    yield from serve(db, open_type_exam(db, tmp_path, attack=True))


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_in_an_item_lives_in_the_page(chromium, hostile, scripts):
    seen = set()
    with browsing(chromium, java_script_enabled=scripts) as (page, record):
        hostile.begin(page)
        while not at_end(page):
            seen.add(kind(page))
            check_dead(page)
            go_on_without(page)

    assert seen == set(TYPES)
    assert record.foreign(hostile) == []
    assert [text for text in record.complaints if "422" not in text] == []
    assert sum(url.endswith("/home") for url in record.asked) <= 1


def check_dead(page: Page) -> None:
    assert page.evaluate("window.hacked") is None
    texts = page.locator(".stem, .stimulus, .choice-text, .order-text, label, .unit")
    assert texts.locator(LIVE).count() == 0
    assert "<script>window.hacked = 1</script>" in page.locator(".question").inner_text()
    assert page.locator("form").count() == 1


def test_attacks_on_a_plain_page_would_be_seen(chromium):
    """The checks above look at what can be there at all."""
    with browsing(chromium) as (page, record):
        page.route(f"{ELSEWHERE}/**", lambda route: route.abort())
        page.set_content(
            f'<div class="stem"><img src="{ELSEWHERE}/a.png" onerror="window.hacked = 2"></div>'
        )
        page.wait_for_function("window.hacked === 2")
        assert page.locator(".stem").locator(LIVE).count() == 1
    assert [url for url in record.asked if url.startswith(ELSEWHERE)]


def svg(inside: str, before: str = "") -> bytes:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'{before}<svg {names} width="580" height="200">{inside}</svg>'.encode()


XHTML = "http://www.w3.org/1999/xhtml"
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
PICTURES = {
    "script": svg("<script>window.hacked = 1</script>"),
    "handler": svg('<rect onload="window.hacked = 1" width="1" height="1"/>'),
    "foreign object": svg(f'<foreignObject><b xmlns="{XHTML}">x</b></foreignObject>'),
    "picture elsewhere": svg(f'<image href="{ELSEWHERE}/a.png" width="1" height="1"/>'),
    "old link elsewhere": svg(f'<image xlink:href="{ELSEWHERE}/a.png" width="1" height="1"/>'),
    "shape elsewhere": svg(f'<use href="{ELSEWHERE}/a.svg#a"/>'),
    "javascript": svg('<a href="javascript:window.hacked = 1"><text>x</text></a>'),
    "made link": svg('<a><animate attributeName="href" values="javascript:x()"/></a>'),
    "imported style": svg(f"<style>@import url({ELSEWHERE}/a.css)</style>"),
    "style elsewhere": svg(f'<rect style="fill: url({ELSEWHERE}/a#b)" width="1" height="1"/>'),
    "paint elsewhere": svg(f'<rect fill="url({ELSEWHERE}/a#b)" width="1" height="1"/>'),
    "sheet elsewhere": svg("", f'<?xml-stylesheet href="{ELSEWHERE}/a.css"?>'),
    "frame": svg(f'<iframe xmlns="{XHTML}" src="{ELSEWHERE}"/>'),
    "entity bomb": svg(
        "<text>&e8;</text>", f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "ha">{ENTITIES}]>'
    ),
    "file": svg(
        "<text>&a;</text>",
        '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ),
    "page": b"<html><script>window.hacked = 1</script></html>",
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_that_could_do_something_is_refused_at_import(tmp_path, name):
    media = {path.name: path.read_bytes() for path in (FOLDER / "media").iterdir()}
    file = item_types.write(
        tmp_path, bank_with_every_type(), media | {"shapes.svg": PICTURES[name]}
    )

    with pytest.raises(InputError, match=r"media/shapes\.svg"):
        read_json(file)


def test_the_picture_of_these_attempts_is_taken_when_it_does_nothing(tmp_path):
    media = {path.name: path.read_bytes() for path in (FOLDER / "media").iterdir()}
    picture = svg('<rect width="9" height="9"/>')
    file = item_types.write(tmp_path, bank_with_every_type(), media | {"shapes.svg": picture})

    assert read_json(file).media["shapes.svg"] == picture


REFUSED_TEXTS = {
    "picture elsewhere": f"![a]({ELSEWHERE}/a.png)",
    "picture of data": "![a](data:image/svg+xml,<svg/onload=alert(1)>)",
    "picture of another folder": "![a](media:../../secrets/key)",
    "huge formula": "$" + "x^{" * 3000 + "}" * 3000 + "$",
    "long formula": "$" + "x + " * 600 + "x$",
    "formula of itself": r"$\def\x{\x\x}\x$",
    "control character": "a\0b",
}


@pytest.mark.parametrize("name", REFUSED_TEXTS)
def test_a_text_that_cannot_be_shown_safely_is_refused_at_import(tmp_path, name):
    bank = bank_with_every_type()
    bank["items"][0]["variants"]["en"]["stem"] += "\n\n" + REFUSED_TEXTS[name]
    media = {path.name: path.read_bytes() for path in (FOLDER / "media").iterdir()}
    file = item_types.write(tmp_path, bank, media)

    with pytest.raises(InputError, match=r"item PR-SINGLE: variants\.en\.stem"):
        read_json(file)


# --- later questions -----------------------------------------------------------------------------


@pytest.fixture
def pictures(db) -> Iterator[Site]:
    """An exam of the items that have pictures or sound."""
    source = example_bank()
    items = [item for item in source.items if "media" in json.dumps([*item.variants.values()])
             or item.about.get("stimulus")]  # fmt: skip
    yield from serve(db, open_example_exam(db, replace(source, items=tuple(items))))


def test_nothing_of_a_later_question_is_fetched(chromium, pictures):
    with browsing(chromium) as (page, record):
        pictures.begin(page)
        sitting, met = page.url, set()
        while not at_end(page):
            page.wait_for_load_state("networkidle")
            shown = media_on(page.content())
            asked = {name for url in record.asked for name in media_on(url)}
            assert asked <= met | shown
            met |= shown
            record.asked.clear()
            go_on_without(page)
        assert len(met) >= 6
        assert page.request.get(f"{sitting}/media/{min(met)}").status == 404


def media_on(text: str) -> set[str]:
    return set(re.findall(r"/media/(\w{64})", text))
