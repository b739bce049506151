"""A JSON file as read, and how problems are noted where they stand in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from item_bank.items.bank_files import Problems


@dataclass(frozen=True)
class Document:
    """A JSON file as read: its value and its text, in which lines are looked up."""

    path: Path
    text: str
    value: Any

    def line_of(self, code: object) -> int | None:
        """The line in which the code of an item or stimulus stands."""
        quoted = re.escape(json.dumps(code, ensure_ascii=False))
        found = re.search(r'"code"\s*:\s*' + quoted, self.text)
        return self.text.count("\n", 0, found.start()) + 1 if found else None


def noting(document: Document, problems: Problems) -> Callable[[str, object, str, str], None]:
    """Take note of what is wrong: expected, found, ``item CODE`` or ``stimulus CODE``, place."""

    def note(expected: str, found: object, name: str, place: str) -> None:
        line = document.line_of(name.partition(" ")[2])
        problems.add(expected, found, line, f"{name}: {place}")

    return note
