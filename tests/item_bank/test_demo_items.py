"""The demonstration bank keeps the rules of item writing that a program can check."""

import re
import tomllib
from collections import Counter
from itertools import pairwise
from math import ceil, log10, sqrt
from statistics import mean, median

import pytest
from support.demo_bank import AREAS, DEMO, ITEMS, LANGUAGES, PREFIXES, SCRIPTS, read

LEVELS = {"remember", "understand", "apply", "analyse"}
LETTERS = list("ABCD")
# What the calculation that an item asks for gives, in the unit of its choices.
CALCULATED = {
    "AIR-03": 650 + 90 - 690,
    "AIR-10": (3200 - 500) / 75 - 150 / 5,
    "AIR-11": 2000 + 60 + 18 * 5 + 45,
    "AIR-13": 300 - (1013 - 1003) * 8,
    "WX-04": 1500 + (30 - (15 - 6.5 * 1.5)) * 36,
    "WX-08": 6.0 * 10**0.2,
    "WX-09": 720 / (1 / (12 + 4) + 1 / (12 - 4)) / 1000,
    "WX-12": sqrt(13**2 - 5**2),
    "WX-13": 10 * 0.50,
    "WX-15": 600 * 0.3 - 120,
    "UA-03": 22.2 * 16 * 0.80 / 710 * 60,
    "UA-04": 15 * 10,
    "UA-08": 20 * log10(2000 / 500),
    "UA-11": ((4.84 / 4.00) ** 1.5 - 1) * 100,
    "UA-14": 6 * (3.70 - 60 * 0.004),
    "UA-15": 1 * 8,
    "UA-16": 2.5e-6 * 80 / 0.010 * 100,
    "OPS-03": 25 * 0.70 - 4 - 6,
    "OPS-06": 5 * 4 * 60 / 10_000 * 20,
    "OPS-09": 60 * (1 - 0.80) / 8,
    "OPS-10": 0.6 * 10 / 1.5,
    "OPS-15": ceil(90 * 10_000 / (40 * 10) / 60 / 15),
    "SAF-04": sqrt(2 * 45 / 10),
    "SAF-05": 15 * sqrt(2 * 80 / 10),
    "SAF-06": (20 / 5) ** 2,
    "SAF-07": 60 / 4 * 6,
    "SAF-10": 65 + 12 + 15,
    "SAF-15": 100 * 12 / 16 * (16 + 4),
}


SINGLE = [item for item in ITEMS if item["type"] == "single_choice"]
VARIANTS = [
    pytest.param(item, language, id=f"{item['code']}-{language}")
    for item in SINGLE
    for language in LANGUAGES
]


def choices(item, language):
    return item["variants"][language]["choices"]


def share_of_items_whose_key_is_longest(language):
    def longest(item):
        key = item["key"]["correct"]
        others = [len(text) for letter, text in choices(item, language).items() if letter != key]
        return len(choices(item, language)[key]) > max(others)

    return mean(longest(item) for item in SINGLE)


def difficulty(item):
    """Where an item stands on the scale: b, or the mean of its thresholds."""
    parameters = item["parameters"]
    return parameters["b"] if "b" in parameters else mean(parameters["thresholds"])


def length_ratio(texts):
    """How many times longer the longest text is than the mean of the others."""
    lengths = sorted(len(text) for text in texts)
    return lengths[-1] / mean(lengths[:-1])


def test_the_bank_has_twenty_five_items_in_each_of_five_content_areas():
    assert {area: len(content["items"]) for area, content in AREAS.items()} == dict.fromkeys(
        PREFIXES, 25
    )


def test_every_file_names_its_own_area_and_is_named_by_the_bank():
    assert [content["area"] for content in AREAS.values()] == list(PREFIXES)
    assert list(read("bank.json")["content_areas"]) == list(PREFIXES)
    assert sorted(path.stem for path in (DEMO / "items").glob("*.json")) == sorted(PREFIXES)


def test_codes_are_unique_and_count_up_within_their_area():
    for area, content in AREAS.items():
        expected = [f"{PREFIXES[area]}-{number:02d}" for number in range(1, 26)]
        assert [item["code"] for item in content["items"]] == expected


