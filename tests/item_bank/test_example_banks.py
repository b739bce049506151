"""The example bank of the documentation: every item type, in four languages, with media."""

import json
from collections import Counter
from pathlib import Path

from item_bank.items.formats.json_file import bank_from_folder
from item_bank.items.scoring import max_score
from item_bank.items.types.catalogue import TYPES

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "item-types"
LANGUAGES = ["en", "ru", "tg", "zh"]


def test_the_example_bank_has_every_type_in_four_languages():
    source = bank_from_folder(FOLDER)
    types = Counter(item.type for item in source.items)
    assert set(types) == set(TYPES)
    assert all(list(item.variants) == LANGUAGES for item in source.items)
    assert len(source.stimuli) == 3
    assert sum(max_score(item.type, item.key) > 1 for item in source.items) >= 20


def test_the_example_bank_is_imported_and_published_by_the_commands(run_command):
    assert run_command("init")[0] == 0
    status, out, err = run_command("--json", "bank", "import", FOLDER)
    assert (status, len(json.loads(out)["new"])) == (0, 45), err
    assert run_command("bank", "publish", "item-types")[0] == 0
