"""Commands of exports: ``tarozu export results``, ``responses`` and ``research``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console

if TYPE_CHECKING:
    from item_bank.results.exports.choices import Choices, Selection
    from item_bank.store.database import Database

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, dir_okay=False)
DAYS = (("since", "Sittings that ended on this day or later."), ("until", "Or earlier."))


def _common(command: Command) -> Command:
    """Give a command the options that all exports have."""
    for name, text in reversed(DAYS):
        command = click.option(f"--{name}", default="", metavar="YYYY-MM-DD", help=text)(command)
    command = click.option("--force", is_flag=True, help="Overwrite the file.")(command)
    command = click.option("--out", type=FILE, required=True, help="The file to write.")(command)
    return click.option("--exam", required=True, metavar="CODE", help="The exam.")(command)


def _narrowed(command: Command) -> Command:
    """Give a command the options that choose sittings."""
    for name in ("language", "country", "centre"):
        text = f"Sittings of this {name} only."
        command = click.option(f"--{name}", default="", help=text)(command)
    for name, words, usual, text in (
        (
            "state",
            ["awaiting", "held", "released", "invalidated"],
            "",
            "Results of this state only.",
        ),
        ("simulated", ["without", "with", "only"], "without", "Simulated candidates."),
        ("format", ["csv", "parquet"], "csv", "How it is written."),
    ):
        kind = click.Choice(words)
        command = click.option(f"--{name}", type=kind, default=usual or None, help=text)(command)
    mark = click.option("--bom", is_flag=True, help="Begin a CSV so that spreadsheets know UTF-8.")
    return mark(command)


@click.group()
def export() -> None:
    """Exports of an exam: results, responses, de-identified research data."""


@export.command()
@_common
@_narrowed
@click.option("--names", is_flag=True, help="With roster numbers and names.")
@click.pass_obj
def results(console: Console, /, **given: Any) -> None:
    """Write one row for each sitting that has ended."""
    _write(console, "results", given)


@export.command()
@_common
@_narrowed
@click.pass_obj
def responses(console: Console, /, **given: Any) -> None:
    """Write one row for each scored response, as `tarozu calibrate` reads them."""
    _write(console, "responses", given)


@export.command()
@_common
@click.option("--k", default=10, show_default=True, help="People who must share what is left.")
@click.option("--licence", default="", help="Under which the data are shared; asked for to write.")
@click.option("--basis", default="", help="By what right, for data without recorded consent.")
@click.option("--simulated", is_flag=True, help="Also simulated candidates, marked.")
@click.option("--without-consent", is_flag=True, help="Also where no consent was recorded.")
@click.option("--parameters", is_flag=True, help="With the parameters of the items.")
@click.option("--codes", is_flag=True, help="With the bank's codes of items.")
@click.option("--dry-run", is_flag=True, help="Say what would be in it, and write nothing.")
@click.pass_obj
def research(console: Console, /, out: Path, force: bool, dry_run: bool, **given: Any) -> None:
    """Write a ZIP of de-identified responses, sittings and items with a codebook."""
    from item_bank.results.exports.archive import note_research, write_archive
    from item_bank.results.exports.research import research_choices_from, research_selection

    choices = research_choices_from(given | {"consented": not given["without_consent"]})
    with _site(console) as (db, organisation):
        chosen = _found(choices.exam, lambda: research_selection(db, choices, organisation))
        if dry_run:
            _say_dry(console, db, choices, chosen)
            return
        with _writing(out, force=force) as file:
            says, finish = _progress(console)
            made = write_archive(db, choices, chosen, file, says)
            finish()
        with db.write() as session:
            note_research(db, session, choices, chosen, made | _facts(out))
    text = f"{made['sittings']} sittings of {made['people']} people in {out}"
    console.emit({"file": str(out), **made}, text)


def _say_dry(console: Console, db: Database, choices: Any, chosen: Selection) -> None:
    from item_bank.results.exports.research import look

    looked = look(db, choices, chosen, lambda *_: None)
    coarse = looked.coarsened(choices.k)
    data = {
        "sittings": looked.sittings,
        "people": looked.n_people,
        "left_out": dict(looked.left_out),
        "merged": dict(coarse.merged),
        "suppressed": dict(coarse.suppressed),
    }
    console.emit(data, "\n".join(f"{name}: {found}" for name, found in data.items()))
    if looked.n_people < choices.k:
        raise AnswerIsNo(f"fewer than k = {choices.k} people are left: nothing would be written")


def _write(console: Console, what: str, given: dict[str, Any]) -> None:
    from item_bank.results.exports.choices import choices_from, selection
    from item_bank.results.exports.making import note_export, write_export

    out, force = given.pop("out"), given.pop("force")
    said = {name: value for name, value in given.items() if value is not None}
    choices: Choices = choices_from(said | {"mark": given["bom"]})
    with _site(console) as (db, organisation):
        chosen = _found(choices.exam, lambda: selection(db, choices, organisation))
        with _writing(out, force=force) as file:
            says, finish = _progress(console)
            written = write_export(db, chosen, what, file, says)
            finish()
        made = {"rows": written.rows, "sittings": written.sittings}
        with db.write() as session:
            note_export(db, session, chosen, what, made | _facts(out))
    console.emit({"file": str(out), **made}, f"{written.rows} rows in {out}")


def _facts(out: Path) -> dict[str, Any]:
    """What the site's chain notes of a file."""
    from item_bank.exams.actors import COMMAND_LINE

    with out.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "size": out.stat().st_size, "by": COMMAND_LINE}


@contextmanager
def _writing(out: Path, *, force: bool) -> Iterator[Any]:
    """Give a file beside the one that is wanted; it takes its place when all went well."""
    if out.exists() and not force:
        raise InputError("a file that does not exist yet, or --force", "it", file=out)
    partial = out.with_name(f"{out.name}.part")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(out)
    except OSError as error:
        raise InputError("a file that can be written", error.strerror, file=out) from None
    finally:
        partial.unlink(missing_ok=True)


def _progress(console: Console) -> tuple[Callable[[int, int, str], None], Callable[[], None]]:
    """Return what shows progress on a terminal, and what ends it."""
    stack = ExitStack()
    state: dict[str, Any] = {"stage": "", "done": 0}

    def says(done: int, total: int, stage: str) -> None:
        if stage != state["stage"]:
            stack.close()
            advance = stack.enter_context(console.progress(total, stage.capitalize()))
            state.update(stage=stage, done=0, advance=advance)
        state["advance"](done - state["done"])
        state["done"] = done

    return says, stack.close


def _found(code: str, find: Callable[[], Selection]) -> Selection:
    from item_bank.exams.errors import NotFound

    try:
        return find()
    except NotFound:
        raise InputError(
            "the code of an exam (see `tarozu exam list`)", repr(code), column="--exam"
        ) from None


@contextmanager
def _site(console: Console) -> Iterator[tuple[Database, str]]:
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        yield db, organisation(db)
