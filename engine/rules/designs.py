"""The rules of an exam as one frozen value, and as the tables of its TOML file.

Made from an exam file by ``item_bank`` and by the simulation command; read by `engine.session`
and `engine.simulation.run`. Imports the engine's own rules only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.ability.estimates import ESTIMATORS
from engine.ability.grids import Grid
from engine.ability.priors import Prior
from engine.arrays import Bools
from engine.blueprints.blueprint import (
    PRIORITY_INDEX,
    Blueprint,
    blueprint_from_mapping,
    blueprint_to_mapping,
)
from engine.blueprints.content_shares import Shares, check_areas, check_shares
from engine.blueprints.feasibility import check_blueprint
from engine.blueprints.stages import check_stages
from engine.criteria.situation import USUAL_CRITERION_GRID, CriterionRules
from engine.errors import InputError
from engine.exposure.rules import WEIGHING, ExposureRules, check_exposure
from engine.items import ItemParameters
from engine.results.decisions import Level, ReportingScale, check_levels, theta_cuts
from engine.rules.classification import ClassificationRules
from engine.rules.pretest import PretestRules, check_pretest
from engine.rules.stopping import StoppingRules
from engine.rules.table_values import number, text, value_of
from engine.selection import check_criterion, check_families

RULES_VERSION = 1
"""Raised with every change after which an old log would replay to other items or estimates."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "selection": (
        "criterion",
        "criterion_grid",
        "information_interval",
        "a_strata",
        "block_by_difficulty",
        "randomesque",
        "start_theta",
        "start_range",
        "content",
    ),
    "exposure": (
        "method",
        "max_rate",
        "ceiling",
        "acceleration",
        "strata",
        "k",
        "prices",
        "avoid_earlier",
    ),
    "pretest": ("count", "positions", "first", "last", "choice", "counts_towards_length"),
    "estimation": ("interim", "final", "prior_mean", "prior_sd", "candidate_prior", "grid"),
    "stopping": (
        "length",
        "se",
        "information",
        "theta_change",
        "best_information",
        "min_items",
        "max_items",
        "out_of_time",
        "last_estimates",
    ),
    "classification": ("method", "cuts", "delta", "alpha", "beta", "confidence"),
    "scale": ("slope", "intercept", "minimum", "maximum", "decimals"),
}
"""The tables of an exam file that the engine reads, besides ``levels`` and ``blueprint``."""
CRITERION_OPTIONS = ("criterion_grid", "information_interval", "a_strata", "block_by_difficulty")
"""Written into a mapping only where they are not the usual ones."""
PLAIN = (
    "final",
    "prior_mean",
    "prior_sd",
    "grid",
    "start_theta",
    "start_range",
    "randomesque",
    "content_shares",
    "stop",
    "scale",
    "levels",
)
"""What a plain design may set: it selects by information at EAP, and nothing else limits it."""
WITH_POSTERIOR = frozenset({"mpwi", "klp", "gdip", "mei", "mepv"})


