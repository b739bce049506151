"""`tarozu standard`: studies that set the cut score of a level."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console, table

if TYPE_CHECKING:
    from item_bank.exams.actors import Actor
    from item_bank.results.standards.plans import ItemChoice
    from item_bank.results.standards.records import StudyFacts
    from item_bank.results.standards.rounds import RoundResult
    from item_bank.store.database import Database

FILE = click.Path(path_type=Path)
NUMBER = click.argument("number", metavar="NUMBER", type=click.IntRange(min=1))
ACCOUNT = click.option(
    "--account", metavar="EMAIL", help="On whose behalf; the command line where nobody is named."
)


@click.group()
def standard() -> None:
    """Standard setting: panels, rounds and the cut scores that come of them."""


@standard.command("create")
@click.argument("exam_code", metavar="EXAM")
@click.option("--level", required=True, help="The level whose minimum is set.")
@click.option(
    "--method",
    type=click.Choice(["angoff", "bookmark"]),
    default="angoff",
    show_default=True,
    help="How panellists judge.",
)
@click.option("--title", default="", help="What the study is called; EXAM: LEVEL if left out.")
@click.option("--exam-version", type=click.IntRange(min=1), help="The newest if left out.")
@click.option("--form", "n", type=click.IntRange(min=3), metavar="N", help="N items, drawn evenly.")
@click.option("--items", type=FILE, help="A file of item codes, one a line, in this order.")
@click.option("--candidate", default="", help="Who is a minimally competent candidate, in words.")
@click.option(
    "--rp",
    type=float,
    default=0.67,
    show_default=True,
    help="Bookmark: the chance at which a place counts as mastered.",
)
@click.option("--guessing-adjusted", is_flag=True, help="Bookmark: the chance beyond guessing.")
@click.option(
    "--rule",
    type=click.Choice(["between", "item"]),
    default="between",
    show_default=True,
    help="Bookmark: half way between its neighbours, or at the place after it.",
)
@click.option(
    "--statistic",
    type=click.Choice(["mean", "median"]),
    default="mean",
    show_default=True,
    help="Of the judges' cuts.",
)
@click.option("--panel", type=FILE, help="Panellists: CSV of panellist,name[,account][,table].")
@ACCOUNT
@click.pass_obj
def create(
    console: Console,
    *,
    exam_code: str,
    level: str,
    method: str,
    title: str,
    exam_version: int | None,
    n: int | None,
    items: Path | None,
    candidate: str,
    rp: float,
    guessing_adjusted: bool,
    rule: str,
    statistic: str,
    panel: Path | None,
    account: str | None,
) -> None:
    """Begin a study of a level of EXAM, with its first round open.

    The panel sees all items in use, unless --form or --items says otherwise.
    """
    from item_bank.results.standards.acts import create_study, set_panel
    from item_bank.results.standards.plans import NewStudy
    from item_bank.results.standards.rating_files import read_panel

    new = NewStudy(
        exam_code, level, method, title, exam_version, _choice(n, items), candidate, rp,
        guessing_adjusted, rule, statistic,
    )  # fmt: skip
    members = read_panel(_read(panel), file=str(panel)) if panel else []
    with _acting(console, account) as (db, actor):
        study_id = create_study(db, actor, new)
        if members:
            set_panel(db, actor, study_id, members)
        facts = _facts(db, actor, study_id=study_id)
    console.emit(
        _about(facts),
        f"Study {facts.number}: {facts.level.code} of {exam_code}, {method}, {len(facts.items)} "
        f"items, {len(facts.panel)} panellists; round 1 is open.",
    )


def _choice(n: int | None, items: Path | None) -> ItemChoice:
    from item_bank.results.standards.plans import ItemChoice

    if n is not None and items is not None:
        raise click.UsageError("--form does not go with --items")
    if items is not None:
        return ItemChoice("list", codes=tuple(_read(items).split()))
    return ItemChoice() if n is None else ItemChoice("form", n)


@standard.command("import")
@NUMBER
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Check the file and say what it would do.")
@ACCOUNT
@click.pass_obj
def import_file(
    console: Console, number: int, file: Path, dry_run: bool, account: str | None
) -> None:
    """Read panellists or ratings from a CSV FILE into a study.

    panellist,name[,account][,table] adds panellists; panellist,item,rating (percent) or
    panellist,bookmark enters ratings of the open round, all of them or none.
    """
    from item_bank.results.standards.acts import set_panel
    from item_bank.results.standards.rating_files import is_panel, read_panel, read_ratings
    from item_bank.results.standards.ratings import rate

    text = _read(file)
    with _acting(console, account) as (db, actor):
        facts = _facts(db, actor, number=number)
        if is_panel(text):
            members = read_panel(text, file=str(file))
            if not dry_run:
                set_panel(db, actor, facts.id, members)
            _imported(console, facts, "panellists", len(members), dry_run=dry_run)
            return
        ratings = read_ratings(text, facts, file=str(file))
        if not dry_run:
            rate(db, actor, facts.id, ratings, round_seen=facts.round)
        _imported(console, facts, "ratings", len(ratings), dry_run=dry_run)


def _imported(console: Console, facts: StudyFacts, what: str, n: int, *, dry_run: bool) -> None:
    data = {"study": facts.number, "round": facts.round, what: n, "dry_run": dry_run}
    said = f"the file is right; it has {n} {what}" if dry_run else f"{n} {what} read"
    console.emit(data, f"Study {facts.number}, round {facts.round}: {said}.")


@standard.command("list")
@click.pass_obj
def list_all(console: Console) -> None:
    """List the studies, the newest first."""
    from item_bank.results.standards.records import studies

    with _acting(console, None) as (db, actor):
        found = studies(db, organisation_id=actor.organisation_id)
    columns = ("number", "title", "exam_code", "level", "method", "status", "round", "panel",
               "minimum")  # fmt: skip
    rows = [{name: getattr(row, name) for name in columns} for row in found]
    if not rows:
        console.emit([], "No study yet. Begin one: tarozu standard create EXAM --level LEVEL")
        return
    console.emit(rows, table(columns, rows))


@standard.command("show")
@NUMBER
@click.option("--round", "round_", type=click.IntRange(min=1), help="The newest if left out.")
@click.pass_obj
def show(console: Console, number: int, round_: int | None) -> None:
    """Show a study: its judges' cuts in a round, the panel's, and what it would mean."""
    from item_bank.results.standards.feedback import round_of

    with _acting(console, None) as (db, actor):
        facts = _facts(db, actor, number=number)
        wanted = facts.last_round if round_ is None else round_
        if wanted > facts.last_round:
            raise InputError(f"a round from 1 to {facts.last_round}", wanted, column="--round")
        found = round_of(db, facts, wanted)
    judges = [_judge(facts, row) for row in found.judges]
    impact = [vars(row) for row in found.impact]
    console.emit({**_about(facts), **_cut(found), "judges": judges, "impact": impact})
    if not console.json:
        console.emit(None, _headline(facts, found))
        if judges:
            console.emit(None, table(tuple(judges[0]), judges))
        if impact and len(found.past.scores):
            whom = "simulated " if found.past.simulated else ""
            console.emit(None, f"Of {len(found.past.scores)} {whom}candidates would reach it:")
            console.emit(None, table(("errors", "theta", "minimum", "share"), impact))


def _headline(facts: StudyFacts, found: RoundResult) -> str:
    about = f"Study {facts.number}, {facts.title}: {facts.method}, {facts.status}"
    if found.score is None or found.minimum is None:
        return f"{about}; no cut in round {found.number} yet"
    error = "" if found.se_points is None else f" (SE {found.se_points:.1f})"
    cut = f"{found.score:.1f}{error}, so {facts.level.code} begins at {found.minimum:g}"
    return f"{about}; round {found.number} cuts at {cut}"


def _judge(facts: StudyFacts, row: Any) -> dict[str, Any]:
    given = {"mark": row.mark} if facts.is_bookmark else {
        "rated": f"{row.given} of {row.of}", "correlation": row.correlation, "rmse": row.rmse,
    }  # fmt: skip
    reason = "" if row.cut.reason is None else str(row.cut.reason)
    return {"panellist": row.member.code, "name": row.member.name, **given,
            "theta": row.cut.theta, "score": row.score, "no_cut": reason}  # fmt: skip


def _cut(found: RoundResult) -> dict[str, Any]:
    return {
        "in_round": found.number,
        "theta": found.theta,
        "se": found.se,
        "score": found.score,
        "se_points": found.se_points,
        "minimum": found.minimum,
        "simulated": found.past.simulated,
        "candidates": len(found.past.scores),
    }


def _about(facts: StudyFacts) -> dict[str, Any]:
    return {
        "study": facts.number,
        "title": facts.title,
        "exam": facts.exam.plan.code,
        "version": facts.exam.number,
        "level": facts.level.code,
        "method": facts.method,
        "status": facts.status,
        "round": facts.round,
        "items": len(facts.items),
        "panel": len(facts.panel),
    }


@standard.command("close-round")
@NUMBER
@ACCOUNT
@click.pass_obj
def end_round(console: Console, number: int, account: str | None) -> None:
    """Close the open round, so that its ratings stand, and open the next."""
    from item_bank.results.standards.acts import close_round

    with _acting(console, account) as (db, actor):
        facts = _facts(db, actor, number=number)
        opened = close_round(db, actor, facts.id, round_seen=facts.round)
    data = {"study": number, "closed": facts.round, "open": opened}
    console.emit(data, f"Study {number}: round {facts.round} is closed, round {opened} open.")


@standard.command("close")
@NUMBER
@ACCOUNT
@click.pass_obj
def close(console: Console, number: int, account: str | None) -> None:
    """End the rating, and compute the cut from the newest ratings."""
    from item_bank.results.standards.acts import close_study

    with _acting(console, account) as (db, actor):
        facts = _facts(db, actor, number=number)
        result = close_study(db, actor, facts.id)
    console.emit(
        {"study": number, **result},
        f"Study {number} is closed: {facts.level.code} from {result['minimum']:g} "
        f"(SE {result['se_points']:.1f} points). Now another person approves it.",
    )


@standard.command("approve")
@NUMBER
@click.option(
    "--account", metavar="EMAIL", required=True, help="The examiner or administrator who approves."
)
@click.pass_obj
def approve(console: Console, number: int, account: str) -> None:
    """Approve the cut of a closed study, by an account that did not make it."""
    from item_bank.results.standards.acts import approve_study

    with _acting(console, account) as (db, actor):
        facts = _facts(db, actor, number=number)
        approve_study(db, actor, facts.id)
    minimum = facts.result["minimum"]
    console.emit(
        {"study": number, "status": "approved", "minimum": minimum},
        f"Study {number} is approved. In the exam file: minimum = {minimum:g} for level "
        f"{facts.level.code}, and [cut_scores] study = {number}.",
    )


@standard.command("discard")
@NUMBER
@ACCOUNT
@click.pass_obj
def discard(console: Console, number: int, account: str | None) -> None:
    """Set a study aside that is not approved; what was said in it stays."""
    from item_bank.results.standards.acts import discard_study

    with _acting(console, account) as (db, actor):
        discard_study(db, actor, _facts(db, actor, number=number).id)
    console.emit({"study": number, "status": "discarded"}, f"Study {number} is set aside.")


def _facts(
    db: Database, actor: Actor, *, number: int = 0, study_id: str | None = None
) -> StudyFacts:
    from item_bank.exams.errors import NotFound
    from item_bank.results.standards.records import study, study_by_number

    try:
        if study_id is not None:
            return study(db, study_id, organisation_id=actor.organisation_id)
        return study_by_number(db, number, organisation_id=actor.organisation_id)
    except NotFound:
        known = "the number of a study (see `tarozu standard list`)"
        raise InputError(known, number) from None


@contextmanager
def _acting(console: Console, account: str | None) -> Iterator[tuple[Database, Actor]]:
    """Open the site; what may not be done is an answer of no."""
    from item_bank.exams.accounts import account_by_email, list_staff
    from item_bank.exams.actors import Actor, command_line
    from item_bank.exams.errors import NotAllowed
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        home = organisation(db)
        actor = command_line(home)
        if account is not None:
            own = account_by_email(db, account, organisation_id=home)
            row = next(one for one in list_staff(db, organisation_id=home) if one.id == own)
            if row.disabled:
                raise InputError("an account that is not disabled", account, column="--account")
            actor = Actor(row.id, home, row.role, row.name)
        try:
            yield db, actor
        except NotAllowed as error:
            raise AnswerIsNo(str(error)) from None


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError("a file that can be read", error.strerror, file=file) from None
    except UnicodeDecodeError as error:
        raise InputError(
            "text in UTF-8", f"byte {error.object[error.start]:#x}", file=file
        ) from None
