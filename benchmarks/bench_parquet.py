"""A million persons by 25 of 1,000 items from a long Parquet file: the whole command, as typed.

Wall-clock seconds, CPU seconds of all threads and the largest memory of ``tarozu calibrate fit``,
without and with standard errors.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PERSONS, ITEMS, LENGTH = 1_000_000, 1000, 25
BLOCK = 100_000
GIB = 2**20
TARGETS = {"none": 90, "oakes": 180}
"""Seconds on two cores, by ``--se``; 2 GB of memory."""


def write_responses(path: Path) -> None:
    """Each person answers 25 items that follow each other from a place drawn for them."""
    rng = np.random.default_rng(7)
    a, b = rng.lognormal(0.0, 0.3, ITEMS), rng.normal(0.0, 1.2, ITEMS)
    names = pa.array([f"i{k:04}" for k in range(ITEMS)])
    schema = pa.schema(
        [("person", pa.int64()), ("item", pa.dictionary(pa.int32(), pa.string())),
         ("score", pa.int8())]
    )  # fmt: skip
    with pq.ParquetWriter(path, schema) as file:
        for first in range(0, PERSONS, BLOCK):
            theta = np.repeat(rng.normal(size=BLOCK), LENGTH)
            start = rng.integers(0, ITEMS, BLOCK)[:, None]
            item = ((start + np.arange(LENGTH)) % ITEMS).ravel()
            chance = 1.0 / (1.0 + np.exp(-a[item] * (theta - b[item])))
            score = (rng.random(item.size) < chance).astype(np.int8)
            person = np.repeat(np.arange(first, first + BLOCK), LENGTH)
            coded = pa.DictionaryArray.from_arrays(pa.array(item.astype(np.int32)), names)
            columns = [pa.array(person), coded, pa.array(score)]
            file.write_table(pa.table(columns, schema=schema))


def bench_fit(path: Path, se: str) -> None:
    free = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", "import tarozu; tarozu.main()", "calibrate", "fit", str(path)]
    started = time.perf_counter()
    with subprocess.Popen(
        [*command, "--se", se, "--out", str(path.with_name(se))],
        env=free,
        stdout=subprocess.DEVNULL,
    ) as process:
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"the command ended with status {process.returncode}")
    print(
        f"2PL {PERSONS:,} x {LENGTH} of {ITEMS:,}, long Parquet, --se {se}: {seconds:.0f} s "
        f"(target {TARGETS[se]} on two cores), {used.ru_utime + used.ru_stime:.0f} CPU s, "
        f"{used.ru_maxrss / GIB:.2f} GiB at most (target 2 GB)",
        flush=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "responses.parquet"
        write_responses(path)
        for se in TARGETS:
            bench_fit(path, se)


if __name__ == "__main__":
    main()
