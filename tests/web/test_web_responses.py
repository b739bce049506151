"""From a form to a response value: what a page could send is read, all else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from item_bank.exams.errors import ForeignResponse
from item_bank.exams.page_names import with_ids
from item_bank.items.presented import Presented, with_names
from item_bank.items.scoring import checked_response
from item_bank.items.types.catalogue import TYPES
from web.candidate.responses import Flaw, read_form, response_from_form
from web.practice.pool import pool, practice_question
from web.style_guide import answered


def shown(kind: str, language: str = "en") -> Presented:
    return practice_question(kind, language, lambda medium: medium.sha256)


def read(kind: str, *fields: tuple[str, str]):
    return read_form(shown(kind), MultiDict(fields))


READ = [
    ("single_choice", [("choice", "C")], "C", None),
    ("single_choice", [], None, Flaw.EMPTY),
    ("single_choice", [("choice", "")], None, Flaw.EMPTY),
    ("rating_scale", [("choice", "E")], "E", None),
    ("multiple_response", [("choice", "A"), ("choice", "C")], ["A", "C"], None),
    ("multiple_response", [("choice", "A")], ["A"], Flaw.INCOMPLETE),
    ("multiple_response", [("choice", c) for c in "ABC"], ["A", "B", "C"], Flaw.TOO_MANY),
    ("hotspot", [("choice", "D")], ["D"], None),
    ("text_entry", [("text", " balance ")], " balance ", None),
    ("text_entry", [("text", "  ")], None, Flaw.EMPTY),
    ("numeric_entry", [("text", "4,5")], "4,5", None),
    ("numeric_entry", [("text", "4.5 kg")], "4.5 kg", None),
    ("numeric_entry", [("text", "four")], "four", Flaw.NOT_A_NUMBER),
    ("inline_choice", [("at.gap1", "E"), ("at.gap2", "W")], {"gap1": "E", "gap2": "W"}, None),
    ("inline_choice", [("at.gap2", "W")], {"gap2": "W"}, Flaw.INCOMPLETE),
    ("match", [("at.T", "C3"), ("at.S", ""), ("at.O", "C0")], {"T": "C3", "O": "C0"}, "incomplete"),
    ("match", [], None, Flaw.EMPTY),
    ("order", [("at.B", "1"), ("at.A", "2"), ("at.C", "3"), ("at.D", "4")], list("BACD"), None),
    ("order", [("at.B", "1"), ("at.A", "1"), ("at.C", "3"), ("at.D", "4")], None, "same place"),
    ("order", [("at.B", "1")], None, Flaw.SAME_PLACE),
    ("order", [("at.B", ""), ("as_shown", "1")], ["C", "A", "D", "B"], None),
    ("order", [], None, Flaw.EMPTY),
]


@pytest.mark.parametrize(("kind", "fields", "value", "flaw"), READ)
def test_a_form_is_read_as_a_response_and_what_to_look_at_again(kind, fields, value, flaw):
    found = read(kind, *fields)

    assert (found.value, found.flaw) == (value, flaw)


FOREIGN = [
    ("single_choice", [("choice", "Z")]),
    ("single_choice", [("choice", "A"), ("choice", "B")]),
    ("multiple_response", [("choice", "A"), ("choice", "A")]),
    ("multiple_response", [("choice", "A"), ("choice", "Z")]),
    ("hotspot", [("choice", "A' OR 1=1")]),
    ("text_entry", [("text", "x" * 201)]),
    ("text_entry", [("text", "a\0b")]),
    ("text_entry", [("text", "a"), ("text", "b")]),
    ("inline_choice", [("at.gap3", "E")]),
    ("inline_choice", [("at.gap1", "Z")]),
    ("match", [("at.T", "T")]),
    ("match", [("at.T", "C3"), ("at.T", "C4")]),
    ("order", [("at.A", "5")]),
    ("order", [("at.A", "-1")]),
    ("order", [("at.A", "1e0")]),
    ("order", [("at.Z", "1")]),
]


@pytest.mark.parametrize(("kind", "fields"), FOREIGN)
def test_what_the_page_could_not_send_is_refused(kind, fields):
    with pytest.raises(ForeignResponse):
        read(kind, *fields)


@pytest.mark.parametrize("kind", TYPES)
def test_names_of_the_page_go_and_come_back(kind):
    ids: dict[str, str] = {}

    def name(place: str, own: str) -> str:
        return ids.setdefault(f"{place}/{own}", own) and f"{place}/{own}"

    page = with_names(shown(kind), name)
    value = with_ids(response_from_form(page, answered(page)), ids, kind)
    plain = response_from_form(shown(kind), answered(shown(kind)))

    assert value == plain
    item = next(item for item in pool().items if item.type == kind)
    assert checked_response(kind, item.key, value) is not None


def test_a_name_of_another_page_is_refused():
    for value in ("x", ["x"], {"x": "y"}):
        with pytest.raises(ForeignResponse):
            with_ids(value, {"a": "A"}, "match")
    assert with_ids("x", {}, "text_entry") == "x"
    assert with_ids(None, {}, "order") is None


FIELD = st.sampled_from(["choice", "text", "as_shown", "at.A", "at.gap1", "at.T", "at.", "other"])
VALUE = st.one_of(st.sampled_from(["A", "1", "C3", "E", "", "4"]), st.text(max_size=8))


@given(st.sampled_from(sorted(TYPES)), st.lists(st.tuples(FIELD, VALUE), max_size=6))
def test_whatever_is_sent_is_a_response_that_the_item_allows_or_refused(kind, fields):
    try:
        found = read(kind, *fields)
    except ForeignResponse:
        return
    item = next(item for item in pool().items if item.type == kind)
    if found.flaw is not Flaw.TOO_MANY:
        checked_response(kind, item.key, found.value)
