"""Banks with everything that a blueprint can speak of, and blueprints that fit them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from engine.attributes import item_attributes
from engine.blueprints.blueprint import Blueprint, blueprint_from_mapping
from engine.items import ItemParameters, item_parameters
from engine.randomness import uniform

AREAS = ("algebra", "geometry", "numbers", "data")


@cache
def rich_bank(n_items: int = 300, seed: int = 3) -> ItemParameters:
    """3PL items of four areas with keys, words, seconds, a few enemies and stimuli of five items.

    The first sixth of the items belongs to stimuli, each of one area.
    """
    rows = np.arange(n_items)
    a, b, c, key, words, seconds, area = uniform(seed, np.arange(7)[:, None], "bank", rows[None, :])
    stimulus = [f"s{row // 5}" if row < n_items // 6 else "" for row in rows]
    content = [
        AREAS[(row // 5) % 4] if row < n_items // 6 else AREAS[int(4 * area[row])] for row in rows
    ]
    enemies = [[f"i{row + 1}"] if row % 17 == 0 and row + 1 < n_items else [] for row in rows]
    items = item_parameters(
        [f"i{row}" for row in rows],
        "3pl",
        a=0.6 + 1.4 * a,
        b=-3 + 6 * b,
        c=0.1 + 0.15 * c,
        content=content,
    )
    attributes = item_attributes(
        n_items,
        stimulus=stimulus,
        enemies=enemies,
        labels={"key": ["ABCD"[int(4 * draw)] for draw in key]},
        numbers={"words": np.round(20 + 100 * words), "seconds": np.round(30 + 90 * seconds)},
    )
    return replace(items, attributes=attributes)


def rich_blueprint(**changes: object) -> Blueprint:
    """Thirty items of all areas, with keys, words and seconds, sets and enemies."""
    table: dict[str, object] = {
        "content": {
            "algebra": {"minimum": 8, "maximum": 10},
            "geometry": {"minimum": 6, "maximum": 9},
            "numbers": {"minimum_share": 0.2, "maximum_share": 0.3},
            "data": {"minimum": 4},
        },
        "labels": {"key": {"*": {"minimum": 4, "maximum_share": 0.35}}},
        "totals": {"words": {"maximum": 2000}, "seconds": {"minimum": 1800, "maximum": 2400}},
        "sets": {"min_items": 3, "max_items": 4},
        "enemies": [["i100", "i101", "i102"], ["i60", "i120"]],
        "excluded": ["i299"],
    }
    return blueprint_from_mapping({**table, **changes})