@dataclass(frozen=True)
class ExamDesign:
    """Everything that the algorithm needs to know about an exam.

    Parameters
    ----------
    criterion
        Of item selection, one of ``engine.selection.CRITERIA``.
    criterion_grid
        Points over which criteria integrate likelihood or posterior.
    information_interval
        Half the width of the interval of ``interval_information``.
    a_strata, block_by_difficulty
        Strata of ``a_stratified``, and whether each of them covers all difficulties.
    interim, final
        Estimators after each response and at the end: ``eap``, ``map``, ``mle`` or ``wle``.
    prior_mean, prior_sd
        Of theta; the same for every candidate.
    grid
        Points of EAP, and the range that MAP searches.
    candidate_prior
        Whether a sitting may bring a prior mean of its own for the start and the interim estimates;
        the final estimate never uses it.
    start_theta
        Where the first item is selected.
    start_range
        Low and high end between which that place is drawn instead; empty for ``start_theta``.
    randomesque
        Draw each item among so many of the best; 1 for the best itself.
    content_shares
        Content areas with their target shares, adding up to 1; empty for no balancing. Items of
        other areas are then never selected.
    blueprint
        What a whole test must consist of, of ``length`` or ``max_items`` items; None for no bounds.
        Rules of precision wait until its minimums are met.
    exposure, pretest
        How the exposure of items is controlled, and how items are tried out.
    stop, classification, scale, levels
        Stopping rules, those that ask only for the side of a cut, the reporting scale, and the
        levels decided on it.
    """

    criterion: str = "max_information"
    criterion_grid: Grid = USUAL_CRITERION_GRID
    information_interval: float = 0.5
    a_strata: int = 4
    block_by_difficulty: bool = False
    interim: str = "eap"
    final: str = "eap"
    prior_mean: float = 0.0
    prior_sd: float = 1.0
    grid: Grid = field(default_factory=Grid)
    candidate_prior: bool = False
    start_theta: float = 0.0
    start_range: tuple[float, ...] = ()
    randomesque: int = 1
    content_shares: Shares = ()
    blueprint: Blueprint | None = None
    exposure: ExposureRules = field(default_factory=ExposureRules)
    pretest: PretestRules = field(default_factory=PretestRules)
    stop: StoppingRules = field(default_factory=StoppingRules)
    classification: ClassificationRules = field(default_factory=ClassificationRules)
    scale: ReportingScale = field(default_factory=ReportingScale)
    levels: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        check_criterion(self.criterion)
        _check_estimator("interim", self.interim)
        _check_estimator("final", self.final)
        _check_theta(self.start_theta)
        _check_range(self.start_range)
        if self.randomesque < 1:
            raise InputError(
                "a whole number from 1", self.randomesque, column="selection.randomesque"
            )
        check_shares(self.content_shares)
        check_levels(self.levels, self.scale)
        _check_grid(self.grid, self.prior)
        self._check_criterion()
        self._check_rules()

    def _check_criterion(self) -> None:
        """Refuse options and limits that the criterion cannot work with."""
        rules = self.criterion_rules
        if rules.name in WITH_POSTERIOR:
            _check_grid(self.criterion_grid, self.prior, "selection.criterion_grid")
        if rules.name == "a_stratified" and rules.length is None:
            expected = "length or max_items, by which a_stratified goes from stratum to stratum"
            raise InputError(expected, "neither", column="stopping.length")

    def _check_rules(self) -> None:
        """Refuse rules that need what others of the design do not give."""
        if self.exposure.method in WEIGHING:
            if self.stop.longest is None:
                expected = f"length or max_items, by which {self.exposure.method} measures progress"
                raise InputError(expected, "neither", column="stopping.length")
            if self.criterion != "max_information":
                expected = f"max_information, which {self.exposure.method} mixes with chance"
                raise InputError(expected, repr(self.criterion), column="selection.criterion")
        self._check_blueprint()
        if self.classification.method and not self.cuts:
            expected = "cuts, or levels above the lowest score"
            raise InputError(expected, "none", column="classification.cuts")

    def _check_blueprint(self) -> None:
        """Refuse a blueprint without a length, or a method that others of the rules undo."""
        if self.blueprint is None:
            return
        if self.stop.longest is None:
            expected = "length or max_items, for which a blueprint is meant"
            raise InputError(expected, "neither", column="stopping.length")
        self._check_stages(self.blueprint.stages)
        weighing = self.exposure.method in WEIGHING or self.criterion != "max_information"
        if self.blueprint.method == PRIORITY_INDEX and (weighing or self.content_shares):
            expected = "max_information alone, which the priority index weighs"
            raise InputError(expected, "another criterion or content shares", column="blueprint")

    def _check_stages(self, stages: Sequence[int]) -> None:
        """Refuse stages of another length, and rules on single items that stages would undo."""
        check_stages(stages, self.scored_length)
        if max(stages, default=1) == 1:
            return
        undone = {
            "selection.randomesque": self.randomesque > 1,
            "selection.content": bool(self.content_shares),
            "exposure.method": self.exposure.method == "sympson_hetter",
        }
        for column, asked in undone.items():
            if asked:
                expected = "no rule on single items beside stages of several, chosen as a whole"
                raise InputError(expected, f"stages of up to {max(stages)}", column=column)

    @property
    def cuts(self) -> tuple[float, ...]:
        """Cut scores on the theta scale, ascending: those of the rule, or those of the levels."""
        return self.classification.cuts or theta_cuts(self.levels, self.scale)

    @property
    def longest(self) -> int | None:
        """The most items that a sitting can have, those that are tried out among them."""
        more = 0 if self.pretest.counts_towards_length else self.pretest.count
        return None if self.stop.longest is None else self.stop.longest + more

    @property
    def scored_length(self) -> int:
        """Items that count in the longest test; 0 where only the bank bounds it."""
        return 0 if self.longest is None else self.longest - self.pretest.count

    @property
    def criterion_rules(self) -> CriterionRules:
        """The criterion of item selection with its options."""
        return CriterionRules(
            name=self.criterion,
            grid=self.criterion_grid,
            prior=self.prior,
            information_interval=self.information_interval,
            a_strata=self.a_strata,
            block_by_difficulty=self.block_by_difficulty,
            length=self.scored_length or None,
        )

    @cached_property
    def prior(self) -> Prior:
        """The prior of theta."""
        return Prior(self.prior_mean, self.prior_sd)

    @cached_property
    def is_plain(self) -> bool:
        """Whether nothing but settings named in ``PLAIN`` differs from an exam's usual ones."""
        usual = replace(ExamDesign(), **{name: getattr(self, name) for name in PLAIN})
        return self == usual


