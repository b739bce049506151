"""What `tarozu doctor` looks at: database, secrets, clock, disk, processes, backups, settings.

Each check says what it found and, when something is not as it should be, what to do. A check never
changes anything.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.store.backup import BACKED_UP
from item_bank.store.clock import DAY, MINUTE, SECOND, last_recorded, wall_time
from item_bank.store.database import Database
from item_bank.store.fonts import SCRIPTS, family, system_fonts
from item_bank.store.jobs import STALE, WAITING, failed_jobs
from item_bank.store.schema import check_schema, current_revision
from item_bank.store.secret_keys import NAMES
from item_bank.store.space import folder_of, free_bytes
from item_bank.store.tables.records import Job, SiteEvent
from item_bank.store.tables.site import Site, Worker
from item_bank.store.triggers import missing_triggers

OK, WARNING, WRONG = "ok", "warning", "wrong"
LITTLE_SPACE, TOO_LITTLE_SPACE = 2 * 2**30, 200 * 2**20
CLOCK_TOLERANCE = 30 * SECOND
LATE_JOB = 10 * MINUTE
OLD_BACKUP = 2 * DAY
SILENT_SECONDS = 8
_YES = ("1", "true", "yes")


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    status
        "ok", "warning" or "wrong".
    advice
        What to do; empty when there is nothing to do.
    """

    check: str
    status: str
    found: str
    advice: str = ""


def examine(db: Database) -> list[Finding]:
    """Run every check; those that need a sound database are left out when it is not."""
    try:
        revision = current_revision(db)
        check_schema(db)
    except InputError as error:
        found = f"{error.expected} expected, {error.found} found"
        broken = Finding("database", WRONG, found, "tarozu init, or another --database")
        settings = [_cookies(os.environ), _proxies(os.environ), _address(os.environ)]
        return [broken, _secret_files(db), _disk(db), *settings, _fonts()]
    with db.read() as session:
        return [
            _database(db, session),
            Finding("schema", OK, f"revision {revision}"),
            _triggers(session),
            _secret_files(db),
            _fingerprint(db, session),
            _clock(db, session),
            _disk(db),
            _pulse(db, session),
            _worker(db, session),
            _jobs(db, session),
            _backups(db, session),
            _cookies(os.environ),
            _proxies(os.environ),
            _address(os.environ),
            _fonts(),
        ]


def _database(db: Database, session: Session) -> Finding:
    name = db.engine.url.render_as_string(hide_password=True)
    if not db.is_sqlite:
        version = session.scalar(text("SHOW server_version"))
        return Finding("database", OK, f"{name}, PostgreSQL {version}")
    said = session.scalar(text("PRAGMA quick_check(1)"))
    if said != "ok":
        return Finding("database", WRONG, f"{name}: {said}", "tarozu restore BACKUP --force")
    mode = session.scalar(text("PRAGMA journal_mode"))
    if mode != "wal":
        advice = "put the file on a local disk: SQLite's WAL needs one"
        return Finding("database", WRONG, f"{name}, journal {mode}", advice)
    return Finding("database", OK, f"{name}, sound")


def _triggers(session: Session) -> Finding:
    missing = missing_triggers(session.connection())
    if missing:
        advice = "tarozu audit verify, then restore the last sound backup"
        return Finding("append-only", WRONG, f"unprotected: {', '.join(missing)}", advice)
    return Finding("append-only", OK, "records are protected from change")


def _secret_files(db: Database) -> Finding:
    folder = db.secrets_folder
    wanted = [name for name in NAMES if not os.environ.get(f"TAROZU_SECRET_{name.upper()}")]
    if not wanted:
        return Finding("secrets", OK, "from the environment")
    missing = [name for name in wanted if not (folder / name).exists()]
    if missing:
        advice = "tarozu init makes them; on a second host, copy the folder of the first"
        return Finding("secrets", WRONG, f"no {', '.join(missing)} in {folder}", advice)
    open_to_others = [p for p in (folder, *(folder / n for n in wanted)) if _readable(p)]
    if open_to_others:
        advice = f"chmod 700 {folder} && chmod 600 {folder}/*"
        return Finding("secrets", WRONG, f"others may read {open_to_others[0]}", advice)
    return Finding("secrets", OK, f"{folder}, readable by their owner alone")


def _readable(path: Path) -> bool:
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _fingerprint(db: Database, session: Session) -> Finding:
    site = session.get(Site, 1)
    if site is None:
        return Finding("fingerprint", WRONG, "the database has no site", "tarozu init")
    try:
        ours = db.secrets().fingerprint
    except InputError:
        return Finding("fingerprint", WRONG, "cannot be told without the secrets")
    if ours != site.secrets_fingerprint:
        found = f"secrets {ours[:12]}, database {site.secrets_fingerprint[:12]}"
        return Finding("fingerprint", WRONG, found, "copy the secrets that belong to this database")
    return Finding("fingerprint", OK, f"{ours[:12]}, the database's")


def _clock(db: Database, session: Session) -> Finding:
    now, wall = db.now(session), wall_time()
    ahead = last_recorded(session.connection()) - now
    if ahead > 0:
        found = f"{ahead / SECOND:.0f} s before the last recorded event"
        return Finding("clock", WRONG, found, "set the database server's clock, then restart")
    if abs(now - wall) > CLOCK_TOLERANCE:
        found = f"site and host differ by {(now - wall) / SECOND:+.0f} s"
        advice = "exams go by the site clock; synchronise the host's, then restart it"
        return Finding("clock", WARNING, found, advice)
    return Finding("clock", OK, f"site and host differ by {abs(now - wall) / SECOND:.1f} s")


