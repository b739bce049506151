"""Item types: what a bank file may say of each, what it is worth, and that nothing is lost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import item_types
from support.item_types import ITEMS, item
from support.mutations import mutated

from engine.errors import InputError
from item_bank.items.content import content_flaws, stored_key, stored_variant, written_variant
from item_bank.items.formats.json_file import bank_document, read_json
from item_bank.items.formats.reading import check_bank_file
from item_bank.items.scoring import (
    checked_response,
    is_answer,
    is_readable,
    max_score,
    misfit,
    score,
    shown_ids,
    shuffled_order,
)
from item_bank.items.types.catalogue import TYPES
from item_bank.items.types.numeric_entry import numbers


def kept_key(kind, **changes):
    one = item(kind)
    return stored_key(kind, one["key"] | changes, one["variants"])


def test_the_documentation_shows_an_item_of_every_type():
    assert set(ITEMS) == set(TYPES)


# --- scores ------------------------------------------------------------------------------------

ALL = {"scoring": "all"}
TABLE = [
    # type, changes of the documented key, response, score
    ("single_choice", {}, "A", 2),
    ("single_choice", {}, "B", 1),
    ("single_choice", {}, "C", 0),
    ("single_choice", {}, None, 0),
    ("multiple_response", {}, ["A", "C"], 2),
    ("multiple_response", {}, ["A"], 1),
    ("multiple_response", {}, ["A", "B"], 0),
    ("multiple_response", {}, ["B", "D"], 0),
    ("multiple_response", {}, [], 0),
    ("multiple_response", ALL, ["C", "A"], 1),
    ("multiple_response", ALL, ["A"], 0),
    ("multiple_response", {"choose": 3, **ALL}, ["A", "C", "D"], 0),
    ("multiple_response", {"choose": 4}, ["A", "B", "C", "D"], 0),
    ("text_entry", {}, "QNH", 1),
    ("text_entry", {}, "  qnh ", 1),
    ("text_entry", {}, "ＱＮＨ", 1),
    ("text_entry", {}, "QFE", 0),
    ("text_entry", {}, "Q N H", 0),
    ("text_entry", {}, " ", 0),
    ("text_entry", {"case": True}, "qnh", 0),
    ("numeric_entry", {}, "8.33", 2),
    ("numeric_entry", {}, "8,33 min", 2),
    ("numeric_entry", {}, "8.23", 2),
    ("numeric_entry", {}, "8.43", 2),
    ("numeric_entry", {}, "8.22", 1),
    ("numeric_entry", {}, "8.83", 1),
    ("numeric_entry", {}, "8.84", 0),
    ("numeric_entry", {}, "-8.33", 0),
    ("numeric_entry", {}, "eight", 0),
    ("numeric_entry", {}, "", 0),
    ("numeric_entry", {"value": -40, "tolerance": 0}, "\u221240", 2),
    ("numeric_entry", {"value": 1234, "tolerance": 0}, "1,234", 2),
    ("numeric_entry", {"value": 1.234, "tolerance": 0}, "1,234", 2),
    ("inline_choice", {}, {"gap1": "A", "gap2": "B"}, 2),
    ("inline_choice", {}, {"gap1": "A"}, 1),
    ("inline_choice", {}, {"gap1": "B", "gap2": "A"}, 0),
    ("inline_choice", {}, {}, 0),
    ("inline_choice", ALL, {"gap1": "A", "gap2": "B"}, 1),
    ("inline_choice", ALL, {"gap1": "A", "gap2": "A"}, 0),
    ("order", {}, ["C", "A", "B"], 2),
    ("order", {}, ["B", "C", "A"], 1),
    ("order", {}, ["B", "A", "C"], 0),
    ("order", {}, None, 0),
    ("order", ALL, ["C", "A", "B"], 1),
    ("order", ALL, ["B", "C", "A"], 0),
    ("match", {}, {"r1": "c2", "r2": "c1"}, 2),
    ("match", {}, {"r1": "c2", "r2": "c2"}, 1),
    ("match", {}, {"r2": "c3"}, 0),
    ("match", {}, None, 0),
    ("match", ALL, {"r1": "c2", "r2": "c1"}, 1),
    ("match", ALL, {"r1": "c2"}, 0),
    ("hotspot", {}, ["P2"], 1),
    ("hotspot", {}, ["P1"], 0),
    ("hotspot", {}, ["P1", "P2"], 0),
    ("hotspot", {"correct": ["P1", "P2"], "scoring": "partial"}, ["P2"], 1),
    ("hotspot", {"correct": ["P1", "P2"], "scoring": "partial"}, ["P2", "P3"], 0),
    ("rating_scale", {}, "always", 2),
    ("rating_scale", {}, "often", 1),
    ("rating_scale", {}, "never", 0),
    ("rating_scale", {}, None, 0),
]


@pytest.mark.parametrize(("kind", "changes", "response", "expected"), TABLE)
def test_a_response_scores_by_the_rule_of_its_type(kind, changes, response, expected):
    key = kept_key(kind, **changes)

    assert score(kind, key, response, "en") == expected
    assert expected <= max_score(kind, key)


def test_every_type_is_scored_right_wrong_and_empty():
    for kind in TYPES:
        scores = {expected for one, _, _, expected in TABLE if one == kind}
        assert 0 in scores, kind
        assert max(scores) >= 1, kind
        assert score(kind, kept_key(kind), None, "en") == 0


@pytest.mark.parametrize(
    ("kind", "response", "expected"),
    [
        ("single_choice", "D", "one of the item's choices"),
        ("single_choice", ["A"], "one of the item's choices"),
        ("single_choice", 7, "one of the item's choices"),
        ("multiple_response", ["A", "Z"], "one of the item's choices"),
        ("multiple_response", ["A", "A"], "named once"),
        ("multiple_response", ["A", None], "named once"),
        ("multiple_response", "AC", "a list"),
        ("multiple_response", ["A", "B", "C"], "at most 2 choices"),
        ("text_entry", "x" * 201, "at most 200 characters"),
        ("text_entry", 5, "text"),
        ("text_entry", "a\0b", "without control characters"),
        ("numeric_entry", "1" * 201, "at most 200 characters"),
        ("numeric_entry", 8.33, "text"),
        ("inline_choice", {"gap3": "A"}, "one of the item's places"),
        ("inline_choice", {"gap1": "C"}, "one of the item's choices"),
        ("inline_choice", ["A"], "an object"),
        ("order", ["C", "A"], "all 3 choices"),
        ("order", ["C", "A", "A"], "named once"),
        ("match", {"r1": "c9"}, "one of the item's choices"),
        ("match", {"c1": "r1"}, "one of the item's places"),
        ("hotspot", ["P9"], "one of the item's choices"),
        ("rating_scale", "sometimes", "one of the item's choices"),
    ],
)
def test_a_response_that_the_page_could_not_give_is_refused(kind, response, expected):
    key = kept_key(kind)

    with pytest.raises(InputError, match=expected):
        checked_response(kind, key, response)
    with pytest.raises(InputError, match=expected):
        score(kind, key, response, "en")


def test_texts_are_accepted_by_the_language_of_the_presentation():
    key = kept_key("text_entry")

    assert score("text_entry", key, "кьюэнэйч", "ru") == 1
    assert score("text_entry", key, "кьюэнэйч", "en") == 0
    with pytest.raises(InputError, match="a language of the item: en, ru, found 'tg'"):
        score("text_entry", key, "QNH", "tg")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("5", ["5"]),
        ("+5.", ["5"]),
        (".5", ["0.5"]),
        ("0,125", ["0.125"]),
        ("5 000,5", ["5000.5"]),
        ("5\u00a0000", ["5000"]),
        ("5'000", ["5000"]),
        ("1,234", ["1.234", "1234"]),
        ("1,234,567.5", ["1234567.5"]),
        ("1.234,5", ["1234.5"]),
        ("1.234", ["1.234"]),
        ("12,34,56", []),
        ("\u22121", ["-1"]),
        ("\u20131", ["-1"]),
        ("－１２", ["-12"]),
        ("12 km/h", ["12"]),
        ("12 KM / H", ["12"]),
        ("12 m", []),
        ("1e3", []),
        ("1/2", []),
        ("NaN", []),
        ("Infinity", []),
        ("--1", []),
        (",", []),
        ("km/h", []),
    ],
)
def test_numbers_are_read_as_people_type_them(typed, read):
    assert numbers(typed, ["km/h"]) == tuple(map(Decimal, read))


def test_a_page_may_ask_again_for_what_is_no_number():
    key = kept_key("numeric_entry")

    assert is_readable("numeric_entry", key, "8 min")
    assert not is_readable("numeric_entry", key, "eight")
    assert is_readable("text_entry", kept_key("text_entry"), "eight")


def test_silence_is_no_answer():
    assert not any(map(is_answer, (None, "", "  ", [], {})))
    assert all(map(is_answer, ("A", ["A"], {"r1": "c1"}, "0")))


# --- properties --------------------------------------------------------------------------------


def responses(kind, key):
    """Any response that a page could give."""
    if kind in {"text_entry", "numeric_entry"}:
        plain = st.characters(exclude_categories=("Cs", "Cc"))
        return st.one_of(
            st.text(plain, max_size=30),
            st.decimals(-20, 20, places=2).map(str),
            st.sampled_from(["QNH", "8.33"]),
        )
    if kind in {"single_choice", "rating_scale"}:
        return st.sampled_from(list(key["choices"]))
    if kind == "order":
        return st.permutations(list(key["choices"]))
    if kind in {"multiple_response", "hotspot"}:
        return st.lists(st.sampled_from(key["choices"]), unique=True, max_size=key.get("choose"))
    places = key.get("gaps") or dict.fromkeys(key["rows"], key["columns"])
    return st.fixed_dictionaries({}, optional={p: st.sampled_from(i) for p, i in places.items()})


@pytest.mark.parametrize("kind", sorted(TYPES))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_score_is_a_whole_number_from_0_to_the_highest(kind, data):
    key = kept_key(kind)
    response = data.draw(responses(kind, key))

    points = score(kind, key, response, "en")

    assert isinstance(points, int)
    assert 0 <= points <= max_score(kind, key)
    checked = checked_response(kind, key, response)
    assert checked_response(kind, key, checked) == checked
    assert score(kind, key, checked, "en") == points
    assert (checked is None) == (not is_answer(response))
    assert json.loads(json.dumps(checked)) == checked


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_order_of_ids_in_a_multiple_response_says_nothing(data):
    key = kept_key("multiple_response", choose=4)
    chosen = data.draw(responses("multiple_response", key))
    again = data.draw(st.permutations(chosen))

    assert checked_response("multiple_response", key, again) == (sorted(chosen) or None)
    assert score("multiple_response", key, again) == score("multiple_response", key, chosen)


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_what_is_shuffled_is_drawn_from_seed_and_position_and_loses_nothing(kind):
    key = kept_key(kind)
    ids = shown_ids(kind, key)
    drawn = {shuffled_order(kind, key, seed, 1) for seed in range(40)}

    assert all(sorted(order) == sorted(ids) for order in drawn)
    assert shuffled_order(kind, key, 5, 2) == shuffled_order(kind, key, 5, 2)
    if kind in {"single_choice", "multiple_response", "order", "match"}:
        assert len(drawn) > 1
    else:
        assert drawn == {ids}


def test_things_to_order_never_stand_in_the_order_of_the_key():
    for correct in (["A", "B"], ["B", "A"], ["C", "A", "B"], ["A", "B", "C"]):
        key = {"correct": correct, "choices": sorted(correct)}
        orders = {shuffled_order("order", key, seed, 1) for seed in range(50)}
        assert tuple(correct) not in orders


def test_authors_order_is_kept_for_a_scale_and_for_areas():
    assert shown_ids("rating_scale", kept_key("rating_scale")) == ("never", "often", "always")
    assert shown_ids("hotspot", kept_key("hotspot")) == ("P1", "P2", "P3")


# --- models ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_an_item_needs_a_model_with_a_category_for_every_score(kind):
    key = kept_key(kind)
    top = max_score(kind, key)
    steps = {"thresholds": [0.0] * top}

    assert (misfit(kind, key, "2pl", {}) is None) == (top == 1)
    assert (misfit(kind, key, "gpcm", steps) is None) == (top > 1)
    assert misfit(kind, key, "grm", {"thresholds": [0.0] * (top + 1)}) is not None
    assert misfit(kind, key, "nrm", {"slopes": [0.0] * top}) is not None


@pytest.mark.parametrize(
    ("kind", "parameters", "expected"),
    [
        (
            "multiple_response",
            {"model": "2pl", "a": 1, "b": 0},
            (
                "expected grm, pcm or gpcm with 2 thresholds, since the key of this "
                "multiple_response gives 0 to 2, found 2pl"
            ),
        ),
        (
            "hotspot",
            {"model": "grm", "a": 1, "thresholds": [0, 1]},
            "expected a model with two categories for hotspot, found grm",
        ),
        (
            "order",
            {"model": "grm", "a": 1, "thresholds": [0, 1, 2]},
            "with 2 thresholds, since the key of this order gives 0 to 2, found grm",
        ),
    ],
)
def test_a_model_that_does_not_go_with_the_key_is_refused(tmp_path, kind, parameters, expected):
    document = item_types.document(kind)
    document["items"][0]["parameters"] = parameters

    report = check_bank_file(item_types.write(tmp_path, document))

    assert any("parameters.model: " in error and expected in error for error in report.errors)


# --- flaws -------------------------------------------------------------------------------------


def flaws(kind, change):
    one = item(kind)
    change(one)
    found = content_flaws(one["type"], one["key"], one["variants"])
    return [f"{flaw.path}: expected {flaw.expected}, found {flaw.found}" for flaw in found]


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_the_documented_items_have_no_flaw(kind):
    assert flaws(kind, lambda _: None) == []


FLAWS = [
    ("single_choice", lambda i: i["key"]["credit"].update(A=3), "key.credit: expected points 0, 1"),
    ("single_choice", lambda i: i["key"]["credit"].pop("A"), "points for each of A, B, C"),
    ("single_choice", lambda i: i["key"].update(correct="A"), "either credit or correct"),
    ("single_choice", lambda i: i.update(key="A"), "key: expected an object with the key of a"),
    ("single_choice", lambda i: i["key"].update(choices=["A"]), "credit only, found 'choices'"),
    ("multiple_response", lambda i: i["key"].update(correct=[]), "key.correct: expected a list"),
    ("multiple_response", lambda i: i["key"].update(correct=["A", "A"]), "stand once"),
    ("multiple_response", lambda i: i["key"].update(correct=["Z"]), "one of the choices A, B, C"),
    ("multiple_response", lambda i: i["key"].update(choose=1), "key.choose: expected how many"),
    ("multiple_response", lambda i: i["key"].update(scoring="most"), "expected all or partial"),
    ("multiple_response", lambda i: i["key"].update(scoring=["all"]), "expected all or partial"),
    ("text_entry", lambda i: i["key"]["accepted"].pop("ru"), "each of the languages en, ru"),
    (
        "text_entry",
        lambda i: i["key"]["accepted"].update(ru=[]),
        "key.accepted.ru: expected a list",
    ),
    ("text_entry", lambda i: i["key"]["accepted"].update(en=[5]), "a list of texts of 1 to 200"),
    ("text_entry", lambda i: i["key"].update(case="no"), "key.case: expected true or false"),
    ("text_entry", lambda i: i["variants"]["en"].update(label=""), "variants.en.label: expected"),
    ("numeric_entry", lambda i: i["key"].update(value="8"), "key.value: expected a number"),
    ("numeric_entry", lambda i: i["key"].pop("tolerance"), "key.tolerance: expected a number"),
    ("numeric_entry", lambda i: i["key"].update(tolerance=-1), "key.tolerance: expected a number"),
    ("numeric_entry", lambda i: i["key"].update(near=0.1), "a number above the tolerance"),
    ("numeric_entry", lambda i: i["variants"]["en"].update(unit=1), "variants.en.unit: expected"),
    ("inline_choice", lambda i: i["variants"]["en"].update(stem="[[gap1]]"), "once in the text"),
    (
        "inline_choice",
        lambda i: i["variants"]["en"].update(stem="[[gap1]] [[gap2]] [[gap2]]"),
        "variants.en.stem: expected each of the gaps [[gap1]], [[gap2]] once in the text",
    ),
    (
        "inline_choice",
        lambda i: i["variants"]["en"].update(stem="[[gap1]] $x = [[gap2]]$"),
        "once in the text, found gap1",
    ),
    ("inline_choice", lambda i: i["variants"]["en"]["gaps"]["gap1"].pop("A"), "2 to 26 choices"),
    ("inline_choice", lambda i: i["key"]["correct"].update(gap1="Z"), "key.correct.gap1: expected"),
    ("inline_choice", lambda i: i["key"]["correct"].pop("gap1"), "for each of gap1, gap2"),
    (
        "order",
        lambda i: i["key"].update(correct=["A", "B"]),
        "key.correct: expected all of A, B, C",
    ),
    ("match", lambda i: i["key"]["correct"].update(r1="r1"), "key.correct.r1: expected one of"),
    ("match", lambda i: i["variants"]["en"].pop("rows"), "variants.en.rows: expected an object"),
    (
        "hotspot",
        lambda i: i["variants"]["en"]["image"].update(alt=" "),
        "image.alt: expected words",
    ),
    ("hotspot", lambda i: i["variants"]["en"]["image"].update(media="../x"), "image.media: expec"),
    ("hotspot", lambda i: i["variants"]["en"]["image"].update(width=0), "image.width: expected"),
    ("hotspot", lambda i: i["variants"]["en"].pop("image"), "variants.en.image: expected"),
    ("hotspot", lambda i: i["key"]["areas"].pop("P1"), "key.areas: expected a shape for each"),
    (
        "hotspot",
        lambda i: i["key"]["areas"]["P1"].update(coords=[10, 10, 600, 40]),
        "key.areas.P1.coords: expected an area within the picture, 160 by 100",
    ),
    ("hotspot", lambda i: i["key"]["areas"]["P1"].update(shape="star"), "rect, circle or poly"),
    ("hotspot", lambda i: i["key"]["areas"]["P1"].update(coords=[9, 9, 5, 5]), "left, top, right"),
    ("hotspot", lambda i: i["key"]["areas"]["P2"].update(coords=[9, 9, 0]), "a radius above 0"),
    ("hotspot", lambda i: i["key"]["areas"]["P3"].update(coords=[1, 2, 3]), "three corners"),
    ("hotspot", lambda i: i["key"]["areas"]["P3"].update(coords="x"), "a list of numbers"),
    ("rating_scale", lambda i: i["key"]["scores"].update(always=5), "scores 0, 1, 2, ... without"),
    (
        "rating_scale",
        lambda i: i["variants"].update(
            ru={"stem": "?", "choices": {"often": "2", "never": "1", "always": "3"}}
        ),
        "variants.ru.choices: expected the order never, often, always, found often, never, always",
    ),
    (
        "match",
        lambda i: i["variants"]["en"].update(colour=1),
        "stem, rows, columns, rationale only",
    ),
    ("match", lambda i: i["variants"].update(ru=5), "an object with stem and rows and columns"),
    ("match", lambda i: i.update(type="essay"), "type: expected one of single_choice, multiple"),
    (
        "match",
        lambda i: i["variants"].update(ru=i["variants"]["en"] | {"rows": {"r1": "1", "r9": "2"}}),
        "variants.ru.rows: expected the rows r1, r2, found r1, r9",
    ),
    (
        "inline_choice",
        lambda i: i["variants"].update(
            ru=i["variants"]["en"]
            | {"gaps": i["variants"]["en"]["gaps"] | {"gap1": {"B": "b", "Z": "z"}}}
        ),
        "variants.ru.gaps.gap1: expected the choices A, B, found B, Z",
    ),
    (
        "order",
        lambda i: i["variants"]["en"].update(stem="![](media:a.png)"),
        "variants.en.stem: expected words for who cannot see it",
    ),
    (
        "order",
        lambda i: i["variants"]["en"]["choices"].update(A="![x](https://example.org/a.png)"),
        "variants.en.choices.A: expected a picture of the bank",
    ),
    (
        "order",
        lambda i: i["variants"]["en"].update(stem=r"Is $\frac{1}{2$ right?"),
        "variants.en.stem: expected a formula in LaTeX whose braces are closed",
    ),
]


@pytest.mark.parametrize(("kind", "change", "expected"), FLAWS)
def test_a_flaw_is_named_by_its_place(kind, change, expected):
    found = flaws(kind, change)

    assert any(expected in flaw for flaw in found), found


# --- nothing is lost ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_an_item_is_written_as_it_was_read(tmp_path, kind):
    document = item_types.document(kind)

    source = read_json(item_types.write(tmp_path, document))
    again = bank_document(source)["items"][0]

    assert again == document["items"][0] | {
        "parameters": again["parameters"],  # with all that the model implies
    }
    variant, written = document["items"][0]["variants"]["en"], again["variants"]["en"]
    assert json.dumps(written, sort_keys=False) == json.dumps(variant, sort_keys=False)


ids = st.lists(st.text("abcXYZ019", min_size=1, max_size=4), unique=True, min_size=2, max_size=6)


@settings(max_examples=50, deadline=None)
@given(ids, ids)
def test_any_order_of_ids_is_kept(first, second):
    gaps = {gap: {name: f"text {name}" for name in second} for gap in first}
    variant = {"stem": "x", "gaps": gaps, "rationale": "y"}

    kept = json.loads(json.dumps(stored_variant("inline_choice", variant), sort_keys=True))

    assert json.dumps(written_variant("inline_choice", kept)) == json.dumps(variant)


@pytest.mark.parametrize("kind", sorted(TYPES))
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_no_item_however_strange_is_more_than_a_list_of_problems(tmp_path_factory, kind, data):
    document = item_types.document(kind, stimuli=True)
    document["items"][0]["stimulus"] = "MAP"
    part = data.draw(st.sampled_from(["items", "items", "items", "stimuli"]))
    for _ in range(data.draw(st.integers(1, 2))):
        document[part][0] = mutated(data.draw, document[part][0])
    path = item_types.write(tmp_path_factory.mktemp("item"), document)

    report = check_bank_file(path)

    assert all(str(error).startswith(str(path)) for error in report.errors)
    if not report.errors:
        source = read_json(path)
        written = item_types.write(tmp_path_factory.mktemp("again"), bank_document(source))
        assert read_json(written).items == source.items
