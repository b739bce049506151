"""Gates: what a pretest item's estimates must show before the item counts.

Limits come from a TOML file or are the defaults. An item that fails stays pretest. Called by the
recalibration command. Imports ``engine``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from calibration.fitting import Calibration
from calibration.tables import read_text_table
from engine.errors import InputError

DIF_CLASSES = ("A", "B", "C")


@dataclass(frozen=True)
class Gates:
    """Limits; an item passes when it is within all of them.

    Parameters
    ----------
    min_n
        Responses.
    min_a
        Discrimination; nominal items have none.
    max_se_a, max_se_b
        Standard errors of a and of b, or the largest of the thresholds.
    max_rmsd
        Root mean squared distance of the observed from the expected curve.
    worst_dif
        Largest ETS class of differential item functioning: A, B or C.
    allow_drift
        Whether an operational item may have drifted.
    """

    min_n: int = 200
    min_a: float = 0.3
    max_se_a: float = 0.5
    max_se_b: float = 0.4
    max_rmsd: float = 0.1
    worst_dif: str = "B"
    allow_drift: bool = False


NOTES = {
    "min_n": "responses to the item, at least",
    "min_a": "discrimination, at least",
    "max_se_a": "standard error of a, at most",
    "max_se_b": "standard error of b, or of the least sure threshold, at most",
    "max_rmsd": "distance of the observed from the expected curve, at most",
    "worst_dif": "ETS class of DIF that may still pass: A, B or C (from --dif)",
    "allow_drift": "whether an operational item that drifted passes (--strategy link)",
}


@dataclass(frozen=True)
class Verdict:
    """Whether an item passed, why not, and what nobody could check."""

    passed: bool
    reasons: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def read_gates(path: Path | str | None) -> Gates:
    """Read gates from a TOML file; what it does not name has its default. None: all defaults.

    Raises
    ------
    InputError
        For a file that is not TOML, an unknown key, and a value that is no such limit.
    """
    if path is None:
        return Gates()
    given = _toml(Path(path))
    known = {field.name: field.default for field in fields(Gates)}
    for name, value in given.items():
        if name not in known:
            raise InputError("one of " + ", ".join(known), "an unknown key", file=path, column=name)
        _check(Path(path), name, value)
    return Gates(**given)


def gates_text(gates: Gates) -> str:
    """Format gates as the TOML file that gives them."""
    shown = {name: _toml_value(getattr(gates, name)) for name in NOTES}
    width = max(len(name) + len(value) for name, value in shown.items())
    lines = [
        f"{name} = {value}{' ' * (width - len(name) - len(value))}  # {NOTES[name]}"
        for name, value in shown.items()
    ]
    return "\n".join(lines)


def read_dif(path: Path | str) -> dict[str, str]:
    """Read the ETS class of each item from the table of ``tarozu calibrate dif``.

    Raises
    ------
    InputError
        For a table without the columns ``item`` and ``ets_class``, and another class than A to C.
    """
    table = read_text_table(path)
    for name in ("item", "ets_class"):
        if name not in table.header:
            raise InputError(f"a column {name}", "none", file=path, line=1)
    worst: dict[str, str] = {}
    cells = zip(table.cells("item"), table.cells("ets_class"), strict=True)
    for row, (item, found) in enumerate(cells):
        if found and found not in DIF_CLASSES:
            raise table.error(row, "ets_class", "A, B, C or an empty cell", found)
        if found:
            worst[item] = max(found, worst.get(item, found))
    return worst


def verdicts(
    calibration: Calibration,
    free: Collection[str],
    gates: Gates,
    *,
    dif: Mapping[str, str] | None = None,
    drifted: Mapping[str, str] | None = None,
) -> dict[str, Verdict]:
    """Hold every estimated item against the gates.

    Parameters
    ----------
    free
        The items that were estimated.
    dif
        ETS class by item; None when nobody looked.
    drifted
        Why an operational item is held for drifted, by item.
    """
    found = {}
    for name in free:
        reasons = [text for text in _reasons(calibration, name, gates) if text]
        reasons += [text for text in _labels(name, gates, dif or {}, drifted or {}) if text]
        unchecked = () if dif is not None and name in dif else ("DIF",)
        found[name] = Verdict(not reasons, tuple(reasons), unchecked)
    return found


def _reasons(calibration: Calibration, name: str, gates: Gates) -> Iterator[str]:
    row, fit, se = calibration.fit.items.row(name), calibration.item_fit, calibration.errors
    items = calibration.fit.items
    n, a, se_a = int(fit.n[row]), float(items.a[row]), float(se.a[row])
    steps = [table[row] for table in (se.thresholds, se.intercepts) if table.size]
    values = np.concatenate([[se.b[row]], *steps])
    known = values[np.isfinite(values)]
    se_b = float(known.max()) if known.size else float("nan")
    yield f"{n} responses, fewer than {gates.min_n}" if n < gates.min_n else ""
    if not np.isnan(a):
        yield f"a {a:.3f} below {gates.min_a:g}" if a < gates.min_a else ""
        if items.model[row] not in {"rasch", "pcm"}:
            yield _above("SE of a", se_a, gates.max_se_a)
    yield _above("SE of b", se_b, gates.max_se_b)
    yield _above("RMSD", float(fit.rmsd[row]), gates.max_rmsd)


def _above(label: str, value: float, most: float) -> str:
    if np.isnan(value):
        return f"{label} not known"
    return f"{label} {value:.3f} above {most:g}" if value > most else ""


def _labels(
    name: str, gates: Gates, dif: Mapping[str, str], drifted: Mapping[str, str]
) -> Iterator[str]:
    own = dif.get(name, "A")
    yield f"DIF of class {own}" if own > gates.worst_dif else ""
    yield f"drifted, {drifted[name]}" if name in drifted and not gates.allow_drift else ""


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("a readable file", found, file=path, column="--gates") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("a TOML file", error, file=path) from error


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


_RULES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "min_n": ("a whole number from 0", lambda v: _is_number(v) and isinstance(v, int)),
    "worst_dif": ("A, B or C", lambda v: v in DIF_CLASSES),
    "allow_drift": ("true or false", lambda v: isinstance(v, bool)),
}


def _check(path: Path, name: str, value: object) -> None:
    expected, holds = _RULES.get(name, ("a number from 0", _is_number))
    if not holds(value):
        raise InputError(expected, repr(value), file=path, column=name)


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value}"
