"""What a command says: results on stdout, remarks and progress on stderr.

Made once by ``tarozu.py`` and handed to every command. Imports rich, and only when it is needed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

WIDE = 1000


@dataclass(frozen=True)
class Console:
    """The global options and the ways to speak.

    Parameters
    ----------
    database_url
        As given by ``--database`` or ``TAROZU_DATABASE_URL``; None for the default file.
    quiet
        No remarks and no progress.
    json
        Results as one JSON document on stdout.
    """

    database_url: str | None = None
    quiet: bool = False
    json: bool = False

    def emit(self, data: Any, text: Any = None) -> None:
        """Print ``data`` with ``--json``, else ``text`` (a string or rich renderable)."""
        if self.json:
            sys.stdout.write(json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n")
        elif isinstance(text, str):
            sys.stdout.write(text + "\n")
        elif text is not None:
            from rich.console import Console as Terminal  # noqa: PLC0415 - slow to import

            # A file or a pipe: nothing is folded. Names may hold [brackets] and :colons:.
            width = None if sys.stdout.isatty() else WIDE
            terminal = Terminal(width=width, markup=False, emoji=False)
            terminal.print(text)

    def note(self, text: str) -> None:
        """Print a remark to stderr."""
        if not self.quiet:
            sys.stderr.write(text + "\n")

    @contextmanager
    def progress(self, total: int, label: str) -> Iterator[Callable[..., None]]:
        """Show a bar on a terminal's stderr; yields ``advance(n=1)``."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda _n=1: None
            return
        from rich.console import Console as Terminal  # noqa: PLC0415 - slow to import
        from rich.progress import Progress  # noqa: PLC0415 - slow to import

        with Progress(console=Terminal(stderr=True), transient=True) as bar:
            task = bar.add_task(label, total=total)
            yield lambda n=1: bar.advance(task, n)


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return rows as a table for a terminal; numbers stand right, nothing is shown as a dash."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415 - slow to import

    grid = Table(box=SIMPLE_HEAD)
    for column in columns:
        numeric = all(isinstance(row[column], int | float | None) for row in rows)
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(_cell(row[column]) for column in columns))
    return grid


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:g}" if value == round(value) else f"{value:.3f}"
    return str(value)
