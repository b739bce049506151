"""Commands of the site: ``tarozu serve``, ``worker``, ``user`` and ``demo``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError

if TYPE_CHECKING:
    from item_bank.console import Console
    from item_bank.store.database import Database

STAFF = ("examiner", "administrator", "psychometrician", "author", "invigilator")
ROLES = ("candidate", *STAFF)
PORT = click.IntRange(1, 65_535)
PORTS_TRIED = 50
LISTED = ("email", "name", "role", "disabled")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, default=8000, show_default=True, help="The port to listen on.")
@click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Web processes."
)
@click.pass_obj
def serve(console: Console, host: str, port: int, workers: int) -> None:
    """Serve the site, with a worker beside it."""
    from item_bank.store.database import default_url
    from item_bank.store.schema import SITE, opened_site
    from web.server import Serving
    from web.server import serve as run
    from web.settings import read_settings

    settings = read_settings(os.environ)
    url = console.database_url or default_url()
    with opened_site(url, kind=SITE):
        pass
    if not settings.secure_cookies and host not in ("127.0.0.1", "::1", "localhost"):
        console.note(
            "note: set TAROZU_WEB_SECURE_COOKIES=1 where the site is reached by https, "
            "and TAROZU_WEB_TRUSTED_PROXIES where a proxy stands before it"
        )
    address = f"http://{host}:{port}/"
    run(
        Serving(
            url, SITE, host, port, workers, settings, lambda: console.note(f"serving {address}")
        )
    )


@click.command()
@click.option(
    "--lane",
    type=click.Choice(["all", "short", "long"]),
    default="all",
    show_default=True,
    help="What to do: closing and sealing sittings and the like, or what takes minutes, or both.",
)
@click.pass_obj
def worker(console: Console, lane: str) -> None:
    """Do the work that waits without a request, until stopped.

    Long work (exports, studies, documents for many) runs in a process of its own, so that it never
    keeps a sitting from being closed.
    """
    from item_bank.store.schema import opened_site
    from web.logs import configure_logs
    from web.settings import read_settings
    from web.upkeep import run_long_lane, run_worker

    configure_logs(read_settings(os.environ).log_level)
    with opened_site(console.database_url) as db:
        if lane == "long":
            run_long_lane(db, os.environ)
        else:
            run_worker(db, os.environ, with_long_lane=lane == "all")


@click.group()
def user() -> None:
    """Accounts of staff and candidates."""


@user.command()
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What the person may do.")
@click.option("--name", default="", help="The person's name; the e-mail's first part by default.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.option("--exam", metavar="CODE", help="For candidates: the exam to register for.")
@click.pass_obj
def add(
    console: Console, email: str, role: str, name: str, password_stdin: bool, exam: str | None
) -> None:
    """Add an account; a candidate gets an access code instead of a password."""
    from item_bank.store.schema import opened_site

    if exam and role != "candidate":
        raise click.UsageError("--exam is for candidates only")
    with opened_site(console.database_url) as db:
        if role == "candidate":
            _add_candidate(console, db, email, name, exam)
        else:
            _add_staff(console, db, email, role, name, _password(password_stdin=password_stdin))


def _password(*, password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _add_staff(
    console: Console, db: Database, email: str, role: str, name: str, password: str
) -> None:
    from item_bank.exams.accounts import add_staff
    from item_bank.store.schema import organisation

    add_staff(db, email, role, password, organisation_id=organisation(db), name=name)
    console.emit({"email": email, "role": role}, f"{email} added as {role}")


def _add_candidate(console: Console, db: Database, email: str, name: str, exam: str | None) -> None:
    from item_bank.exams.people import add_candidate
    from item_bank.store.schema import organisation

    issued = add_candidate(db, email, name, exam_code=exam, organisation_id=organisation(db))
    data = {"email": email, "role": "candidate", "access_code": issued.code}
    console.emit(data, f"{email} added as candidate, access code {issued.code}")


@user.command()
@click.argument("email")
@click.pass_obj
def disable(console: Console, email: str) -> None:
    """Let nobody sign in to an account any more; its sessions end at once."""
    _act(console, "disable", email)
    console.emit({"email": email, "disabled": True}, f"{email} is disabled")


@user.command()
@click.argument("email")
@click.pass_obj
def enable(console: Console, email: str) -> None:
    """Open a disabled account again, with the password that it had."""
    _act(console, "enable", email)
    console.emit({"email": email, "disabled": False}, f"{email} is enabled")


@user.command()
@click.argument("email")
@click.option("--role", "wanted", required=True, type=click.Choice(STAFF), help="The new role.")
@click.pass_obj
def role(console: Console, email: str, wanted: str) -> None:
    """Give an account another role; it counts from the next page on."""
    _act(console, "set_role", email, lambda: wanted)
    console.emit({"email": email, "role": wanted}, f"{email} is now {wanted}")


@user.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.pass_obj
def password(console: Console, email: str, password_stdin: bool) -> None:
    """Give an account another password; its sessions end at once."""
    _act(console, "set_password", email, lambda: _password(password_stdin=password_stdin))
    console.emit({"email": email}, f"{email} has a new password")


@user.command()
@click.argument("email")
@click.pass_obj
def reset(console: Console, email: str) -> None:
    """Print a link by which a person sets a new password, once, within 24 hours."""
    token = _act(console, "issue_reset", email)
    path = f"/staff/password/{token}"
    console.emit({"email": email, "path": path, "token": token, "hours": 24}, path)
    console.note("Shown once; put the address of the site before it. It works once, for 24 hours.")


def _act(console: Console, name: str, email: str, *given: Callable[[], str]) -> Any:
    """Do something to an account, by its e-mail; a refusal is an answer of no."""
    from item_bank.exams import accounts
    from item_bank.exams.actors import command_line
    from item_bank.exams.errors import NotAllowed
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        home = organisation(db)
        account_id = accounts.account_by_email(db, email, organisation_id=home)
        try:
            act = getattr(accounts, name)
            return act(db, command_line(home), account_id, *(one() for one in given))
        except NotAllowed as error:
            raise AnswerIsNo(f"{email}: {error}") from None


@user.command("list")
@click.pass_obj
def list_users(console: Console) -> None:
    """List the accounts of staff."""
    from rich.table import Table

    from item_bank.exams.accounts import list_staff
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        accounts = list_staff(db, organisation_id=organisation(db))
    table = Table("E-mail", "Name", "Role", "State")
    for one in accounts:
        table.add_row(one.email, one.name, one.role, "disabled" if one.disabled else "active")
    data = [{name: getattr(one, name) for name in LISTED} for one in accounts]
    console.emit(data, table if accounts else "no accounts yet (tarozu user add)")


@click.command()
@click.option("--port", type=PORT, default=8080, show_default=True, help="The port to listen on.")
@click.option("--fresh", is_flag=True, help="Make the demonstration anew.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it is kept; a folder of its own in the user data folder by default.",
)
@click.pass_obj
def demo(console: Console, port: int, fresh: bool, folder: Path | None) -> None:
    """Serve a demonstration with a database of its own, on this machine only."""
    from web.demonstration import log_ins, prepare
    from web.server import Serving
    from web.server import serve as run
    from web.settings import read_settings

    settings = read_settings(os.environ)
    free = _free_port(console, port)
    url = prepare(console, folder, fresh=fresh)

    def say() -> None:
        console.emit(*log_ins(free, url))
        sys.stdout.flush()  # or each process that is forked next would say it again

    run(Serving(url, "demonstration", "127.0.0.1", free, 1, settings, say))


def _free_port(console: Console, wanted: int) -> int:
    from web.server import port_is_free

    for port in range(wanted, min(wanted + PORTS_TRIED, 65_536)):
        if port_is_free("127.0.0.1", port):
            if port != wanted:
                console.note(f"port {wanted} is in use, taking {port}")
            return port
    raise InputError("a free port (choose one with --port)", f"{wanted} and the next in use")
