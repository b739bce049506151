"""The errors that all packages share.

Raised anywhere; turned into one line and an exit status by ``tarozu.py``, into a page by ``web``.
Imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial


class InputError(ValueError):
    """Input that cannot be used: says where, what was expected and what was found.

    Parameters
    ----------
    expected, found
        What would have been right, and what stood there.
    file, line, column
        Where, as far as it is known; ``line`` counts from 1.
    """

    def __init__(
        self,
        expected: str,
        found: object,
        *,
        file: object = None,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        self.expected = expected
        self.found = found
        self.file = file
        self.line = line
        self.column = column
        super().__init__(f"{self.where}expected {expected}, found {found}")

    def __reduce__(self) -> tuple[Callable[..., InputError], tuple[object, ...]]:
        # So that a refusal comes back from another process.
        made = partial(type(self), file=self.file, line=self.line, column=self.column)
        return made, (self.expected, self.found)

    @property
    def where(self) -> str:
        """``FILE:LINE: COLUMN: `` with the parts that are known."""
        place = "" if self.file is None else str(self.file)
        if self.line is not None:
            place += f":{self.line}"
        parts = [part for part in (place, self.column) if part]
        return "".join(f"{part}: " for part in parts)


class AnswerIsNo(Exception):  # noqa: N818 - an answer, not a fault
    """The work ran and its answer is no: not converged, a broken chain, nothing to publish."""
