"""A small bank in two languages, for tests that need something to ask."""

from __future__ import annotations

from typing import Any


def small_bank_document(n_items: int = 12, code: str = "small") -> dict[str, Any]:
    """A bank file of single-choice items about sums, in English and Russian, two content areas."""
    return {
        "format": "tarozu-bank",
        "version": 1,
        "bank": {
            "code": code,
            "name": {"en": "Sums", "ru": "Суммы"},
            "content_areas": {
                "small": {"en": "Small numbers", "ru": "Малые числа"},
                "large": {"en": "Large numbers", "ru": "Большие числа"},
            },
            "parameters_note": {"en": "Illustrative parameters.", "ru": "Условные параметры."},
        },
        "items": [_item(number, n_items) for number in range(1, n_items + 1)],
    }


def _item(number: int, n_items: int) -> dict[str, Any]:
    first, second = number, 2 * number
    correct = "ABCD"[number % 4]
    wrong = iter((first + second + 1, first + second - 1, first + second + 10))
    choices = {name: str(first + second if name == correct else next(wrong)) for name in "ABCD"}
    difficulty = -2 + 4 * (number - 1) / max(n_items - 1, 1)
    return {
        "code": f"S-{number:02}",
        "type": "single_choice",
        "content_area": "small" if number % 2 else "large",
        "cognitive_level": "apply",
        "competency": "Addition",
        "parameters": {"model": "2pl", "a": 1 + 0.05 * (number % 5), "b": round(difficulty, 3)},
        "key": {"correct": correct},
        "variants": {
            "en": {"stem": f"What is {first} + {second}?", "choices": choices},
            "ru": {"stem": f"Сколько будет {first} + {second}?", "choices": dict(choices)},
        },
    }
