"""The demonstration bank shows every item type, and its texts keep the rules of their languages."""

import re
import wave
from collections import Counter
from math import hypot

import pytest
from support.demo_bank import (
    AREAS,
    CHINESE,
    CYRILLIC,
    DEMO,
    ITEMS,
    LANGUAGES,
    SCRIPTS,
    STIMULI,
    TAJIK,
    prose,
    texts,
)

from item_bank.items.content import content_flaws, media_in, stimulus_flaws, stored_key
from item_bank.items.markdown import rendered
from item_bank.items.types.catalogue import TYPES

NAMED = {one["code"]: one for one in [*ITEMS, *STIMULI]}
ALL = pytest.mark.parametrize("code", NAMED)
# The answer to each numeric item, in its unit, by the calculation that its stem asks for.
CALCULATED = {
    "AIR-18": hypot(3, 4) * 1000 / 10 / 60,
    "WX-19": 15 / 9,
    "WX-22": 340 * 12 / 1000,
    "UA-19": 3.14 * 0.70 * 3000 / 60,
    "UA-20": 18**2 / (9.8 * 1),
    "OPS-18": (15 * 60 + 20) - (14 * 60 + 35) - 35,
    "SAF-19": 1.8 * 14**2 / 2,
}


def variants(code):
    return NAMED[code]["variants"]


def stored(item):
    return stored_key(item["type"], item["key"], item["variants"])


def best_answer(item, language):
    """The answer that the key calls right."""
    key = item["key"]
    if item["type"] == "text_entry":
        return key["accepted"][language][0]
    if item["type"] == "numeric_entry":
        return str(key["value"])
    if item["type"] == "rating_scale":
        return max(key["scores"], key=key["scores"].get)
    return key["correct"]


def test_every_type_occurs_and_more_than_half_of_the_bank_is_single_choice():
    counts = Counter(item["type"] for item in ITEMS)
    assert set(counts) == set(TYPES)
    assert min(counts.values()) >= 3
    assert counts["single_choice"] == 83


def test_every_area_has_at_least_six_types():
    for area, content in AREAS.items():
        assert len({item["type"] for item in content["items"]}) >= 6, area


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["code"])
def test_an_item_is_without_flaw_and_its_key_earns_every_point_in_every_language(item):
    kind, key = TYPES[item["type"]], stored(item)
    assert list(content_flaws(item["type"], item["key"], item["variants"])) == []
    for language in LANGUAGES:
        answer = kind.checked(key, best_answer(item, language))
        assert kind.score(key, answer, language) == kind.max_score(key), language


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["code"])
def test_an_item_has_a_threshold_for_every_point(item):
    parameters, points = item["parameters"], TYPES[item["type"]].max_score(stored(item))
    assert len(parameters.get("thresholds", [0])) == points
    assert ("thresholds" in parameters) == (points > 1)
    entry = item["type"] in {"text_entry", "numeric_entry"}
    assert not (entry and "c" in parameters), "nobody guesses what is typed in"


@pytest.mark.parametrize("code", CALCULATED)
def test_the_value_of_a_numeric_item_is_its_calculated_result(code):
    key = NAMED[code]["key"]
    assert abs(key["value"] - CALCULATED[code]) <= key["tolerance"]


def test_every_numeric_item_is_calculated_here():
    assert set(CALCULATED) == {item["code"] for item in ITEMS if item["type"] == "numeric_entry"}


@ALL
def test_parts_have_the_same_names_in_every_language(code):
    def shape(value):
        if not isinstance(value, dict):
            return None
        return {name: shape(part) for name, part in value.items() if name not in {"media", "alt"}}

    assert len({str(shape(variant)) for variant in variants(code).values()}) == 1


@ALL
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_padded_and_no_mark_is_left_open(code, language):
    for text in texts(variants(code)[language]):
        assert text == text.strip() != ""
        assert [text.count(mark) % 2 for mark in ("$", "**", "`")] == [0, 0, 0], text


