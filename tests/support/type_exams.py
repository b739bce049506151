"""An exam with one item of each type, as a real bank file with pictures and sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support import item_types
from support.banks import small_bank_document

from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.releases import publish
from item_bank.store.database import Database
from item_bank.store.schema import organisation
from web.practice.pool import FOLDER

LANGUAGES = ("en", "ru", "tg", "zh")
ELSEWHERE = "http://elsewhere.example"
ATTACKS = (
    "<script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 2"> <b onclick="window.hacked = 3">press</b>',
    '<svg onload="window.hacked = 4"><script>window.hacked = 5</script></svg>',
    f'<img src="{ELSEWHERE}/a.png"> <iframe src="{ELSEWHERE}/b"></iframe>',
    f'<object data="{ELSEWHERE}/c"></object> <embed src="{ELSEWHERE}/d">',
    f"<style>@import url({ELSEWHERE}/e.css)</style> <link rel=stylesheet href={ELSEWHERE}/f.css>",
    f'<meta http-equiv=refresh content="0;url={ELSEWHERE}/g"> <base href="{ELSEWHERE}/h">',
    f'<form action="{ELSEWHERE}/i"><button>Confirm</button></form> </form></main></body>',
    '<div hx-get="/home" hx-trigger="load">again</div> {{ config }}',
    f"[link](javascript:window.hacked=6) [far]({ELSEWHERE}/j) <{ELSEWHERE}/k>",
    r"$\href{javascript:window.hacked=7}{x}$ $\text{<script>window.hacked=8</script>}$",
    rf"$\text{{<img src={ELSEWHERE}/l onerror=window.hacked=9>}}$",
    '<math><mi xlink:href="javascript:window.hacked=10">x</mi></math>',
    f'<b style="background: url({ELSEWHERE}/m)">bold</b>',
)
ATTACK = " ".join(ATTACKS)
SHORT = '<img src=x onerror="x()">'
BRIEF = ("label", "unit", "alt")
EXAM = """
code = "types"
bank = "types"
release = "latest"
languages = ["en", "ru", "tg", "zh"]
time_limit_minutes = 60
{more}
[title]
en = "Every type"
ru = "Все типы"
tg = "Ҳамаи навъҳо"
zh = "所有题型"
[selection]
criterion = "random"
[stopping]
length = 9
[scale]
slope = 50
intercept = 500
minimum = 300
maximum = 700
"""


def bank_with_every_type(*, attack: bool = False) -> dict[str, Any]:
    """The practice questions with parameters; the first two share a stimulus."""
    bank = json.loads((FOLDER / "bank.json").read_text(encoding="utf-8"))
    head = small_bank_document(0, code="types")
    for place, item in enumerate(bank["items"]):
        _make_operational(item, place)
        if attack:
            _attack(item)
    for item in bank["items"][:2]:
        item["stimulus"] = "TABLE"
    return {**head, "stimuli": [_stimulus(attack=attack)], "items": bank["items"]}


def _make_operational(item: dict[str, Any], place: int) -> None:
    item["content_area"] = "small" if place % 2 else "large"
    item["parameters"] = {"model": "2pl", "a": 1.0, "b": place / 4 - 1}
    if "scoring" in item["key"]:
        item["key"]["scoring"] = "all"
    if item["type"] == "rating_scale":
        item["parameters"] = {"model": "grm", "a": 1.0, "thresholds": [-1.5, -0.5, 0.5, 1.5]}


def _attack(item: dict[str, Any]) -> None:
    """Put the attacks into every text of an item."""
    for variant in item["variants"].values():
        variant["stem"] += "\n\n" + "\n\n".join(ATTACKS)
        places = [variant[name] for name in ("choices", "rows", "columns", "areas", "image")
                  if name in variant]  # fmt: skip
        for texts in [variant, *places, *variant.get("gaps", {}).values()]:
            for name in set(texts) - {"stem", "media"}:
                if isinstance(texts[name], str):
                    texts[name] += " " + (SHORT if name in BRIEF else ATTACK)


def _stimulus(*, attack: bool) -> dict[str, Any]:
    words = "A table:\n\n| Wind | Speed |\n| --- | --- |\n| north | 5 m/s |\n\n"
    text = words + "![Four shapes](media:shapes.svg)\n\n$v = \\sqrt{2 g h}$"
    said = {
        "title": "Weather " + (SHORT if attack else ""),
        "text": text + ("\n\n" + ATTACK if attack else ""),
        "audio": "tones.wav",
        "transcript": "Three tones, one higher than the other.",
    }
    return {"code": "TABLE", "variants": dict.fromkeys(LANGUAGES, said)}


def open_type_exam(db: Database, folder: Path, *, attack: bool = False, more: str = "") -> str:
    """Make the exam in a database and return the access code of its candidate."""
    home = organisation(db)
    media = {path.name: path.read_bytes() for path in (FOLDER / "media").iterdir()}
    file = item_types.write(folder, bank_with_every_type(attack=attack), media)
    import_bank(db, read_json(file), organisation_id=home)
    publish(db, "types", organisation_id=home)
    exam, _ = apply_exam(db, EXAM.format(more=more), organisation_id=home)
    rows = [RosterRow("A", "Alice", language="en", attempts=40)]
    return str(import_roster(db, rows, exam.plan.code, organisation_id=home)[0].code)
