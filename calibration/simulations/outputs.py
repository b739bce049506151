"""What a simulation leaves behind: tables as CSV, the summary as JSON, and the folder.

Called by the simulation command. Imports the engine and ``tables``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from calibration.simulations.bank_section import bank_data
from calibration.simulations.runs import Run
from calibration.tables import csv_text
from engine.arrays import Floats
from engine.errors import InputError
from engine.rules.designs import RULES_VERSION, design_to_mapping
from engine.simulation.summary import Band


def trajectory_text(run: Run) -> str:
    """``trajectory.csv``: a line for each item given; ``scored`` only where some are tried out."""
    header = ("person", "position", "item", "score", "theta", "se")
    if not run.simulated.tried_out.any():
        return csv_text(header, _given(run))
    counts = (~run.simulated.tried_out[run.simulated.rows >= 0]).astype(int).tolist()
    lines = ((*line, count) for line, count in zip(_given(run), counts, strict=True))
    return csv_text((*header, "scored"), lines)


def persons_text(run: Run) -> str:
    """``persons.csv``: a line for each examinee."""
    found = run.simulated
    header = ("person", "true_theta", "theta", "se", "n_items", "stop_reason")
    columns = (
        found.true_theta.tolist(),
        found.final_theta.tolist(),
        _finite(found.final_se).tolist(),
        found.length.tolist(),
        [str(found.stop_reason(place)) for place in range(found.n)],
    )
    return csv_text(header, zip(run.person, *columns, strict=True))


def items_text(run: Run) -> str:
    """``items.csv``: the share of the examinees who met each item."""
    rates = run.summary.exposure.tolist()
    return csv_text(("item", "exposure_rate"), zip(run.simulated.items.item, rates, strict=True))


def summary_data(run: Run) -> dict[str, Any]:
    """``summary.json``; a number that is not known is null."""
    summary, accuracy = run.summary, run.summary.accuracy
    n = run.simulated.n
    return {
        "n": n,
        "mean_length": accuracy.mean_length,
        "bias": accuracy.bias,
        "rmse": accuracy.rmse,
        "mean_se": accuracy.mean_se,
        "coverage_95": accuracy.coverage_95,
        "max_exposure": float(summary.exposure.max()),
        "overlap": summary.overlap,
        "blueprint_violations": summary.blueprint_violations,
        "seconds": run.seconds,
        "examinees_per_second": n / run.seconds,
        "estimable": accuracy.n,
        "blueprint_events": summary.blueprint_events,
        "areas_missing": summary.areas_missing,
        "items_never_given": int((summary.exposure == 0).sum()),
        "stop_reasons": summary.stop_reasons,
        "limits_yielded": summary.yielded,
        "pretest_missing": summary.pretest_missing,
        "decisions": None if summary.decisions is None else asdict(summary.decisions),
        "by_theta": [_band(band) for band in summary.bands],
        "bank": bank_data(run, summary.exposure),
        "seed": run.simulated.seed,
        "source": dict(run.source),
        "settings": design_to_mapping(run.simulated.design),
        "versions": versions(),
    }


def _band(band: Band) -> dict[str, Any]:
    others = ("sem_simulated", "sem_information", "max_exposure", "overlap")
    more = {name: getattr(band, name) for name in others}
    return {"theta": band.theta, **asdict(band.accuracy), **more}


def json_text(data: Any) -> str:
    """Format JSON for people and programs."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def versions() -> dict[str, Any]:
    """Name the software that made a result."""
    return {
        "tarozu": importlib.metadata.version("tarozu"),
        "rules": RULES_VERSION,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


def file_sha256(path: Path) -> str:
    """Fingerprint of a file; `InputError` when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError("a readable file", error.strerror or str(error), file=path) from error


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder, made if missing, once all of them stand complete beside it.

    Files of the same names are replaced, others are left alone. A name may have one folder of its
    own before it, such as ``simulation/items.csv``.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise InputError("a folder to write to", error.strerror, file=folder) from error
    try:
        for name, text in files.items():
            (beside / name).parent.mkdir(exist_ok=True)
            (beside / name).write_text(text, encoding="utf-8", newline="")
        folder.mkdir(exist_ok=True)
        for name in files:
            (folder / name).parent.mkdir(exist_ok=True)
            (beside / name).replace(folder / name)
    except OSError as error:
        raise InputError("a folder to write to", error.strerror, file=folder) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _given(run: Run) -> Iterator[tuple[Any, ...]]:
    found, names = run.simulated, run.simulated.items.item
    for place, person in enumerate(run.person):
        n = int(found.length[place])
        columns = (
            [names[row] for row in found.rows[place, :n].tolist()],
            found.scores[place, :n].tolist(),
            found.theta[place, :n].tolist(),
            _finite(found.se[place, :n]).tolist(),
        )
        for position, values in enumerate(zip(*columns, strict=True), start=1):
            yield person, position, *values


def _finite(values: Floats) -> Floats:
    """NaN, an empty cell, for a standard error that is infinite."""
    return np.where(np.isfinite(values), values, np.nan)
