"""docs/faults.md and the tests agree by number: every case has a row, every row its tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "faults.md"
OPEN = {19, 26, 27, 35}
CASES = range(1, 37)


def table() -> dict[int, str]:
    """The rows of the page's table, by number."""
    found = re.findall(r"^\| (\d+) \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    numbers = [int(number) for number, _ in found]
    assert numbers == list(CASES)
    return {int(number): row for number, row in found}


def names() -> set[str]:
    """Every test of a case."""
    texts = [path.read_text(encoding="utf-8") for path in HERE.glob("test_fault_*.py")]
    return {
        name
        for text in texts
        for name in re.findall(r"^def (test_fault_\d\d_\w+)", text, re.MULTILINE)
    }


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_named_open_or_has_the_tests_that_its_row_names(case):
    row = table()[case]
    written = set(re.findall(r"`(test_fault_\d\d_\w+)`", row))
    there = {name for name in names() if name.startswith(f"test_fault_{case:02}_")}

    assert written == there
    assert bool(there) is (case not in OPEN)
    assert ("**Open.**" in row) is (case in OPEN)
