"""Run every benchmark: `python -m benchmarks`, or some: `python -m benchmarks answers`."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback

import benchmarks

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # CPU time of one thread, before they are imported


def main() -> None:
    modules = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    found = [name for name in modules if name.startswith("bench_")]
    wanted = {f"bench_{name}" for name in sys.argv[1:]} or set(found)
    unknown = wanted - set(found)
    if unknown:
        sys.exit(f"error: expected one of {', '.join(sorted(found))}, found {', '.join(unknown)}")
    failed = [name for name in sorted(wanted) if not _succeeds(name)]
    if failed:
        sys.exit(f"error: expected every benchmark to end, failed: {', '.join(failed)}")


def _succeeds(name: str) -> bool:
    """Run a benchmark; one that fails says why, and the others still run."""
    print(f"== {name.removeprefix('bench_')}", flush=True)
    try:
        importlib.import_module(f"benchmarks.{name}").main()
    except Exception:  # noqa: BLE001 - whatever it is, it is shown
        traceback.print_exc()
        return False
    return True


if __name__ == "__main__":
    main()
