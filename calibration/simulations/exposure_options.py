"""Exposure control of a simulation, from the words of the command line.

Called by the simulation command. Imports the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from calibration.simulations.words import numbers, one_of
from engine.arrays import Bools, Floats
from engine.errors import InputError
from engine.exposure.parameters import ROUNDS, ControlParameters, sympson_hetter_parameters
from engine.exposure.prices import ROUNDS as PRICE_ROUNDS
from engine.exposure.prices import Prices, exposure_prices
from engine.exposure.rules import ExposureRules
from engine.items import ItemParameters
from engine.rules.designs import ExamDesign

EXPOSURES = (
    "none", "progressive", "restricted", "proportional", "priced", "sympson-hetter", "eligibility",
)  # fmt: skip
NEED_RATE = frozenset({"restricted", "priced", "sympson-hetter", "eligibility"})
SEARCHED = {"priced": PRICE_ROUNDS, "sympson-hetter": ROUNDS}
"""The methods whose parameters are found by simulation, and the most rounds that it takes."""
BY_STRATA = frozenset({"sympson-hetter", "eligibility"})
PARAMETER_EXAMINEES = 2000
"""So many examinees at least in each round that looks for parameters of items."""
FIELDS = {
    "exposure.max_rate": "--max-exposure",
    "exposure.ceiling": "--max-exposure",
    "exposure.strata": "--exposure-strata",
    "exposure.acceleration": "--acceleration",
}
"""The option that says what the engine calls by its own name."""


@dataclass(frozen=True)
class ExposureOptions:
    """What the command line says; the names are those of the options."""

    exposure: str = "none"
    max_exposure: float | None = None
    exposure_strata: str | None = None
    acceleration: float = 1.0


def exposure_rules(options: ExposureOptions) -> ExposureRules:
    """Rules of the engine; none yet where parameters must be found.

    ``--max-exposure`` is what ``priced``, ``sympson-hetter`` and ``eligibility`` aim at, and the
    ceiling of ``restricted``, ``progressive`` and ``proportional``.
    """
    name = one_of("--exposure", options.exposure, EXPOSURES)
    rate, strata = options.max_exposure, _strata(options.exposure_strata)
    _check(name, options)
    if name == "eligibility":
        return ExposureRules("eligibility", max_rate=rate, strata=strata)
    if name in SEARCHED:
        return ExposureRules()
    method = "none" if name in {"none", "restricted"} else name
    return ExposureRules(method, ceiling=rate, acceleration=options.acceleration)


def with_parameters(
    design: ExamDesign,
    items: ItemParameters,
    options: ExposureOptions,
    *,
    theta: Floats,
    seed: int,
    pretest: Bools,
    advance: Callable[[int], object],
) -> tuple[ExamDesign, dict[str, object]]:
    """Find Sympson-Hetter parameters, or prices, and put them into the rules.

    Returns
    -------
    tuple
        The design, and what the summary says about the search.
    """
    assert options.max_exposure is not None, "checked when the options were read"
    strata, rate = _strata(options.exposure_strata), options.max_exposure
    around: Any = {"theta": theta, "seed": seed, "pretest": pretest, "advance": advance}
    found: Prices | ControlParameters
    if options.exposure == "priced":
        found = exposure_prices(items, design, rate, **around)
        rules = ExposureRules("priced", max_rate=rate, prices=found.prices)
    else:
        found = sympson_hetter_parameters(items, design, rate, strata=strata, **around)
        rules = ExposureRules("sympson_hetter", max_rate=rate, strata=strata, k=found.k)
    about: dict[str, object] = {
        "converged": found.converged,
        "rounds": len(found.highest),
        "highest_rate_by_round": list(found.highest),
        "examinees": len(theta),
    }
    return replace(design, exposure=rules), about


def exposure_table(rules: ExposureRules) -> str:
    """``exposure.toml``: the table of an exam file with the parameters found."""
    lines = ["[exposure]", f'method = "{rules.method}"', f"max_rate = {rules.max_rate}"]
    if rules.strata:
        lines.append(f"strata = {list(rules.strata)}")
    lines += ["", "[exposure.prices]" if rules.prices else "[exposure.k]"]
    lines += [
        f"{json.dumps(item, ensure_ascii=False)} = {[round(value, 6) for value in values]}"
        for item, values in rules.prices or rules.k
    ]
    return "\n".join(lines) + "\n"


def rounds_of(options: ExposureOptions) -> int:
    """The most rounds that a search takes; 0 where there is nothing to find."""
    return SEARCHED.get(options.exposure, 0)


def _check(name: str, options: ExposureOptions) -> None:
    """Refuse options that the method does not read, and a method without its rate."""
    rate = options.max_exposure
    if name in NEED_RATE and rate is None:
        raise InputError(f"a rate for --exposure {name}", "none", column="--max-exposure")
    if name == "none" and rate is not None:
        expected = "no limit, since --exposure none controls nothing"
        raise InputError(expected, f"{rate:g}", column="--max-exposure")
    if name not in BY_STRATA and options.exposure_strata is not None:
        expected = f"no strata, which --exposure {name} does not have"
        raise InputError(expected, repr(options.exposure_strata), column="--exposure-strata")
    if name not in {"progressive", "proportional"} and options.acceleration != 1.0:
        expected = f"no acceleration, which --exposure {name} does not have"
        raise InputError(expected, f"{options.acceleration:g}", column="--acceleration")


def _strata(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    parts: Sequence[str] = text.split(",")
    return tuple(numbers(text, len(parts), "--exposure-strata", "ascending cuts such as -1,0,1"))
