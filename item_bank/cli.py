"""`tarozu init`, `backup`, `restore`, `doctor`, `audit verify`, and `bank diff`.

The last stands here because it looks at items and at sittings.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console, table
from item_bank.items.cli import bank

if TYPE_CHECKING:
    from item_bank.exams.rescoring import Effect
    from item_bank.exams.verification import Audit
    from item_bank.results.corrections.verification import Checked
    from item_bank.store.database import Database

FILE = click.Path(path_type=Path)
SHOWN_BREAKS = 50


@click.command()
@click.option("--organisation", default="Default organisation", help="Its name, the first time.")
@click.pass_obj
def init(console: Console, organisation: str) -> None:
    """Create the database and its secrets, or upgrade the database; may be run again."""
    from item_bank.store.database import open_database
    from item_bank.store.schema import initialise, site_kind

    if not 0 < len(organisation.strip()) <= 200:
        found = repr(organisation[:40])
        raise InputError("a name of 1 to 200 characters", found, column="--organisation")
    db = open_database(console.database_url)
    try:
        report = initialise(db, kind=None, organisation=("default", organisation.strip()))
        kind = site_kind(db)
    finally:
        db.close()
    name = db.engine.url.render_as_string(hide_password=True)
    data = {
        "database": name,
        "kind": kind,
        "from_revision": report.from_revision,
        "revision": report.to_revision,
        "secrets": str(db.secrets_folder),
        "backup": str(report.backup) if report.backup else None,
    }
    done = "is up to date" if not report.changed else "is ready"
    if report.from_revision and report.changed:
        done = f"was upgraded from {report.from_revision} to {report.to_revision}"
    console.emit(data, f"{name} {done}.")
    if report.from_revision is None:
        console.note(f"The secrets are in {db.secrets_folder}: keep a copy, no backup has them.")


@click.command()
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Write over a file.")
@click.pass_obj
def backup(console: Console, file: Path, force: bool) -> None:
    """Write all that the database holds to FILE, while the site may be running."""
    from item_bank.store.backup import note_backup, write_backup
    from item_bank.store.schema import opened_site

    with opened_site(console.database_url) as db:
        size = write_backup(db, file, force=force)
        note_backup(db, size)
        secrets = db.secrets_folder
    console.emit({"file": str(file), "bytes": size}, f"{file}: {size / 2**20:.1f} MiB.")
    console.note(f"It does not have the secrets: keep a copy of {secrets}, too.")


@click.command()
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace what the database holds; a copy is kept.")
@click.pass_obj
def restore(console: Console, file: Path, force: bool) -> None:
    """Put the backup FILE in the place of all that the database holds. Stop the server first."""
    from item_bank.store.backup import check_backup, is_empty, restore_backup
    from item_bank.store.database import open_database
    from item_bank.store.schema import after_restore, check_restorable, highest_number

    db = open_database(console.database_url)
    try:
        check_backup(db, file)
        check_restorable(db, file)
        empty = is_empty(db)
        if not (empty or force):
            raise InputError("an empty database (or --force)", "one that holds banks or people")
        copy = None if empty else _kept_copy(db, file)
        replaced = 0 if empty else highest_number(db)
        restore_backup(db, file)
        problem = after_restore(db, replaced=replaced)
    finally:
        db.close()
    kept = f" What it held is in {copy}." if copy else ""
    data = {"file": str(file), "copy": str(copy) if copy else None, "problem": problem}
    console.emit(data, f"{file} is restored.{kept}")
    if problem:
        console.note(problem)


def _kept_copy(db: Database, file: Path) -> Path:
    from item_bank.store.backup import copy_name, write_backup

    copy = copy_name(db.path or file)
    write_backup(db, copy)
    return copy


@click.command()
@click.pass_obj
def doctor(console: Console) -> None:
    """Look at database, secrets, clock, disk, processes, backups and settings; say what to do."""
    from item_bank.store.database import open_database
    from item_bank.store.doctor import WRONG, examine

    db = open_database(console.database_url)
    try:
        findings = examine(db)
    finally:
        db.close()
    rows = [
        {"check": f.check, "status": f.status, "found": f.found, "advice": f.advice}
        for f in findings
    ]
    console.emit({"checks": rows}, table(("status", "check", "found", "advice"), rows))
    wrong = [f.check for f in findings if f.status == WRONG]
    if wrong:
        raise AnswerIsNo(f"wrong: {', '.join(wrong)}")


@click.group()
def audit() -> None:
    """Verify the hash chains."""


@audit.command("verify")
@click.option(
    "--expect",
    metavar="LINK:HASH",
    help="A head that an audit named before; it must still be in the chain.",
)
@click.pass_obj
def verify_chains(console: Console, expect: str | None) -> None:
    """Walk every chain and hold every record against it; status 1 at a break."""
    from dataclasses import replace

    from item_bank.exams.verification import missing_link, n_sittings, verify
    from item_bank.results.corrections.verification import check_corrections
    from item_bank.store.schema import opened_site

    with (
        opened_site(console.database_url) as db,
        console.progress(n_sittings(db), "Sittings") as advance,
    ):
        gone = missing_link(db, expect) if expect is not None else None
        found = verify(db, advance)
        checked = check_corrections(db)
    found = replace(found, problems=(*found.problems, *checked.problems))
    if gone is not None:
        found = replace(found, problems=(gone, *found.problems))
    console.emit(_audit(found) | _amended(checked), _audit_text(found))
    if checked.erased:
        console.note(f"Not computed again, as an answer was erased: {'; '.join(checked.erased)}")
    if found.problems:
        raise AnswerIsNo(f"the records do not hold: {len(found.problems)} problems")


def _audit(found: Audit) -> dict[str, Any]:
    return {
        "verified": not found.problems,
        "head": found.head,
        "site_links": found.site_links,
        "sittings": found.sittings,
        "sitting_links": found.sitting_links,
        "releases": found.releases,
        "problems": [
            {"chain": p.chain, "link": p.number, "problem": p.problem} for p in found.problems
        ],
    }


def _amended(checked: Checked) -> dict[str, Any]:
    return {
        "corrections": checked.corrections,
        "amended_results": checked.rebuilt,
        "not_computed_again": list(checked.erased),
    }


def _audit_text(found: Audit) -> str:
    lines = [
        f"{p.chain}: link {p.number}: {p.problem}" if p.number else f"{p.chain}: {p.problem}"
        for p in found.problems[:SHOWN_BREAKS]
    ]
    if len(found.problems) > SHOWN_BREAKS:
        lines.append(f"and {len(found.problems) - SHOWN_BREAKS} more")
    if not lines:
        lines.append(
            f"Every chain holds: {found.site_links} links of the site, {found.sitting_links} "
            f"of {found.sittings} sittings; {found.releases} releases. Head {found.head}"
        )
    return "\n".join(lines)


@bank.command("diff")
@click.argument("code")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--effect", is_flag=True, help="Say what scores and levels past sittings would have with B."
)
@click.pass_obj
def compare(console: Console, code: str, a: str, b: str, effect: bool) -> None:
    """Compare A and B, each a release number or "draft", what would be published next.

    The distance is the largest between the two response curves for theta from -4 to 4.
    """
    from item_bank.exams.rescoring import effect_data, effect_text
    from item_bank.items.differences import diff
    from item_bank.items.wording import CHANGES, change_row, difference_data
    from item_bank.store.schema import opened_site
    from item_bank.store.schema import organisation as own_organisation

    with opened_site(console.database_url) as db:
        organisation = own_organisation(db)
        found = diff(db, code, a, b, organisation_id=organisation)
        effects = _effects(console, db, code, b, organisation) if effect else None
    rows = [difference_data(d) for d in found]
    same = f"{code}: {a} and {b} are the same."
    shown = table(CHANGES, [change_row(d) for d in found]) if found else same
    if effects is None:
        console.emit(rows, shown)
        return
    console.emit({"changes": rows, "effect": [effect_data(one) for one in effects]}, shown)
    if not console.json:
        none = "No past sitting on this bank."
        console.emit(None, "\n".join(effect_text(one) for one in effects) or none)


def _effects(
    console: Console, db: Database, code: str, which: str, organisation: str
) -> list[Effect]:
    from item_bank.exams.rescoring import effects, past_sittings, rescored
    from item_bank.items.differences import side

    new = side(db, code, which, organisation_id=organisation)
    sittings = past_sittings(db, code, organisation_id=organisation)
    with console.progress(len(sittings), "scoring") as advance:
        return effects(rescored(db, sittings, new, advance))