def test_no_stem_occurs_twice():
    for language in LANGUAGES:
        stems = Counter(item["variants"][language]["stem"] for item in ITEMS)
        assert max(stems.values()) == 1


def test_the_key_is_balanced_over_the_letters():
    by_area = [
        [item for item in content["items"] if item["type"] == "single_choice"]
        for content in AREAS.values()
    ]
    for items, low, high in [(SINGLE, 15, 25)] + [(items, 2, 6) for items in by_area]:
        counts = Counter(item["key"]["correct"] for item in items)
        assert sorted(counts) == LETTERS
        assert min(counts.values()) >= low
        assert max(counts.values()) <= high


def test_every_item_has_a_known_cognitive_level_a_competency_and_all_languages():
    for item in ITEMS:
        assert item["cognitive_level"] in LEVELS, item["code"]
        assert item["competency"].strip(), item["code"]
        assert list(item["variants"]) == LANGUAGES, item["code"]


@pytest.mark.parametrize(("item", "language"), VARIANTS)
def test_a_variant_has_four_different_choices_and_no_empty_text(item, language):
    variant = item["variants"][language]
    assert sorted(variant) == ["choices", "rationale", "stem"]
    assert list(variant["choices"]) == LETTERS
    texts = [variant["stem"], variant["rationale"], *variant["choices"].values()]
    assert all(text == text.strip() != "" for text in texts)
    assert len({text.casefold() for text in variant["choices"].values()}) == 4


@pytest.mark.parametrize("language", ["ru", "tg", "zh"])
def test_choices_carry_the_same_numbers_in_every_language(language):
    def numbers(text):
        """In any order, since word order differs."""
        return sorted(re.findall(r"\d+(?:\.\d+)?", text))

    def plain(text):
        text = text.replace("\u00a0", "")
        return text if language == "zh" else re.sub(r"(?<=\d),(?=\d)", ".", text)

    for item in SINGLE:
        for letter in LETTERS:
            english = re.sub(r"(?<=\d),(?=\d{3}\b)", "", choices(item, "en")[letter])
            other = plain(choices(item, language)[letter])
            here = (item["code"], letter)
            assert numbers(english.replace("\u00a0", " ")) == numbers(other), here


@pytest.mark.parametrize("code", CALCULATED)
def test_the_key_of_a_calculation_is_the_choice_nearest_to_its_result(code):
    item = next(item for item in SINGLE if item["code"] == code)
    values = {
        letter: float(re.search(r"\d+(?:\.\d+)?", text.replace(",", "")).group())
        for letter, text in choices(item, "en").items()
    }
    key = values[item["key"]["correct"]]
    assert key == pytest.approx(CALCULATED[code], rel=0.015)
    if code != "UA-15":  # there the direction distinguishes the choices, the number is the same
        assert sum(value == key for value in values.values()) == 1