def check_design(design: ExamDesign, items: ItemParameters, pretest: Bools | None = None) -> None:
    """Refuse a design that the bank cannot serve.

    Parameters
    ----------
    pretest
        Items that are only tried out, shape ``(n_items,)``: they do not count as items to choose
        from. None where there are none.

    Raises
    ------
    InputError
        For a content area without items, a bank with fewer items than the test must have, or with
        an item for which the criterion is not defined, a blueprint that no test can keep, or too
        few items to try out.
    """
    check_families(design.criterion, items)
    check_exposure(design.exposure, items)
    if design.blueprint is not None:
        check_blueprint(items, design.blueprint, design.scored_length, pretest)
    if pretest is not None:
        check_pretest(design.pretest, items, pretest)
        items = items.subset(np.flatnonzero(~pretest).tolist())
    check_areas(design.content_shares, items)
    needed = max(design.stop.length or 0, design.stop.min_items)
    shares = dict(design.content_shares)
    usable = sum(not shares or area in shares for area in items.content)
    if usable < needed:
        expected = f"a bank with at least {needed} items to choose from"
        raise InputError(expected, usable, column="stopping.length")


def design_from_mapping(tables: Mapping[str, Any]) -> ExamDesign:
    """Read the engine's tables of an exam file, strictly.

    Parameters
    ----------
    tables
        Any of ``selection`` (criterion, criterion_grid = [low, high, n], information_interval,
        a_strata, block_by_difficulty, randomesque, start_theta, content), ``estimation``
        (interim, final, prior_mean, prior_sd, grid = [low, high, n]), ``stopping`` (length, se,
        information, best_information, min_items, max_items), ``scale`` (slope, intercept, minimum,
        maximum, decimals), ``blueprint`` (see `engine.blueprints.blueprint`) and ``levels`` (each
        with name and minimum). ``selection.content`` gives each area its share.

    Raises
    ------
    InputError
        Naming the key, what it takes and what it held; also for a key that does not exist.
    """
    _only(tables, (*KEYS, "levels", "blueprint"), "")
    read = {name: _table(tables.get(name, {}), name) for name in KEYS}
    selection, estimation = read["selection"], read["estimation"]
    content = selection.pop("content", ())
    grid = estimation.pop("grid", Grid())
    return ExamDesign(
        **selection,
        **estimation,
        grid=grid,
        content_shares=content,
        blueprint=blueprint_from_mapping(tables["blueprint"]) if "blueprint" in tables else None,
        exposure=ExposureRules(**read["exposure"]),
        pretest=PretestRules(**read["pretest"]),
        stop=StoppingRules(**read["stopping"]),
        classification=ClassificationRules(**read["classification"]),
        scale=ReportingScale(**read["scale"]),
        levels=_levels(tables.get("levels", ())),
    )


