"""The demonstration bank as its files have it, and every text that a candidate may read in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

DEMO = Path(__file__).parents[2] / "item_bank" / "demo"
PREFIXES = {
    "airspace": "AIR",
    "weather": "WX",
    "aircraft": "UA",
    "operations": "OPS",
    "safety": "SAF",
}
LANGUAGES = ["en", "ru", "tg", "zh"]
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
CHINESE = re.compile(r"[\u3400-\u9fff]")
SCRIPTS = {"ru": CYRILLIC, "tg": CYRILLIC, "zh": CHINESE}
# Tajik is written since 1998 without three Russian letters, and with six of its own.
TAJIK = re.compile(r"[абвгғдеёжзиӣйкқлмнопрстуӯфхҳчҷшъэюя]+", re.IGNORECASE)
_NO_TEXT = {"media", "audio", "width", "height"}


def read(name: str) -> Any:
    """A JSON file of the demonstration."""
    return json.loads((DEMO / name).read_text(encoding="utf-8"))


AREAS = {area: read(f"items/{area}.json") for area in PREFIXES}
ITEMS = list(chain.from_iterable(content["items"] for content in AREAS.values()))
STIMULI = list(chain.from_iterable(content.get("stimuli", []) for content in AREAS.values()))


def texts(variant: Any) -> list[str]:
    """Every text of an item or a stimulus in one language, in the order of the file."""
    return list(_texts(variant))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in _NO_TEXT:
                yield from _texts(part)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def prose(text: str) -> str:
    """A text without formulas, names of files and of gaps, and what a program or a radio says."""
    return re.sub(
        r"`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\(media:[^)]*\)|\[\[\w+\]\]|“[A-Z][^”]*”",
        " ",
        text,
        flags=re.DOTALL,
    )