def test_the_comparisons_by_calculation_single_out_their_keys():
    def fits(low, high):
        return low - 12 >= 50 and high + 12 <= 150 and high - low - 2 * 12 >= 30

    pairs = {"A": (70, 130), "B": (80, 130), "C": (60, 120), "D": (75, 145)}
    assert [letter for letter in LETTERS if fits(*pairs[letter])] == ["A"]
    usable = 360 * (1 - 0.25)
    assert 6 * (28 + 15) <= usable < 6 * (28 + 20)
    batteries = {"A": 22.2 * 8.0, "B": 14.8 * 10.0, "C": 11.1 * 16.0, "D": 44.4 * 4.5}
    assert [letter for letter in LETTERS if batteries[letter] <= 160] == ["B"]
    keys = {item["code"]: item["key"]["correct"] for item in SINGLE}
    assert [keys[code] for code in ("AIR-15", "OPS-14", "SAF-13")] == ["A", "C", "B"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_hardly_any_choice_stands_out_by_its_length(language):
    ratios = {item["code"]: length_ratio(choices(item, language).values()) for item in SINGLE}
    assert sum(ratio > 2.2 for ratio in ratios.values()) <= 3, ratios


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_key_is_seldom_the_longest_choice(language):
    assert share_of_items_whose_key_is_longest(language) <= 0.40


def test_texts_do_not_refer_to_choices_by_letter_or_place_since_choices_are_shuffled():
    letter = re.compile(
        r"\b(?:option|choice|answer|ответ\w*|вариант\w*|ҷавоб\w*) \(?[A-DА-Г]\b|选项|答案"
        r"|\([A-D]\)|\([A-D] (?:and|и|ва) "
        r"|(?:first|second|third|last) (?:option|choice|answer)|The (?:second|third|last) \w+s "
        r"|(?:втор|трет|последн)\w+ (?:ответ|вариант)|ҷавоби (?:дуюм|сеюм|охирин)|[二三四后]一?项"
    )
    for item in SINGLE:
        for variant in item["variants"].values():
            assert not letter.search(variant["stem"] + " " + variant["rationale"]), item["code"]


def test_no_choice_refers_to_the_other_choices():
    joker = re.compile(
        r"of the above|both [A-D]\b|вышеперечисл|перечисленн|дар боло зикр|以上|上述", re.IGNORECASE
    )
    for item in ITEMS:
        for language in LANGUAGES:
            offered = item["variants"][language].get("choices", {})
            assert not any(joker.search(text) for text in offered.values()), item["code"]


def test_parameters_are_in_their_ranges():
    named = {
        "2pl": {"model", "a", "b"},
        "3pl": {"model", "a", "b", "c"},
        "pcm": {"model", "thresholds"},
        "gpcm": {"model", "a", "thresholds"},
        "grm": {"model", "a", "thresholds"},
    }
    for item in ITEMS:
        parameters = item["parameters"]
        assert set(parameters) == named[parameters["model"]], item["code"]
        assert 0.7 <= parameters.get("a", 1) <= 2.1, item["code"]
        assert -2.4 <= difficulty(item) <= 2.6, item["code"]
        assert 0.08 <= parameters.get("c", 0.2) <= 0.25, item["code"]


def test_five_models_occur_and_every_area_reaches_from_easy_to_hard():
    models = Counter(item["parameters"]["model"] for item in ITEMS)
    assert sorted(models) == ["2pl", "3pl", "gpcm", "grm", "pcm"]
    assert min(models.values()) >= 5
    assert 1.0 < median(item["parameters"].get("a", 1) for item in ITEMS) < 1.4
    for area, content in AREAS.items():
        b = sorted(difficulty(item) for item in content["items"])
        assert b[0] < -1.8, area
        assert b[-1] > 2.0, area
        assert max(right - left for left, right in pairwise(b)) < 1.0, area


def test_the_bank_description_speaks_every_language():
    bank = read("bank.json")
    named = [bank["name"], bank["parameters_note"], *bank["content_areas"].values()]
    for name in named:
        assert list(name) == LANGUAGES
        assert all(script.search(name[language]) for language, script in SCRIPTS.items())
        assert name["en"].isascii()


def test_the_exam_shares_cover_the_content_areas_of_the_bank():
    exam = tomllib.loads((DEMO / "exams" / "low-altitude.toml").read_text(encoding="utf-8"))
    assert exam["bank"] == read("bank.json")["code"]
    assert list(exam["selection"]["content"]) == list(PREFIXES)
    assert sum(exam["selection"]["content"].values()) == pytest.approx(1.0)
    assert exam["stopping"]["max_items"] <= len(ITEMS)


def test_the_exam_levels_rise_from_the_bottom_of_the_scale():
    exam = tomllib.loads((DEMO / "exams" / "low-altitude.toml").read_text(encoding="utf-8"))
    minima = [level["minimum"] for level in exam["levels"]]
    assert minima == sorted(set(minima))
    assert minima[0] == exam["scale"]["minimum"]
    assert minima[-1] < exam["scale"]["maximum"]
    assert [level["code"] for level in exam["levels"]] == ["below", "certified", "distinction"]
    assert [level["passed"] for level in exam["levels"]] == [False, True, True]
    assert all(list(level["name"]) == LANGUAGES for level in exam["levels"])


def test_every_language_of_the_bank_is_one_of_the_exam_and_has_its_title():
    exam = tomllib.loads((DEMO / "exams" / "low-altitude.toml").read_text(encoding="utf-8"))
    assert exam["languages"] == LANGUAGES
    assert list(exam["title"]) == LANGUAGES
