"""The site of a load run: a database with the demonstration, its candidates, and its server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.server import make_floor
from item_bank.demo.build import FOLDER, build_demo
from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.store.database import Database, open_database
from item_bank.store.schema import organisation

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from support.postgres import administer
from support.postgres import server as postgres_server
from support.processes import free_port

PAST = 100  # sittings before, which the exposure control counts
CONTROL = """
[exposure]
method = "eligibility"
max_rate = 0.5
"""
BLUEPRINT = """
[blueprint]
method = "METHOD"
[blueprint.content]
airspace = { minimum_share = 0.16, maximum_share = 0.24 }
weather = { minimum_share = 0.16, maximum_share = 0.24 }
aircraft = { minimum_share = 0.16, maximum_share = 0.24 }
operations = { minimum_share = 0.16, maximum_share = 0.24 }
safety = { minimum_share = 0.16, maximum_share = 0.24 }
[blueprint.sets]
"""


@dataclass(frozen=True)
class Running:
    """A server that runs, and who may sit its exam."""

    address: str
    group: int
    codes: list[str]
    database: Database

    def cpu_seconds(self) -> float:
        """CPU time of all processes of the server so far."""
        return sum(_cpu(folder) for folder in Path("/proc").glob("[0-9]*") if self._is_ours(folder))

    def _is_ours(self, folder: Path) -> bool:
        try:
            return os.getpgid(int(folder.name)) == self.group
        except OSError:
            return False


def _cpu(folder: Path) -> float:
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(kind: str, method: str, candidates: int, workers: int) -> Iterator[Running]:
    """Serve a fresh site on a kind of database; its exam keeps its blueprint by a method."""
    folder = Path(tempfile.mkdtemp(prefix="tarozu-load-"))
    os.environ["TAROZU_SECRETS"] = str(folder / "secrets")
    try:
        with _database_url(kind, folder) as url:
            db = open_database(url)
            codes = _fill(db, method, candidates)
            with _served(url, folder, workers) as (address, group):
                yield Running(address, group, codes, db)
            db.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _database_url(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'load.db'}"
        return
    with postgres_server(durable=True) as main:
        name = f"tz_load_{uuid.uuid4().hex[:8]}"
        administer(main, f"CREATE DATABASE {name}")
        try:
            yield main.set(database=name).render_as_string(hide_password=False)
        finally:
            administer(main, f"DROP DATABASE {name} WITH (FORCE)")


def _fill(db: Database, method: str, candidates: int) -> list[str]:
    build_demo(db, sittings=PAST)
    owner = organisation(db)
    text = (FOLDER / "exams" / "low-altitude.toml").read_text(encoding="utf-8")
    apply_exam(db, exam_with(text, method), organisation_id=owner, file="load.toml")
    rows = [RosterRow(f"L-{n:05d}", f"Load {n}") for n in range(candidates)]
    issued = import_roster(db, rows, "low-altitude", organisation_id=owner)
    make_floor(db)
    return [str(person.code) for person in issued]


def exam_with(text: str, method: str) -> str:
    """Return the demonstration exam with a blueprint kept by a method, and exposure control."""
    before, _, after = text.partition("[selection.content]")
    _, _, tail = after.partition("\n\n")
    blueprint = BLUEPRINT.replace("METHOD", method)
    return before + tail.replace("[blueprint.sets]\n", blueprint) + CONTROL


@contextmanager
def _served(url: str, folder: Path, workers: int) -> Iterator[tuple[str, int]]:
    port = free_port()
    log = (folder / "server.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load.server", url, str(port), str(workers)],
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process, folder / "server.log")
        yield address, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
        print((folder / "server.log").read_text()[-2000:], file=sys.stderr)
        print(f"the server ended with status {status}", file=sys.stderr)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.2)
    raise RuntimeError(f"the server does not answer: {log.read_text()[-2000:]}")
