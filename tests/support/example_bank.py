"""Every item type in four languages, from the demonstration bank, and exams on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import item_bank.demo
from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.items.bank_files import BankSource, ItemSource
from item_bank.items.formats.json_file import bank_from_folder
from item_bank.items.imports import import_bank
from item_bank.items.releases import publish
from item_bank.store.database import Database
from item_bank.store.schema import organisation

LANGUAGES = ("en", "ru", "tg", "zh")
CODE = "every"
EXAM = """
code = "every"
bank = "every"
release = "latest"
languages = ["en", "ru", "tg", "zh"]
time_limit_minutes = 90
{more}
[title]
en = "Low-altitude operations"
ru = "Полёты на малых высотах"
tg = "Парвозҳои баландии паст"
zh = "低空飞行"
[selection]
criterion = "random"
[stopping]
length = {length}
[scale]
slope = 50
intercept = 500
minimum = 300
maximum = 700
"""


def example_bank() -> BankSource:
    """The demonstration's nine item types, three stimuli, pictures and sound.

    Single choices without a stimulus are left out, and with them the enemies that the others have
    among them.
    """
    source = bank_from_folder(Path(item_bank.demo.__file__).parent)
    return replace(source, items=tuple(map(_without_enemies, filter(_is_special, source.items))))


def _is_special(item: ItemSource) -> bool:
    return item.type != "single_choice" or "stimulus" in item.about


def _without_enemies(item: ItemSource) -> ItemSource:
    about = {name: value for name, value in item.about.items() if name != "enemies"}
    return replace(item, about=about)


def few_of_each(source: BankSource) -> BankSource:
    """The first item of each type, and the first of each stimulus."""
    chosen: dict[str, ItemSource] = {}
    for item in source.items:
        chosen.setdefault(item.about.get("stimulus") or item.type, item)
    return replace(source, items=tuple(chosen.values()))


def open_example_exam(db: Database, source: BankSource, *, more: str = "") -> str:
    """Make an exam that asks all of a bank, and return the access code of its candidate."""
    home = organisation(db)
    import_bank(db, replace(source, code=CODE), organisation_id=home)
    publish(db, CODE, organisation_id=home)
    design = EXAM.format(more=more, length=len(source.items))
    exam, _ = apply_exam(db, design, organisation_id=home)
    rows = [RosterRow("A", "Alice", language="en", attempts=40)]
    return str(import_roster(db, rows, exam.plan.code, organisation_id=home)[0].code)
