"""The rules of an exam as one frozen value, and as the tables of its TOML file.

Made from an exam file by ``item_bank`` and by the simulation command; read by `engine.session`
and `engine.simulation`. Imports the engine's own rules only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.ability import ESTIMATORS
from engine.content_shares import Shares, check_areas, check_shares
from engine.decisions import Level, ReportingScale, check_levels
from engine.errors import InputError
from engine.grids import Grid
from engine.items import ItemParameters
from engine.priors import Prior
from engine.selection import check_criterion
from engine.stopping import StoppingRules

RULES_VERSION = 1
"""Raised with every change after which an old log would replay to other items or estimates."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "selection": ("criterion", "randomesque", "start_theta", "content"),
    "estimation": ("interim", "final", "prior_mean", "prior_sd", "grid"),
    "stopping": ("length", "se", "information", "best_information", "min_items", "max_items"),
    "scale": ("slope", "intercept", "minimum", "maximum", "decimals"),
}
"""The tables of an exam file that the engine reads, besides ``levels``."""

WHOLE = frozenset({"randomesque", "length", "min_items", "max_items", "decimals"})
TEXTS = frozenset({"criterion", "interim", "final"})


@dataclass(frozen=True)
class ExamDesign:
    """Everything that the algorithm needs to know about an exam.

    Parameters
    ----------
    criterion
        Of item selection: ``max_information`` or ``random``.
    interim, final
        Estimators after each response and at the end: ``eap``, ``map``, ``mle`` or ``wle``.
    prior_mean, prior_sd
        Of theta; the same for every candidate.
    grid
        Points of EAP, and the range that MAP searches.
    start_theta
        Where the first item is selected.
    randomesque
        Draw each item among so many of the best; 1 for the best itself.
    content_shares
        Content areas with their target shares, adding up to 1; empty for no balancing. Items of
        other areas are then never selected.
    stop, scale, levels
        Stopping rules, reporting scale, and the levels decided on it.
    """

    criterion: str = "max_information"
    interim: str = "eap"
    final: str = "eap"
    prior_mean: float = 0.0
    prior_sd: float = 1.0
    grid: Grid = field(default_factory=Grid)
    start_theta: float = 0.0
    randomesque: int = 1
    content_shares: Shares = ()
    stop: StoppingRules = field(default_factory=StoppingRules)
    scale: ReportingScale = field(default_factory=ReportingScale)
    levels: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        check_criterion(self.criterion)
        _check_estimator("interim", self.interim)
        _check_estimator("final", self.final)
        _check_theta(self.start_theta)
        if self.randomesque < 1:
            raise InputError(
                "a whole number from 1", self.randomesque, column="selection.randomesque"
            )
        check_shares(self.content_shares)
        check_levels(self.levels, self.scale)
        _check_grid(self.grid, self.prior)

    @property
    def prior(self) -> Prior:
        """The prior of theta."""
        return Prior(self.prior_mean, self.prior_sd)