def design_to_mapping(design: ExamDesign) -> dict[str, Any]:
    """Give a design as the tables that `design_from_mapping` reads; JSON can hold them."""
    tables: dict[str, Any] = {
        "selection": _values(design, KEYS["selection"]),
        "estimation": _values(design, KEYS["estimation"]),
        "exposure": _values(design.exposure, KEYS["exposure"]),
        "pretest": _values(design.pretest, KEYS["pretest"]),
        "stopping": _values(design.stop, KEYS["stopping"]),
        "classification": _values(design.classification, KEYS["classification"]),
        "scale": _values(design.scale, KEYS["scale"]),
        "levels": [{"name": level.name, "minimum": level.minimum} for level in design.levels],
    }
    grid = design.grid
    tables["estimation"]["grid"] = [grid.low, grid.high, grid.n]
    tables["selection"] |= _criterion_options(design, tables["selection"])
    if design.content_shares:
        tables["selection"]["content"] = dict(design.content_shares)
    if design.blueprint is not None:
        tables["blueprint"] = blueprint_to_mapping(design.blueprint)
    return tables


def _criterion_options(design: ExamDesign, options: dict[str, Any]) -> dict[str, Any]:
    """Keep the options of criteria that are not the usual ones, as a TOML file would."""
    usual = ExamDesign()
    for key in CRITERION_OPTIONS:
        if options.pop(key) != getattr(usual, key):
            options[key] = getattr(design, key)
    if "criterion_grid" in options:
        grid = design.criterion_grid
        options["criterion_grid"] = [grid.low, grid.high, grid.n]
    return options


def _values(source: object, keys: Sequence[str]) -> dict[str, Any]:
    values = {key: getattr(source, key, None) for key in keys}
    for key in ("k", "prices"):
        if values.get(key):
            values[key] = {item: list(numbers) for item, numbers in values[key] or ()}
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in values.items()
        if value is not None and value != ()
    }


def _check_estimator(key: str, name: str) -> None:
    if name not in ESTIMATORS:
        expected = f"one of {', '.join(ESTIMATORS)}"
        raise InputError(expected, repr(name), column=f"estimation.{key}")


def _check_grid(grid: Grid, prior: Prior, column: str = "estimation.grid") -> None:
    """Refuse a grid on which the prior would fall between two points, or outside."""
    if not grid.low <= prior.mean <= grid.high:
        expected = f"a prior mean within the grid, {grid.low:g} to {grid.high:g}"
        raise InputError(expected, prior.mean, column="estimation.prior_mean")
    apart = (grid.high - grid.low) / (grid.n - 1)
    if apart > prior.sd:
        expected = f"grid points at most the prior's standard deviation, {prior.sd:g}, apart"
        raise InputError(expected, f"{apart:g}", column=column)


def _check_theta(theta: float) -> None:
    if not -10.0 <= theta <= 10.0:
        raise InputError("a theta from -10 to 10", theta, column="selection.start_theta")


def _check_range(ends: tuple[float, ...]) -> None:
    for end in ends:
        _check_theta(end)
    if ends and (len(ends) != 2 or ends[0] >= ends[1]):
        raise InputError("[low, high], low below high", list(ends), column="selection.start_range")


def _only(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"one of {', '.join(known)}", repr(key), column=where or str(key))


def _table(table: Any, name: str) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        raise InputError(f"a table [{name}]", repr(table), column=name)
    _only(table, KEYS[name], name)
    return {key: value_of(value, key, f"{name}.{key}") for key, value in table.items()}


def _levels(value: Any) -> tuple[Level, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError("a list [[levels]]", repr(value), column="levels")
    return tuple(_level(level, f"levels[{place}]") for place, level in enumerate(value, start=1))


def _level(value: Any, column: str) -> Level:
    if not isinstance(value, Mapping) or set(value) != {"name", "minimum"}:
        raise InputError("name and minimum", repr(value), column=column)
    return Level(
        text(value["name"], f"{column}.name"), number(value["minimum"], f"{column}.minimum")
    )
