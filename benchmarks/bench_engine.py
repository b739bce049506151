"""The engine's speed in CPU time: one step of a sitting, and examinees of a simulation."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from engine.designs import ExamDesign
from engine.items import ItemParameters, item_parameters
from engine.models import dispatch
from engine.randomness import sitting_seeds, uniform
from engine.session import SittingState, next_step, record_response
from engine.simulation import simulate
from engine.stopping import StoppingRules

THIRTY = StoppingRules(length=30)
EXAMINEES = 4000
REPEATS = 5


def bank(n_items: int) -> ItemParameters:
    draws = uniform(1, np.arange(4)[:, None], "bench", np.arange(n_items)[None, :])
    return item_parameters(
        [f"i{number}" for number in range(n_items)],
        "3pl",
        a=0.6 + 1.4 * draws[0],
        b=-3 + 6 * draws[1],
        c=0.3 * draws[2],
        content=[f"area {int(3 * draw)}" for draw in draws[3]],
    )


def cpu_seconds(work: Callable[[], object]) -> float:
    """Least CPU time of some repeats, after one that fills the caches."""
    work()
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def sit(items: ItemParameters, design: ExamDesign, seed: int) -> None:
    state = SittingState(seed)
    while (step := next_step(state, items, design)).next_item is not None:
        row = step.next_item
        state = record_response(state, row, int(uniform(seed, 0, "response", row)[0] < 0.5))


def bench_step() -> None:
    items = bank(10_000)
    theta = np.array([0.37])
    one_look = cpu_seconds(lambda: [dispatch.information(theta, items) for _ in range(30)]) / 30
    shares = (("area 0", 0.4), ("area 1", 0.3), ("area 2", 0.3))
    designs = {
        "eap": ExamDesign(stop=THIRTY),
        "map": ExamDesign(stop=THIRTY, interim="map"),
        "eap, content shares, randomesque 5": ExamDesign(
            stop=THIRTY, content_shares=shares, randomesque=5
        ),
    }
    print(f"information of 10,000 items at one theta: {1e6 * one_look:.0f} us of CPU")
    for name, design in designs.items():
        step = cpu_seconds(lambda design=design: sit(items, design, 7)) / 31
        ratio = step / one_look
        print(
            f"next_step, 10,000 items, {name}: {1e6 * step:.0f} us of CPU, {ratio:.1f} times that"
        )


def bench_simulation() -> None:
    items = bank(300)
    theta = uniform(2, np.arange(EXAMINEES), "bench") * 4 - 2
    shares = (("area 0", 0.4), ("area 1", 0.3), ("area 2", 0.3))
    plain = ExamDesign(stop=THIRTY)
    seeds = sitting_seeds(0, 40).tolist()
    single = len(seeds) / cpu_seconds(lambda: [sit(items, plain, seed) for seed in seeds])
    print(f"one by one, 30 of 300 items, eap: {single:,.0f} examinees per CPU second")
    for name, design in {
        "eap": plain,
        "eap, randomesque 5": ExamDesign(stop=THIRTY, randomesque=5),
        "eap, content shares": ExamDesign(stop=THIRTY, content_shares=shares),
        "map": ExamDesign(stop=THIRTY, interim="map"),
    }.items():
        taken = cpu_seconds(lambda design=design: simulate(items, design, theta=theta))
        speed = EXAMINEES / taken
        print(
            f"simulated, 30 of 300 items, {name}: {speed:,.0f} examinees per CPU second, "
            f"{speed / single:.0f} times one by one"
        )


def main() -> None:
    bench_step()
    bench_simulation()


if __name__ == "__main__":
    main()