@ALL
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_in_the_script_of_its_language(code, language):
    variant = variants(code)[language]
    own, foreign = SCRIPTS.get(language), {CYRILLIC, CHINESE} - {SCRIPTS.get(language)}
    assert not any(script.search(text) for text in texts(variant) for script in foreign)
    if own:
        said = [variant[name] for name in ("stem", "rationale", "title", "text") if name in variant]
        assert all(own.search(text) for text in said)


@ALL
@pytest.mark.parametrize("language", ["ru", "tg"])
def test_a_choice_in_words_is_in_cyrillic(code, language):
    """Units too, so that a choice of a number has them; a name on a map, such as R1, has none."""
    for text in variants(code)[language].get("choices", {}).values():
        assert CYRILLIC.search(text) or re.fullmatch(r"[A-Z]\d", text), text


@ALL
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_mixes_letters_that_look_alike(code, language):
    for text in texts(variants(code)[language]):
        for word in re.findall(r"[^\W\d_]+", prose(text)):
            assert not (CYRILLIC.search(word) and re.search(r"[a-z]", word, re.IGNORECASE)), word


@ALL
def test_tajik_is_written_with_tajik_letters(code):
    for text in texts(variants(code)["tg"]):
        cyrillic = re.findall(r"[\u0400-\u04ff]+", text)
        assert [word for word in cyrillic if not TAJIK.fullmatch(word)] == []


@ALL
def test_chinese_is_punctuated_in_full_width(code):
    half_width = re.compile(r"[\u3400-\u9fff][,;:?!]|[,;:?!][\u3400-\u9fff]")
    for text in texts(variants(code)["zh"]):
        assert not half_width.search(prose(text)), text


@ALL
def test_every_translation_stresses_as_much_as_the_english(code):
    marks = {
        language: [text.count("**") for text in texts(variants(code)[language])]
        for language in LANGUAGES
    }
    assert all(counts == marks["en"] for counts in marks.values()), marks


@pytest.mark.parametrize("stimulus", STIMULI, ids=lambda stimulus: stimulus["code"])
def test_a_stimulus_is_without_flaw_and_shared_by_items_of_its_area(stimulus):
    assert list(stimulus_flaws(stimulus["variants"])) == []
    by_area = {
        area: [item for item in content["items"] if item.get("stimulus") == stimulus["code"]]
        for area, content in AREAS.items()
    }
    home = next(area for area, content in AREAS.items() if stimulus in content.get("stimuli", []))
    assert [area for area, items in by_area.items() if items] == [home]
    assert len(by_area[home]) >= 2


def test_a_picture_a_table_and_a_recording_are_among_the_stimuli():
    pages = {one["code"]: rendered(one["variants"]["en"]["text"]) for one in STIMULI}
    assert any("<img" in page for page in pages.values())
    assert any("<table" in page for page in pages.values())
    heard = [one["variants"] for one in STIMULI if "audio" in one["variants"]["en"]]
    assert heard
    assert all(variant["transcript"] for one in heard for variant in one.values())


def test_every_file_of_media_is_shown_and_no_other_is_named():
    shown = {
        name for one in NAMED.values() for said in one["variants"].values()
        for _kind, name in media_in(said)
    }  # fmt: skip
    assert shown == {path.name for path in (DEMO / "media").iterdir()}


def test_media_are_small_and_pictures_have_no_words_to_translate():
    for path in (DEMO / "media").iterdir():
        assert path.stat().st_size <= 300_000, path.name
        if path.suffix == ".svg":
            drawn = path.read_text(encoding="utf-8")
            assert not CYRILLIC.search(drawn), path.name
            assert not CHINESE.search(drawn), path.name


def test_the_recording_is_long_enough_to_be_heard_and_loud_enough():
    with wave.open(str(DEMO / "media" / "radio.wav")) as recording:
        assert 5 < recording.getnframes() / recording.getframerate() < 60
        heard = recording.readframes(recording.getnframes())
    assert recording.getsampwidth() == 1
    assert max(heard) - min(heard) > 128
