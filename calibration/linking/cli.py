"""The commands ``tarozu calibrate link`` and ``drift``: read files, compute, write a file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calibration.studies.cli import check_bank, keep_study, record_option
from engine.errors import InputError
from item_bank.console import Console, table

if TYPE_CHECKING:
    from calibration.linking.anchors import Anchors
    from calibration.linking.drift import Drift
    from calibration.linking.sampling_errors import ConstantErrors
    from calibration.linking.scales import Link
    from calibration.linking.screening import Screening
    from calibration.parameter_file import ParameterFile

FILE = click.Path(path_type=Path)
MOST_DRAWS = 100_000
SCREENS = ("none", "robust-z")
LINKS = "stocking-lord, haebara, mean-sigma or mean-mean"


@dataclass(frozen=True)
class _How:
    """The options of ``link`` that say how."""

    method: str
    weights: str
    screen: str
    limit: float
    bootstrap: int
    seed: int


@dataclass(frozen=True, eq=False)
class _Linked:
    """What ``link`` found; ``screening`` holds all anchors, ``anchors`` those that were used."""

    link: Link
    anchors: Anchors
    screening: Screening
    drawn_anchors: ConstantErrors | None
    drawn_parameters: ConstantErrors | None


@click.command(short_help="Put new parameters on an old scale.")
@click.argument("new", type=FILE)
@click.argument("old", type=FILE)
@click.option("--out", required=True, type=FILE, metavar="FILE", help="NEW on the old scale (CSV).")
@click.option("--method", default="stocking-lord", show_default=True, help=LINKS + ".")
@click.option(
    "--anchors",
    "anchor_file",
    default="auto",
    show_default=True,
    metavar="FILE|auto",
    help="Items that link: one on each line, or a CSV column item; auto: all in both.",
)
@click.option("--weights", default="normal", show_default=True, help="normal or uniform.")
@click.option(
    "--screen",
    default="none",
    show_default=True,
    help="robust-z: link without anchors that drifted; none: only name them.",
)
@click.option("--limit", type=float, default=2.7, show_default=True, help="Largest robust z.")
@click.option(
    "--bootstrap",
    type=int,
    default=200,
    show_default=True,
    metavar="N",
    help="Draws for the standard errors of A and B; 0 for none.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the draws.")
@click.option("--language", metavar="CODE", help="Parameters of this language.")
@click.pass_obj
def link(
    console: Console,
    /,
    *,
    new: Path,
    old: Path,
    out: Path,
    anchor_file: str,
    language: str | None,
    **how: Any,
) -> None:
    """Find A and B of theta_old = A theta_new + B, and write NEW on the scale of OLD."""
    from calibration.parameter_file import read_parameter_file
    from calibration.person_scores import check_target

    options = _checked(_How(**how))
    check_target(out)
    sides = [read_parameter_file(path, language=language) for path in (new, old)]
    found = _found(_anchors(sides[0], sides[1], (new, old), anchor_file), options)
    _write(out, sides[0], found.link)
    _say_anchors(console, found, options)
    console.emit(_figures(found, options, out), _shown(found, out))


def _checked(how: _How) -> _How:
    if how.screen not in SCREENS:
        raise InputError(" or ".join(SCREENS), how.screen, column="--screen")
    check_limit(how.limit)
    if how.bootstrap != 0 and not 2 <= how.bootstrap <= MOST_DRAWS:
        raise InputError(f"2 to {MOST_DRAWS} draws, or 0", how.bootstrap, column="--bootstrap")
    if how.seed < 0:
        raise InputError("a seed from 0", how.seed, column="--seed")
    return how


def check_limit(limit: float) -> None:
    """Refuse limits that are none."""
    if not 0 < limit < float("inf"):
        raise InputError("a limit above 0", limit, column="--limit")


def _anchors(
    new: ParameterFile, old: ParameterFile, files: tuple[Path, Path], anchor_file: str
) -> Anchors:
    from calibration.linking.anchors import AUTO, common_anchors, read_anchor_names

    chosen = None if anchor_file == AUTO else read_anchor_names(anchor_file)
    place = None if chosen is None else anchor_file
    return common_anchors(new, old, chosen, files=(*files, place))


def _found(anchors: Anchors, how: _How) -> _Linked:
    import numpy as np

    from calibration.linking.anchors import subset
    from calibration.linking.constants import linked
    from calibration.linking.sampling_errors import by_anchors, by_parameters
    from calibration.linking.screening import screened

    plain = linked(how.method, anchors.new, anchors.old, weights=how.weights)
    screening = screened(how.method, anchors, weights=how.weights, limit=how.limit)
    if how.screen == "robust-z":
        plain, anchors = screening.link, subset(anchors, np.flatnonzero(screening.kept).tolist())
    if not how.bootstrap:
        return _Linked(plain, anchors, screening, None, None)
    draws = {"n": how.bootstrap, "seed": how.seed}
    return _Linked(
        plain,
        anchors,
        screening,
        by_anchors(plain, anchors, weights=how.weights, **draws),
        by_parameters(plain, anchors, weights=how.weights, **draws),
    )


def _write(out: Path, new: ParameterFile, found: Link) -> None:
    import numpy as np

    from calibration.linking.scales import transformed, transformed_errors
    from calibration.parameter_file import write_parameters

    known = any(np.isfinite(getattr(new.se, field.name)).any() for field in fields(new.se))
    errors = transformed_errors(new.se, found) if known else None
    write_parameters(out, transformed(new.items, found), errors, labels=dict(new.labels))


def _say_anchors(console: Console, found: _Linked, how: _How) -> None:
    if len(found.screening.kept) < 5:
        console.note("Fewer than five anchors: whether one of them drifted cannot be seen.")
    verb = "dropped" if how.screen == "robust-z" else "stands out"
    for name, reason in found.screening.reasons.items():
        console.note(f"{name} {verb}: {reason}")
    if found.screening.reasons and how.screen == "none":
        console.note("All anchors were used; --screen robust-z links without these.")


def _figures(found: _Linked, how: _How, out: Path) -> dict[str, Any]:
    reasons = found.screening.reasons
    kept, without = (reasons, {}) if how.screen == "none" else ({}, reasons)
    return {
        "method": found.link.method,
        "A": found.link.A,
        "B": found.link.B,
        "n_anchors": found.link.n_anchors,
        "weights": how.weights,
        "screen": how.screen,
        "dropped": without,
        "suspect": kept,
        "se": _error_row(found.drawn_anchors),
        "se_parameters": _error_row(found.drawn_parameters),
        "anchors": list(found.anchors.new.item),
        "file": str(out),
    }


def _error_row(errors: ConstantErrors | None) -> dict[str, Any] | None:
    if errors is None:
        return None
    return {
        "A": errors.A,
        "B": errors.B,
        "covariance": errors.covariance,
        "draws": errors.n,
    }


def _shown(found: _Linked, out: Path) -> str:
    how = f"{found.link.method}, {found.link.n_anchors} anchors"
    constants = f"A = {found.link.A:.6f}, B = {found.link.B:.6f}"
    lines = [f"{constants}  (theta_old = A theta_new + B; {how})"]
    for errors, drawn in (
        (found.drawn_anchors, "other anchors drawn"),
        (found.drawn_parameters, "parameters drawn with their errors"),
    ):
        if errors is not None:
            lines.append(f"SE {errors.A:.4f} and {errors.B:.4f} ({drawn}, {errors.n} times)")
    return "\n".join([*lines, str(out)])


@click.command(short_help="Compare the parameters of the same items at two times.")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("--out", required=True, type=FILE, metavar="FILE", help="Where the table goes (CSV).")
@click.option(
    "--link",
    "method",
    default="none",
    show_default=True,
    metavar="METHOD",
    help="Put NEW on the scale of OLD first, by a method of link, without anchors that drifted.",
)
@click.option("--limit", type=float, default=2.7, show_default=True, help="Largest robust z.")
@click.option(
    "--largest-area",
    type=float,
    default=0.1,
    show_default=True,
    help="Largest area between the curves, as a share of the highest score.",
)
@click.option("--language", metavar="CODE", help="Parameters of this language.")
@record_option
@click.pass_obj
def drift(
    console: Console,
    /,
    *,
    old: Path,
    new: Path,
    out: Path,
    method: str,
    limit: float,
    largest_area: float,
    language: str | None,
    record: str | None,
) -> None:
    """Say how far each item of OLD has moved in NEW; both are on one scale."""
    from calibration.linking.anchors import common_anchors
    from calibration.linking.constants import METHODS
    from calibration.linking.drift import HEADER, drift_rows, drift_text, placed
    from calibration.linking.drift import drift as compare
    from calibration.linking.screening import screened
    from calibration.parameter_file import read_parameter_file
    from calibration.person_scores import check_target
    from calibration.tables import write_text

    check_limit(limit)
    if method not in {"none", *METHODS}:
        raise InputError(" or ".join(("none", *METHODS)), method, column="--link")
    if not largest_area > 0:
        raise InputError("an area above 0", largest_area, column="--largest-area")
    check_target(out)
    if record is not None:
        check_bank(console, record)
    later, earlier = (read_parameter_file(path, language=language) for path in (new, old))
    anchors = common_anchors(later, earlier, files=(new, old, None))
    if method != "none":
        constants = screened(method, anchors, limit=limit).link
        anchors = placed(anchors, constants)
        console.note(f"NEW on the scale of OLD: A = {constants.A:.6f}, B = {constants.B:.6f}")
    found = compare(anchors, limit=limit, largest_area=largest_area)
    write_text(out, drift_text(found))
    _say_drift(console, found, linked=method != "none")
    rows = [dict(zip(HEADER, row, strict=True)) for row in drift_rows(found)]
    if record is not None:
        settings = {"old": old, "new": new, "link": method, "limit": limit, "area": largest_area}
        flagged = sum(bool(row["flag"]) for row in rows)
        keep_study(
            console, record, "drift", rows, settings=settings, summary={"n_flagged": flagged}
        )
    _emit_drift(console, rows, out)


def _say_drift(console: Console, found: Drift, *, linked: bool) -> None:
    import numpy as np

    if len(found.item) < 5:
        console.note("Fewer than five items: no robust z.")
        return
    middle = float(np.median(found.d_b))
    deviation = 1.4826 * float(np.median(np.abs(found.d_b - middle)))
    error = 1.2533 * max(deviation, 1e-4) / len(found.item) ** 0.5
    if not linked and abs(middle) > max(4 * error, 0.05):
        console.note(
            f"Half of the items moved by {middle:+.3f} or more: the files may be on two scales "
            "(--link stocking-lord)."
        )


def _emit_drift(console: Console, rows: list[dict[str, Any]], out: Path) -> None:
    from calibration.linking.drift import HEADER

    flagged = [_without_nan(row) for row in rows if row["flag"]]
    data = {"n_items": len(rows), "n_flagged": len(flagged), "flagged": flagged, "file": str(out)}
    if flagged and not console.json:
        console.emit(None, table(HEADER, flagged))
    console.emit(data, f"{len(flagged)} of {len(rows)} items flagged: {out}")


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and v != v else v for k, v in row.items()}  # noqa: PLR0124 - NaN
