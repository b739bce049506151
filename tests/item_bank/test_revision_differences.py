"""What differs between two revisions, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_bank.items.authoring.revision_differences import ADDED, REMOVED, changes, parts, places

TEXTS = st.text(max_size=60)


@given(TEXTS, TEXTS)
def test_the_pieces_make_up_both_texts(old, new):
    pieces = list(parts(old, new))

    assert "".join(one.text for one in pieces if one.kind != ADDED) == old
    assert "".join(one.text for one in pieces if one.kind != REMOVED) == new


def test_equal_revisions_have_no_changes():
    said = {"key": {"correct": "A"}, "en": {"stem": "x", "choices": [["A", "1"], ["B", "2"]]}}

    assert changes(said, said) == []


def test_a_change_is_named_by_its_place_and_cut_at_words():
    old = {"en": {"stem": "What is 1 + 2?", "choices": [["A", "3"], ["B", "4"]]}}
    new = {"en": {"stem": "What was 1 + 2?", "choices": [["A", "3"]]}, "words": 4}
    found = changes(old, new)

    assert [one.where for one in found] == ["en, stem", "words", "en, choices, B"]
    assert [(p.kind, p.text) for p in found[0].parts] == [
        ("same", "What "),
        ("removed", "is"),
        ("added", "was"),
        ("same", " 1 + 2?"),
    ]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"a": None}, []),
        ({"a": {"b": "x"}}, [("a, b", "x")]),
        ({"a": ["x", "y"]}, [("a", '["x", "y"]')]),
        ({"a": [["x", "1"]]}, [("a, x", "1")]),
        ({"a": 1.5}, [("a", "1.5")]),
    ],
)
def test_every_text_has_its_place(value, found):
    assert list(places(value)) == found