def _disk(db: Database) -> Finding:
    free = free_bytes(db)
    found = f"{free / 2**30:.1f} GiB free at {folder_of(db)}"
    least = os.environ.get("TAROZU_WEB_LEAST_FREE_MIB", "")
    too_little = int(least) * 2**20 if least.isdecimal() else TOO_LITTLE_SPACE
    if free < max(LITTLE_SPACE, too_little):
        status = WRONG if free < too_little else WARNING
        return Finding("disk", status, found, "make room before the next exam")
    return Finding("disk", OK, found)


def _pulse(db: Database, session: Session) -> Finding:
    at = session.scalar(select(Site.pulse_at))
    if at is None:
        return Finding("server", WARNING, "has not served yet", "start `tarozu serve`")
    age = (db.now(session) - at) / SECOND
    if age > SILENT_SECONDS:
        found = f"was last up {age:.0f} s ago"
        return Finding("server", WARNING, found, "start `tarozu serve`; the time is given back")
    return Finding("server", OK, f"said {max(age, 0):.0f} s ago that it is up")


def _worker(db: Database, session: Session) -> Finding:
    since = db.now(session) - STALE
    alive = session.scalar(select(func.count()).where(Worker.seen_at >= since)) or 0
    if not alive:
        advice = "start `tarozu serve`, or `tarozu worker` alone"
        return Finding("worker", WARNING, "none was seen in the last two minutes", advice)
    return Finding("worker", OK, f"{alive} at work")


def _jobs(db: Database, session: Session) -> Finding:
    now = db.now(session)
    overdue = Job.status == WAITING, ~Job.long, Job.due_at < now - LATE_JOB
    late = select(func.count()).where(*overdue)
    waiting, failed = int(session.scalar(late) or 0), failed_jobs(session)
    if failed:
        last = select(Job.kind, Job.last_error).where(Job.status == "failed", ~Job.long)
        kind, error = session.execute(last.order_by(Job.finished_at.desc()).limit(1)).one()
        found = f"{failed} set aside, the last {kind}: {error}"
        return Finding("jobs", WRONG, found, "see the worker's log")
    if waiting:
        return Finding("jobs", WRONG, f"{waiting} late", "start a worker")
    if _long_work_stands_still(session, now):
        advice = "start a worker without --lane short"
        return Finding("jobs", WARNING, "long work waits and nobody does it", advice)
    return Finding("jobs", OK, "none late, none failed")


def _long_work_stands_still(session: Session, now: int) -> bool:
    waiting = select(func.count()).where(Job.status == WAITING, Job.long)
    late = int(session.scalar(waiting.where(Job.due_at < now - LATE_JOB)) or 0)
    at_work = int(session.scalar(waiting.where(Job.leased_until >= now)) or 0)
    return late > 0 and not at_work


def _backups(db: Database, session: Session) -> Finding:
    last = session.scalar(select(func.max(SiteEvent.at)).where(SiteEvent.kind == BACKED_UP))
    advice = "tarozu backup FILE, every night and before an exam day"
    if last is None:
        return Finding("backups", WARNING, "none was made with `tarozu backup`", advice)
    age = db.now(session) - last
    found = f"the last was made {age / DAY:.1f} days ago"
    return Finding("backups", OK, found) if age < OLD_BACKUP else Finding(
        "backups", WARNING, found, advice
    )  # fmt: skip


def _cookies(environ: Mapping[str, str]) -> Finding:
    if environ.get("TAROZU_WEB_SECURE_COOKIES", "0").lower() in _YES:
        return Finding("cookies", OK, "go by https alone")
    advice = "TAROZU_WEB_SECURE_COOKIES=1 where the site is reached by https"
    return Finding("cookies", WARNING, "may go unprotected", advice)


def _proxies(environ: Mapping[str, str]) -> Finding:
    count = environ.get("TAROZU_WEB_TRUSTED_PROXIES", "0")
    if count == "0":
        advice = "TAROZU_WEB_TRUSTED_PROXIES=1 where one of yours stands before the server"
        return Finding("proxies", WARNING, "none is trusted: a proxy's address counts", advice)
    return Finding("proxies", OK, f"{count} trusted; the server must not be reached past them")


def _address(environ: Mapping[str, str]) -> Finding:
    address = environ.get("TAROZU_WEB_PUBLIC_ADDRESS", "")
    if address:
        return Finding("address", OK, f"{address} stands on reports")
    found = "reports name whatever address they were asked for by"
    return Finding("address", WARNING, found, "TAROZU_WEB_PUBLIC_ADDRESS=https://...")


def _fonts() -> Finding:
    fonts = system_fonts()
    found = {script: family(script, fonts) for script in SCRIPTS}
    missing = [script for script, name in found.items() if name is None]
    if not missing:
        return Finding("fonts", OK, ", ".join(str(name) for name in found.values()))
    packages = ", ".join(script.package for script in missing)
    lacking = "; ".join(f"none with {script.name}" for script in missing)
    return Finding("fonts", WARNING, lacking, f"install one for documents (Debian: {packages})")
