"""What a bank file says, whatever its format, and how its problems are collected.

The readers in `formats` make a `BankSource`; `items.import_bank` takes it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import InputError
from item_bank.items.content import PARAMETERS_ONLY
from item_bank.items.plans import EVERY_LANGUAGE, Parameters

MAX_C = 0.5
STATUSES = ("operational", "pretest", "draft", "reviewed", "translated")


@dataclass(frozen=True)
class ItemSource:
    """An item of a bank file.

    Parameters
    ----------
    content_area
        None when the file does not say.
    key, variants
        As they are kept; empty for an item with parameters only.
    about
        Cognitive level, competency, enemies, stimulus, words, seconds, labels of the bank's own.
    parameters
        By language; `EVERY_LANGUAGE` for one set for all; empty when the file has none.
    status
        None when the file does not say.
    """

    code: str
    type: str = PARAMETERS_ONLY
    content_area: str | None = None
    key: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parameters: Mapping[str, Parameters] = field(default_factory=dict)
    status: str | None = None


@dataclass(frozen=True)
class StimulusSource:
    """A stimulus of a bank file, by language."""

    code: str
    variants: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class BankSource:
    """A bank file: its items, and the bank's own code and description where it has them.

    ``media`` are the bytes of what its texts show, by name.
    """

    file: str
    items: tuple[ItemSource, ...]
    code: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    stimuli: tuple[StimulusSource, ...] = ()
    media: Mapping[str, bytes] = field(default_factory=dict)


class Problems:
    """All that is wrong with a file; `stop` raises the first and counts the others."""

    def __init__(self, file: Path | str) -> None:
        self.file = str(file)
        self.found: list[InputError] = []

    def add(self, expected: str, found: object, line: int | None, column: str | None) -> None:
        """Note one problem."""
        error = InputError(expected, found, file=self.file, line=line, column=column)
        self.found.append(error)

    def stop(self) -> None:
        """Raise when there is a problem."""
        if not self.found:
            return
        self.found.sort(key=lambda error: error.line or 0)
        first, more = self.found[0], len(self.found) - 1
        hint = f" (and {more} more: see `tarozu bank check`)" if more else ""
        raise BankFileError(first, f"{first.found}{hint}", self.found)


class BankFileError(InputError):
    """The first problem of a bank file; ``problems`` has them all."""

    def __init__(self, first: InputError, found: str, problems: list[InputError]) -> None:
        place = {"file": first.file, "line": first.line, "column": first.column}
        super().__init__(first.expected, found, **place)  # type: ignore[arg-type]
        self.problems = tuple(problems)


def one_for_all(parameters: Parameters) -> dict[str, Parameters]:
    """The same parameters in every language."""
    return {EVERY_LANGUAGE: parameters}
