"""Answers of the simulated past: of every type and every score there is one that is worth it."""

from __future__ import annotations

import pytest
from support.item_types import item

from item_bank.demo.answers import answer_worth
from item_bank.items.content import stored_key
from item_bank.items.scoring import max_score, score
from item_bank.items.types.catalogue import TYPES


def keys(kind):
    one = item(kind)
    rules = ("all", "partial") if kind in {"multiple_response", "hotspot", "order", "match",
                                           "inline_choice"} else (None,)  # fmt: skip
    for rule in rules:
        key = one["key"] | ({"scoring": rule} if rule else {})
        yield stored_key(kind, key, one["variants"])


@pytest.mark.parametrize("pick", [0.0, 0.3, 0.6, 0.999])
@pytest.mark.parametrize("kind", sorted(TYPES))
def test_there_is_an_answer_of_every_score(kind, pick):
    for key in keys(kind):
        for points in range(max_score(kind, key) + 1):
            answer = answer_worth(kind, key, "en", points, pick)
            assert answer is not None, (kind, points)
            assert score(kind, key, answer, "en") == points


def test_all_neighbours_but_some_can_be_kept_in_a_long_order():
    names = list("ABCDEFGHIJ")
    key = {"correct": names, "scoring": "partial", "choices": names}
    for points in range(10):
        for pick in (0.0, 0.5, 0.99):
            answer = answer_worth("order", key, "en", points, pick)
            assert score("order", key, answer) == points


def test_silence_alone_may_be_worth_nothing():
    key = {"scores": {"a": 1, "b": 2}, "choices": ["a", "b"]}

    assert answer_worth("rating_scale", key, "en", 0, 0.5) is None
