"""What constraints cost in precision: mean standard error at 30 items, against none at all.

Everybody sits twice. First sittings stand against maximum information without any constraint;
second ones, without the items of the first, against the same second sittings of maximum
information.

What a highest rate of .25 costs depends on how much the items differ, for the loss is that of the
few most discriminating ones. So two banks are shown. In the wide one difficulties are uniform from
-3 to 3 and discriminations vary by a factor of three: even if every true theta were known from the
first item, the best possible allotment of its items (a linear program over thetas and items) would
have a mean standard error 1.058 times that of maximum information at known thetas. In the even one
difficulties are standard normal, log discriminations have a standard deviation of .2, and the lower
asymptote is .2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from benchmarks.bench_engine import bank
from engine.arrays import Bools, Floats
from engine.blueprints.blueprint import Blueprint, blueprint_from_mapping
from engine.exposure.parameters import sympson_hetter_parameters
from engine.exposure.prices import exposure_prices
from engine.exposure.rules import ExposureRules
from engine.items import ItemParameters, item_parameters
from engine.randomness import uniform
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.simulation.run import Simulated, Surroundings, simulate

N_ITEMS, LENGTH, RATE = 300, 30, 0.25
THIRTY = StoppingRules(length=LENGTH)
UNCONSTRAINED = ExamDesign(stop=THIRTY)
STRATA = (-1.0, 0.0, 1.0)
MASKS, SHADOW = 2000, 60
TO_FIND = 2000
UNDER_SHADOW = ("prices and hard ceiling", "eligibility")
"""Examinees under each method, and in each round that looks for k or prices."""
MOST = 1.08
"""The mean standard error may be so many times that of unconstrained maximum information."""


@dataclass(frozen=True)
class Row:
    """One way to constrain a test: mean standard errors, their ratios, and exposure.

    The first sittings of everybody come first, then second ones without the items of the first.
    ``reached`` is the highest share of all sittings to which an item was given, ``overlap`` the
    share of items that two sittings of different people have in common, ``again`` that of one
    person's two sittings.
    """

    name: str
    se: tuple[float, float]
    ratio: tuple[float, float]
    reached: float
    overlap: float
    again: float
    yielded: int


def blueprint(method: str) -> Blueprint:
    """Five areas, five to seven items of each."""
    bounds = {f"area {number}": {"minimum": 5, "maximum": 7} for number in range(5)}
    return blueprint_from_mapping({"method": method, "content": bounds})


def thetas(n: int) -> Floats:
    """Standard normal, the same for every run."""
    return np.asarray(ndtri(uniform(11, np.arange(n), "constraints")))


def given_before(found: Simulated) -> Bools:
    """Items that each examinee had, shape ``(n, n_items)``."""
    given = np.zeros((found.n, len(found.items)), dtype=np.bool_)
    np.put_along_axis(given, found.rows, values=True, axis=1)
    return given


def sat_twice(items: ItemParameters, design: ExamDesign, n: int) -> tuple[Simulated, Simulated]:
    """Everybody sits, and once more with the items of the first sitting excluded."""
    first = simulate(items, design, theta=thetas(n), seed=1)
    around = Surroundings(usage=first.usage, excluded=given_before(first))
    return first, simulate(items, design, theta=thetas(n), seed=2, surroundings=around)


def row(name: str, found: tuple[Simulated, Simulated], free: tuple[Simulated, Simulated]) -> Row:
    rates = np.mean([given_before(one).mean(axis=0) for one in found], axis=0)
    again = (given_before(found[0]) & given_before(found[1])).sum(axis=1).mean() / LENGTH
    se = tuple(float(one.final_se.mean()) for one in found)
    compared = [float(one.final_se[: found[0].n].mean()) for one in free]
    return Row(
        name,
        (se[0], se[1]),
        (se[0] / compared[0], se[1] / compared[1]),
        reached=float(rates.max()),
        overlap=float((rates**2).sum() / LENGTH),
        again=float(again),
        yielded=sum(int(one.yielded.sum()) for one in found),
    )


def controls(items: ItemParameters) -> Iterator[tuple[str, ExposureRules]]:
    """Each way to keep exposure at the rate."""
    design = replace(UNCONSTRAINED, blueprint=blueprint("masks"))
    priced = exposure_prices(items, design, RATE, theta=thetas(TO_FIND), seed=3)
    rules = ExposureRules("priced", max_rate=RATE, prices=priced.prices)
    yield "prices", rules
    yield "prices and hard ceiling", replace(rules, ceiling=RATE)
    yield "hard ceiling", ExposureRules(ceiling=RATE)
    yield "eligibility", ExposureRules("eligibility", max_rate=RATE)
    yield "eligibility by theta", ExposureRules("eligibility", max_rate=RATE, strata=STRATA)
    found = sympson_hetter_parameters(items, design, RATE, theta=thetas(TO_FIND), seed=3)
    yield "Sympson-Hetter", ExposureRules("sympson_hetter", max_rate=RATE, k=found.k)


def even_bank() -> ItemParameters:
    """Items that differ less: log a of standard deviation .2, b standard normal, c = .2."""
    log_a, b = ndtri(uniform(12, np.arange(2)[:, None], "constraints", np.arange(N_ITEMS)[None]))
    return item_parameters(
        [f"i{row}" for row in range(N_ITEMS)],
        "3pl",
        a=np.exp(0.2 * log_a),
        b=b,
        c=np.full(N_ITEMS, 0.2),
        content=[f"area {row % 5}" for row in range(N_ITEMS)],
    )


def main() -> None:
    for name, items in (("wide", bank(N_ITEMS)), ("even", even_bank())):
        print(f"the {name} bank")
        bench_bank(items)


def bench_bank(items: ItemParameters) -> None:
    free = sat_twice(items, UNCONSTRAINED, MASKS)
    se = [one.final_se.mean() for one in free]
    print(
        f"unconstrained maximum information: mean SE {se[0]:.4f} at {LENGTH} items; {se[1]:.4f} in "
        "second sittings without the items of the first"
    )
    for name, rules in controls(items):
        for method, n in (("masks", MASKS), ("shadow_test", SHADOW)):
            if method == "shadow_test" and name not in UNDER_SHADOW:
                continue
            design = replace(UNCONSTRAINED, blueprint=blueprint(method), exposure=rules)
            _print(row(f"{name}, {method}", sat_twice(items, design, n), free))


def _print(one: Row) -> None:
    """One line: first sittings, second ones, and both together against the same of both."""
    first, second = (_against(ratio) for ratio in one.ratio)
    both = sum(one.se) / sum(se / ratio for se, ratio in zip(one.se, one.ratio, strict=True))
    print(
        f"{one.name}: mean SE {one.se[0]:.4f}, {first}; second sittings {one.se[1]:.4f}, {second}; "
        f"both {_against(both)}; highest exposure {one.reached:.3f}; overlap of two examinees "
        f"{one.overlap:.3f}, of one's two sittings {one.again:.3f}; limits yielded {one.yielded} "
        "times",
        flush=True,
    )


def _against(ratio: float) -> str:
    return f"{ratio:.3f} times ({'within' if ratio <= MOST else 'NOT within'} {MOST:.2f})"


if __name__ == "__main__":
    main()