def check_design(design: ExamDesign, items: ItemParameters) -> None:
    """Refuse a design that the bank cannot serve.

    Raises
    ------
    InputError
        For a content area without items, or a bank with fewer items than the test must have.
    """
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
        Any of ``selection`` (criterion, randomesque, start_theta, content), ``estimation``
        (interim, final, prior_mean, prior_sd, grid = [low, high, n]), ``stopping`` (length, se,
        information, best_information, min_items, max_items), ``scale`` (slope, intercept, minimum,
        maximum, decimals) and ``levels`` (each with name and minimum). ``selection.content`` gives
        each area its share.

    Raises
    ------
    InputError
        Naming the key, what it takes and what it held; also for a key that does not exist.
    """
    _only(tables, (*KEYS, "levels"), "")
    read = {name: _table(tables.get(name, {}), name) for name in KEYS}
    selection, estimation = read["selection"], read["estimation"]
    content = selection.pop("content", ())
    grid = estimation.pop("grid", Grid())
    return ExamDesign(
        **selection,
        **estimation,
        grid=grid,
        content_shares=content,
        stop=StoppingRules(**read["stopping"]),
        scale=ReportingScale(**read["scale"]),
        levels=_levels(tables.get("levels", ())),
    )


def design_to_mapping(design: ExamDesign) -> dict[str, Any]:
    """Give a design as the tables that `design_from_mapping` reads; JSON can hold them."""
    tables: dict[str, Any] = {
        "selection": _values(design, KEYS["selection"]),
        "estimation": _values(design, KEYS["estimation"]),
        "stopping": _values(design.stop, KEYS["stopping"]),
        "scale": _values(design.scale, KEYS["scale"]),
        "levels": [{"name": level.name, "minimum": level.minimum} for level in design.levels],
    }
    grid = design.grid
    tables["estimation"]["grid"] = [grid.low, grid.high, grid.n]
    if design.content_shares:
        tables["selection"]["content"] = dict(design.content_shares)
    return tables


def _values(source: object, keys: Sequence[str]) -> dict[str, Any]:
    values = {key: getattr(source, key, None) for key in keys}
    return {key: value for key, value in values.items() if value is not None}


def _check_estimator(key: str, name: str) -> None:
    if name not in ESTIMATORS:
        expected = f"one of {', '.join(ESTIMATORS)}"
        raise InputError(expected, repr(name), column=f"estimation.{key}")


def _check_grid(grid: Grid, prior: Prior) -> None:
    """Refuse a grid on which the prior would fall between two points, or outside."""
    if not grid.low <= prior.mean <= grid.high:
        expected = f"a prior mean within the grid, {grid.low:g} to {grid.high:g}"
        raise InputError(expected, prior.mean, column="estimation.prior_mean")
    apart = (grid.high - grid.low) / (grid.n - 1)
    if apart > prior.sd:
        expected = f"grid points at most the prior's standard deviation, {prior.sd:g}, apart"
        raise InputError(expected, f"{apart:g}", column="estimation.grid")


def _check_theta(theta: float) -> None:
    if not -10.0 <= theta <= 10.0:
        raise InputError("a theta from -10 to 10", theta, column="selection.start_theta")


def _only(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"one of {', '.join(known)}", repr(key), column=where or str(key))


def _table(table: Any, name: str) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        raise InputError(f"a table [{name}]", repr(table), column=name)
    _only(table, KEYS[name], name)
    return {key: _value(value, key, f"{name}.{key}") for key, value in table.items()}


def _value(value: Any, key: str, column: str) -> Any:
    if key == "content":
        return _shares(value, column)
    if key == "grid":
        return _grid(value, column)
    if key in TEXTS:
        return _text(value, column)
    return _whole(value, column) if key in WHOLE else _number(value, column)


def _text(value: Any, column: str) -> str:
    if not isinstance(value, str):
        raise InputError("a text", repr(value), column=column)
    return value


def _whole(value: Any, column: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError("a whole number", repr(value), column=column)
    return value


def _number(value: Any, column: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InputError("a number", repr(value), column=column)
    return float(value)


def _shares(value: Any, column: str) -> Shares:
    if not isinstance(value, Mapping):
        raise InputError(f"a table [{column}] of areas and shares", repr(value), column=column)
    return tuple((str(area), _number(share, f"{column}.{area}")) for area, share in value.items())


def _grid(value: Any, column: str) -> Grid:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 3:
        raise InputError("[low, high, n]", repr(value), column=column)
    low, high, n = value
    return Grid(_number(low, column), _number(high, column), _whole(n, column))


def _levels(value: Any) -> tuple[Level, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError("a list [[levels]]", repr(value), column="levels")
    return tuple(_level(level, f"levels[{place}]") for place, level in enumerate(value, start=1))


def _level(value: Any, column: str) -> Level:
    if not isinstance(value, Mapping) or set(value) != {"name", "minimum"}:
        raise InputError("name and minimum", repr(value), column=column)
    return Level(
        _text(value["name"], f"{column}.name"), _number(value["minimum"], f"{column}.minimum")
    )
