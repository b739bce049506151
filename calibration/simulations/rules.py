"""The rules of a simulation, from the words of the command line.

Called by the simulation command. Imports the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from engine.ability import ESTIMATORS
from engine.criteria.situation import USUAL_CRITERION_GRID
from engine.designs import ExamDesign
from engine.errors import InputError
from engine.grids import Grid
from engine.selection import CRITERIA
from engine.stopping import StoppingRules

STOPS = ("length", "se", "information", "best-information")
OPTIONS = {
    "selection.criterion": "--select",
    "selection.criterion_grid": "--grid",
    "selection.information_interval": "--information-interval",
    "selection.a_strata": "--a-strata",
    "selection.randomesque": "--randomesque",
    "selection.start_theta": "--start-theta",
    "selection.content": "--content",
    "stopping.length": "--stop length",
    "stopping.se": "--stop se",
    "stopping.information": "--stop information",
    "stopping.best_information": "--stop best-information",
    "stopping.min_items": "--min-items",
    "stopping.max_items": "--max-items",
    "prior_mean": "--prior-mean",
    "prior_sd": "--prior-sd",
    "grid": "--grid",
    "estimation.grid": "--grid",
    "estimation.prior_mean": "--prior-mean",
}
"""The option that says what the engine calls by its own name."""
LATER_EXPOSURE = ("sympson-hetter", "eligibility")


@dataclass(frozen=True)
class Options:
    """What the command line says about the rules; the names are those of the options."""

    select: str = "max_information"
    information_interval: float = 0.5
    a_strata: int = 4
    block_by_difficulty: bool = False
    estimate: str = "eap"
    final: str | None = None
    start_theta: float = 0.0
    stop: tuple[str, ...] = ()
    min_items: int = 0
    max_items: int | None = None
    randomesque: int = 1
    content: tuple[str, ...] = ()
    grid: str | None = None
    prior_mean: float = 0.0
    prior_sd: float = 1.0


def design_from_options(options: Options) -> ExamDesign:
    """Read the options as the rules of an exam.

    Raises
    ------
    InputError
        Naming the option, what it takes and what it was given.
    """
    estimator = one_of("--estimate", options.estimate, ESTIMATORS)
    with named_by_option():
        grid = None if options.grid is None else _grid(options.grid)
        return ExamDesign(
            criterion=one_of("--select", options.select, tuple(CRITERIA)),
            criterion_grid=USUAL_CRITERION_GRID if grid is None else grid,
            information_interval=options.information_interval,
            a_strata=options.a_strata,
            block_by_difficulty=options.block_by_difficulty,
            interim=estimator,
            final=one_of("--final", options.final or estimator, ESTIMATORS),
            prior_mean=options.prior_mean,
            prior_sd=options.prior_sd,
            grid=Grid() if grid is None else grid,
            start_theta=options.start_theta,
            randomesque=options.randomesque,
            content_shares=tuple(_share(text) for text in options.content),
            stop=_stopping(options.stop, options.min_items, options.max_items),
        )


@contextmanager
def named_by_option() -> Iterator[None]:
    """Let the engine's errors name the option at fault."""
    try:
        yield
    except InputError as error:
        column = OPTIONS.get(error.column or "", error.column)
        raise InputError(error.expected, error.found, column=column) from error


def check_exposure(exposure: str, max_exposure: float | None) -> None:
    """Refuse what exposure control cannot do yet."""
    one_of("--exposure", exposure, ("none",), later=LATER_EXPOSURE)
    if max_exposure is not None:
        expected = "no limit, since --exposure none controls nothing"
        raise InputError(expected, f"{max_exposure:g}", column="--max-exposure")


def one_of(option: str, value: str, known: Sequence[str], *, later: Sequence[str] = ()) -> str:
    """Return a word that exists; say so when it names something that is not available yet."""
    if value not in known:
        found = f"{value!r}, which is not available yet" if value in later else repr(value)
        raise InputError(
            " or ".join(known) if len(known) < 3 else _any(known), found, column=option
        )
    return value


def numbers(text: str, n: int, option: str, form: str) -> list[float]:
    """Read ``n`` numbers separated by commas."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != n or not all(abs(number) < float("inf") for number in found):
        raise InputError(form, repr(text), column=option)
    return found


def _any(known: Sequence[str]) -> str:
    return f"one of {', '.join(known)}"


def _grid(text: str) -> Grid:
    low, high, n = numbers(text, 3, "--grid", "LOW,HIGH,N such as -4,4,33")
    if n != int(n):
        raise InputError("a whole number of points", f"{n:g}", column="--grid")
    return Grid(low, high, int(n))


def _share(text: str) -> tuple[str, float]:
    area, _, share = text.rpartition("=")
    if not area:
        raise InputError("AREA=SHARE such as algebra=0.4", repr(text), column="--content")
    return area.strip(), numbers(share, 1, "--content", "AREA=SHARE such as algebra=0.4")[0]


def _stopping(texts: Sequence[str], min_items: int, max_items: int | None) -> StoppingRules:
    rules: dict[str, Any] = {}
    for text in texts:
        name, value = _stop(text)
        if name in rules:
            raise InputError("each stopping rule once", f"{text!r} again", column="--stop")
        rules[name] = value
    return StoppingRules(**rules, min_items=min_items, max_items=max_items)


def _stop(text: str) -> tuple[str, float | int]:
    name, _, value = text.partition("=")
    name = one_of("--stop", name.strip(), STOPS)
    if name == "length":
        if not re.fullmatch(r"[0-9]{1,9}", value.strip()):
            raise InputError("length=N, a whole number", repr(text), column="--stop")
        return name, int(value)
    return name.replace("-", "_"), numbers(value, 1, "--stop", f"{name}=X, a number")[0]
