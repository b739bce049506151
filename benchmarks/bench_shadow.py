"""Shadow tests: the time to choose an item from 1,000 items under 36 constraints."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from engine.attributes import item_attributes
from engine.blueprints.blueprint import Blueprint, blueprint_from_mapping
from engine.blueprints.constraints import constraints_of
from engine.blueprints.shadow import whole_program
from engine.items import ItemParameters, item_parameters
from engine.models import dispatch
from engine.randomness import uniform
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, next_step, record_response

N_ITEMS, LENGTH = 1000, 30
SITTINGS = 10


def bank() -> ItemParameters:
    rows = np.arange(N_ITEMS)
    a, b, c, area, key, level, words, seconds = uniform(
        5, np.arange(8)[:, None], "shadow", rows[None, :]
    )
    items = item_parameters(
        [f"i{row}" for row in rows],
        "3pl",
        a=0.6 + 1.4 * a,
        b=-3 + 6 * b,
        c=0.1 + 0.15 * c,
        content=[f"area {int(12 * draw)}" for draw in area],
    )
    attributes = item_attributes(
        N_ITEMS,
        labels={
            "key": ["ABCD"[int(4 * draw)] for draw in key],
            "level": [("know", "apply", "reason")[int(3 * draw)] for draw in level],
        },
        numbers={"words": np.round(20 + 100 * words), "seconds": np.round(30 + 120 * seconds)},
    )
    return replace(items, attributes=attributes)


def blueprint() -> Blueprint:
    """36 constraints: the length, 12 areas, 4 keys, 3 levels, 2 totals, 14 groups of enemies."""
    draws = (uniform(6, 0, "enemies", np.arange(70)) * N_ITEMS).astype(int)
    groups = [[f"i{row}" for row in dict.fromkeys(draws[k : k + 5])] for k in range(0, 70, 5)]
    return blueprint_from_mapping(
        {
            "method": "shadow_test",
            "content": {f"area {k}": {"minimum": 1, "maximum": 4} for k in range(12)},
            "labels": {
                "key": {"*": {"minimum": 5, "maximum": 10}},
                "level": {"*": {"minimum": 6, "maximum": 14}},
            },
            "totals": {"words": {"minimum": 1500, "maximum": 2000}, "seconds": {"maximum": 2400}},
            "enemies": groups,
        }
    )


def bench_steps() -> None:
    items, plan = bank(), blueprint()
    bound = constraints_of(items, plan, LENGTH)
    n_constraints = 1 + len(bound.names) + len(bound.cliques)
    design = ExamDesign(stop=StoppingRules(length=LENGTH), blueprint=plan)
    taken, cpu, optimal = [], [], 0
    for seed in range(SITTINGS):
        state, form = SittingState(seed), ()
        while True:
            started, began = time.perf_counter(), time.process_time()
            step = next_step(replace(state, form=form), items, design)
            if step.next_item is None:
                break
            taken.append(1e3 * (time.perf_counter() - started))
            cpu.append(1e3 * (time.process_time() - began))
            optimal += step.trace["form"]["status"] == "optimal"
            score = int(uniform(seed, 0, "response", step.next_item)[0] < 0.5)
            state, form = record_response(state, step.next_item, score), step.form
    print(
        f"step with a shadow test, {N_ITEMS} items, {n_constraints} constraints: "
        f"median {np.median(taken):.1f} ms, 95 % {np.percentile(taken, 95):.1f} ms, "
        f"max {max(taken):.1f} ms; CPU median {np.median(cpu):.1f} ms, max {max(cpu):.1f} ms; "
        f"{optimal} of {len(taken)} proven optimal"
    )


def bench_whole_program() -> None:
    """The first form of ten thetas with all columns at once, for comparison."""
    items = bank()
    program = whole_program(constraints_of(items, blueprint(), LENGTH))
    taken = []
    for theta in np.linspace(-2, 2, 10):
        gain = dispatch.information(np.array([theta]), items)[0]
        started = time.perf_counter()
        milp(
            -gain,
            integrality=np.ones(N_ITEMS),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(program.matrix, program.lower, program.upper),
            options={"mip_rel_gap": 0.0},
        )
        taken.append(1e3 * (time.perf_counter() - started))
    print(f"all columns at once: median {np.median(taken):.1f} ms, max {max(taken):.1f} ms")


def main() -> None:
    bench_steps()
    bench_whole_program()


if __name__ == "__main__":
    main()
