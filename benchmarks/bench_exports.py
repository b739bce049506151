"""Results of 100,000 sittings on PostgreSQL into a file: rows a second and the largest memory.

Each format is written by a process of its own, through the function that jobs and commands call;
beside it a process that reads the same choices and writes nothing, for the memory of the imports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from item_bank.exams.designs import apply_exam
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.releases import publish
from item_bank.store.database import open_database
from item_bank.store.schema import initialise, organisation

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from support.banks import small_bank_document
from support.cohort_data import add_outcomes
from support.postgres import administer, server
from support.sittings import EXAM

SITTINGS = 100_000
MIB = 1024
TARGET_MIB = 100
"""More than the imports alone take."""
_WRITE = """
import sys
from item_bank.results.exports.choices import Choices, selection
from item_bank.results.exports.making import write_export
from item_bank.store.database import open_database
from item_bank.store.schema import organisation
import pyarrow.parquet

db = open_database(sys.argv[1])
chosen = selection(db, Choices("sums", format=sys.argv[2]), organisation(db))
if sys.argv[3] != "nothing":
    with open(sys.argv[3], "wb") as file:
        write_export(db, chosen, "results", file, lambda *_: None)
status = open("/proc/self/status").read()
print(int(status.split("VmHWM:")[1].split()[0]))
"""


def main() -> None:
    with server() as main_url, tempfile.TemporaryDirectory() as folder:
        os.environ["TAROZU_SECRETS"] = f"{folder}/secrets"
        name = f"tz_bench_{uuid.uuid4().hex[:8]}"
        administer(main_url, f"CREATE DATABASE {name}")
        url = main_url.set(database=name).render_as_string(hide_password=False)
        _fill(url, Path(folder))
        for form in ("csv", "parquet"):
            _bench(url, form, Path(folder) / f"results.{form}")
        administer(main_url, f"DROP DATABASE {name} WITH (FORCE)")


def _fill(url: str, folder: Path) -> None:
    db = open_database(url)
    initialise(db)
    home = organisation(db)
    bank = folder / "small.json"
    bank.write_text(json.dumps(small_bank_document()), encoding="utf-8")
    import_bank(db, read_json(bank), organisation_id=home)
    publish(db, "small", organisation_id=home)
    exam, _ = apply_exam(db, EXAM, organisation_id=home)
    add_outcomes(db, exam, SITTINGS)
    db.close()


def _bench(url: str, form: str, out: Path) -> None:
    bare, _ = _run(url, form, "nothing")
    most, seconds = _run(url, form, str(out))
    print(
        f"results of {SITTINGS:,} sittings on PostgreSQL, {form}: {seconds:.1f} s, "
        f"{SITTINGS / seconds:,.0f} rows a second, {out.stat().st_size / 1e6:.1f} MB; "
        f"{most / MIB:.0f} MiB at most, {(most - bare) / MIB:.0f} more than the imports alone "
        f"(target {TARGET_MIB})",
        flush=True,
    )


def _run(url: str, form: str, out: str) -> tuple[int, float]:
    """Return the largest memory in KiB, and the seconds."""
    started = time.perf_counter()
    command = [sys.executable, "-c", _WRITE, url, form, out]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(said), time.perf_counter() - started


if __name__ == "__main__":
    main()
