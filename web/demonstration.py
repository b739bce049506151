"""Prepares the demonstration: a folder of its own with a database that `serve` refuses."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from engine.errors import InputError
from item_bank.console import Console
from item_bank.demo.build import CANDIDATES, SITTINGS, STAFF, build_demo
from item_bank.store.database import open_database
from item_bank.store.schema import DEMONSTRATION, opened_site

FILE = "demo.db"
SECRETS = "demo-secrets"  # where every command looks for the keys of this file
_OURS = {FILE, f"{FILE}-wal", f"{FILE}-shm", SECRETS, "building"}


def prepare(console: Console, folder: Path | None, *, fresh: bool) -> str:
    """Build the demonstration where there is none, and return its database's URL."""
    place = folder or user_data_path("tarozu-demo")
    if fresh and place.exists():
        _clear(place)
    os.environ["TAROZU_SECRETS"] = str(place / SECRETS)
    if not (place / FILE).exists():
        _build(console, place)
    url = f"sqlite:///{place / FILE}"
    try:
        with opened_site(url, kind=DEMONSTRATION):
            return url
    except InputError as error:
        expected = f"{error.expected} (or make the demonstration anew with --fresh)"
        raise InputError(expected, error.found, file=place) from None


def _clear(place: Path) -> None:
    """Remove a demonstration; a folder that holds anything else is left alone."""
    strange = [entry.name for entry in place.iterdir() if entry.name not in _OURS]
    if strange:
        raise InputError("a folder with a demonstration only", strange[0], file=place)
    shutil.rmtree(place)


def _build(console: Console, place: Path) -> None:
    """Build beside the final place, so that a broken attempt leaves nothing half made."""
    building = place / "building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    os.environ["TAROZU_SECRETS"] = str(building / SECRETS)
    db = open_database(f"sqlite:///{building / FILE}")
    console.note(f"building the demonstration in {place} ({SITTINGS} simulated sittings)")
    with console.progress(SITTINGS, "Simulating past sittings") as advance:
        build_demo(db, advance)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    db.close()
    shutil.rmtree(place / SECRETS, ignore_errors=True)
    (building / SECRETS).rename(place / SECRETS)
    (building / FILE).rename(place / FILE)
    building.rmdir()
    os.environ["TAROZU_SECRETS"] = str(place / SECRETS)


def _command() -> str:
    """Return this command as it was called, so that its line can be copied."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "tarozu" else f"{sys.executable} -m tarozu"


def log_ins(port: int, url: str) -> tuple[dict[str, Any], str]:
    """Return addresses and ways in, for machines and for people."""
    site = f"http://127.0.0.1:{port}"
    data = {
        "address": f"{site}/",
        "staff_address": f"{site}/staff",
        "database": url,
        "log_ins": [
            {"role": p.role, "name": p.name, "secret": p.secret} for p in CANDIDATES + STAFF
        ],
    }
    lines = [
        "The demonstration runs on this machine only. Stop it with Ctrl+C.",
        "",
        f"Candidates   {site}/",
        *(f"    {login.secret}   {login.name}" for login in CANDIDATES),
        "",
        f"Staff        {site}/staff",
        *(f"    {login.name}   {login.secret}" for login in STAFF),
        "",
        "In another terminal, recalibrate the bank from the recorded sittings:",
        f"    {_command()} --database {url} calibrate recalibrate --bank low-altitude",
    ]
    return data, "\n".join(lines)
