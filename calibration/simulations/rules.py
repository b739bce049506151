"""The rules of a simulation, from the words of the command line.

Called by the simulation command. Imports the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from calibration.simulations.exposure_options import FIELDS, ExposureOptions, exposure_rules
from calibration.simulations.words import numbers, one_of
from engine.ability.estimates import ESTIMATORS
from engine.ability.grids import Grid
from engine.criteria.situation import USUAL_CRITERION_GRID
from engine.errors import InputError
from engine.rules.classification import ClassificationRules
from engine.rules.designs import ExamDesign
from engine.rules.pretest import PretestRules
from engine.rules.stopping import StoppingRules
from engine.selection import CRITERIA

STOPS = ("length", "se", "information", "best-information", "theta-change")
CLASSIFYING = ("confidence", "sprt", "glr")
"""Stopping rules that ask only for the side of a cut."""
OPTIONS = {
    "selection.criterion": "--select",
    "selection.criterion_grid": "--grid",
    "selection.information_interval": "--information-interval",
    "selection.a_strata": "--a-strata",
    "selection.randomesque": "--randomesque",
    "selection.start_theta": "--start-theta",
    "selection.start_range": "--start-range",
    "selection.content": "--content",
    "stopping.length": "--stop length",
    "stopping.se": "--stop se",
    "stopping.information": "--stop information",
    "stopping.best_information": "--stop best-information",
    "stopping.theta_change": "--stop theta-change",
    "classification.delta": "--stop",
    "classification.confidence": "--stop",
    "classification.cuts": "--cut",
    "classification.alpha": "--error-rates",
    "classification.beta": "--error-rates",
    "pretest.count": "--pretest",
    "pretest.choice": "--pretest-choice",
    "pretest.positions": "--pretest-positions",
    "pretest.first": "--pretest-positions",
    "pretest.last": "--pretest-positions",
    "stopping.min_items": "--min-items",
    "stopping.max_items": "--max-items",
    "prior_mean": "--prior-mean",
    "prior_sd": "--prior-sd",
    "grid": "--grid",
    "estimation.grid": "--grid",
    "estimation.prior_mean": "--prior-mean",
    **FIELDS,
}
"""The option that says what the engine calls by its own name."""


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
    start_range: str | None = None
    stop: tuple[str, ...] = ()
    min_items: int = 0
    max_items: int | None = None
    randomesque: int = 1
    content: tuple[str, ...] = ()
    grid: str | None = None
    prior_mean: float = 0.0
    prior_sd: float = 1.0
    cut: tuple[float, ...] = ()
    error_rates: str | None = None
    exposure: str = "none"
    max_exposure: float | None = None
    exposure_strata: str | None = None
    acceleration: float = 1.0
    pretest: int = 0
    pretest_positions: str | None = None
    pretest_choice: str = "even"

    @property
    def of_exposure(self) -> ExposureOptions:
        """Those about exposure control."""
        return ExposureOptions(
            self.exposure, self.max_exposure, self.exposure_strata, self.acceleration
        )


RULES = tuple(one.name for one in fields(Options))
"""Options that say what an exam file says itself."""


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
            start_range=_ends(options.start_range),
            randomesque=options.randomesque,
            content_shares=tuple(_share(text) for text in options.content),
            exposure=exposure_rules(options.of_exposure),
            pretest=_pretest(options),
            stop=_stopping(options.stop, options.min_items, options.max_items),
            classification=_classification(options),
        )


@contextmanager
def named_by_option() -> Iterator[None]:
    """Let the engine's errors name the option at fault."""
    try:
        yield
    except InputError as error:
        column = OPTIONS.get(error.column or "", error.column)
        raise InputError(error.expected, error.found, column=column) from error


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


def _ends(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    return tuple(numbers(text, 2, "--start-range", "LOW,HIGH such as -0.5,0.5"))


def _pretest(options: Options) -> PretestRules:
    """Items to try out; their places are a list of positions, or a range FIRST-LAST."""
    text, count = options.pretest_positions, options.pretest
    if not count:
        if text is not None:
            raise InputError("no positions without --pretest", text, column="--pretest-positions")
        return PretestRules()
    if text is None:
        raise InputError("positions for --pretest", "none", column="--pretest-positions")
    if match := re.fullmatch(r"\s*([0-9]{1,6})\s*-\s*([0-9]{1,6})\s*", text):
        first, last = (int(end) for end in match.groups())
        return PretestRules(count, first=first, last=last, choice=options.pretest_choice)
    if not re.fullmatch(r"\s*[0-9]{1,6}\s*(,\s*[0-9]{1,6}\s*)*", text):
        expected = "positions such as 3,7,12 or a range such as 3-20"
        raise InputError(expected, repr(text), column="--pretest-positions")
    places = tuple(int(part) for part in text.split(","))
    return PretestRules(count, positions=places, choice=options.pretest_choice)


def _classification(options: Options) -> ClassificationRules:
    """The rule on the side of a cut among the stopping rules, with its cuts and error rates."""
    cuts = tuple(sorted(options.cut))
    rules = [rule for rule in map(_stop, options.stop) if rule[0] in CLASSIFYING]
    if len(rules) > 1:
        raise InputError("one of confidence, sprt and glr", "several", column="--stop")
    if not rules:
        _refuse_rates(options.error_rates, "without sprt or glr")
        return ClassificationRules(cuts=cuts)
    name, value = rules[0]
    if not cuts:
        raise InputError(f"a cut for --stop {name}", "none", column="--cut")
    if name == "confidence":
        _refuse_rates(options.error_rates, "with confidence")
        return ClassificationRules(name, cuts, confidence=float(value))
    form = "ALPHA,BETA such as 0.05,0.05"
    alpha, beta = numbers(options.error_rates or "0.05,0.05", 2, "--error-rates", form)
    return ClassificationRules(name, cuts, delta=float(value), alpha=alpha, beta=beta)


def _refuse_rates(text: str | None, why: str) -> None:
    if text is not None:
        raise InputError(f"no error rates {why}", repr(text), column="--error-rates")


def _stopping(texts: Sequence[str], min_items: int, max_items: int | None) -> StoppingRules:
    rules: dict[str, Any] = {}
    for text in texts:
        name, value = _stop(text)
        if name in CLASSIFYING:
            continue
        if name in rules:
            raise InputError("each stopping rule once", f"{text!r} again", column="--stop")
        rules[name] = value
    return StoppingRules(**rules, min_items=min_items, max_items=max_items)


def _stop(text: str) -> tuple[str, float | int]:
    name, _, value = text.partition("=")
    name = one_of("--stop", name.strip(), (*STOPS, *CLASSIFYING))
    if name == "length":
        if not re.fullmatch(r"[0-9]{1,9}", value.strip()):
            raise InputError("length=N, a whole number", repr(text), column="--stop")
        return name, int(value)
    return name.replace("-", "_"), numbers(value, 1, "--stop", f"{name}=X, a number")[0]
