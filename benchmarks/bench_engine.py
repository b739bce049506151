"""The engine's speed in CPU time: one step of a sitting, and examinees of a simulation.

Absolute figures depend on the machine; ratios to the model itself and to the plain computation in
the same run do so less. Other software stands in `benchmarks.bench_peers`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from engine.ability.estimates import estimate
from engine.fast.leading import leading_of_one, lookup_depth
from engine.fast.lookup import information_lookup
from engine.items import ItemParameters, item_parameters
from engine.models import dispatch
from engine.randomness import sitting_seeds, uniform
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, next_step, record_response
from engine.simulation.run import simulate

THIRTY = StoppingRules(length=30)
EXAMINEES = 8192
REPEATS = 5
FIVE = tuple((f"area {number}", 0.2) for number in range(5))
PLAIN = ExamDesign(stop=THIRTY)


def bank(n_items: int, model: str = "3pl") -> ItemParameters:
    draws = uniform(1, np.arange(4)[:, None], "bench", np.arange(n_items)[None, :])
    return item_parameters(
        [f"i{number}" for number in range(n_items)],
        model,
        a=0.6 + 1.4 * draws[0],
        b=-3 + 6 * draws[1],
        c=0.3 * draws[2] if model == "3pl" else None,
        content=[f"area {int(5 * draw)}" for draw in draws[3]],
    )


def thetas(n: int) -> np.ndarray:
    return uniform(2, np.arange(n), "bench") * 4 - 2


def cpu_seconds(work: Callable[[], object]) -> float:
    """Median CPU time of some repeats, after one that fills the caches."""
    work()
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return float(np.median(taken))


def sit(items: ItemParameters, design: ExamDesign, seed: int) -> list[SittingState]:
    states = [SittingState(seed)]
    while (step := next_step(states[-1], items, design)).next_item is not None:
        score = int(uniform(seed, 0, "response", step.next_item)[0] < 0.5)
        states.append(record_response(states[-1], step.next_item, score))
    return states


def kernel(items: ItemParameters, states: list[SittingState]) -> Callable[[], object]:
    """EAP and the most informative free item, for each state of a sitting."""
    pool = information_lookup(items, None, lookup_depth(PLAIN, items))
    answered = [np.array(state.administered, dtype=np.int64) for state in states]
    free = [pool.mask.copy() for _ in states]
    for mask, rows in zip(free, answered, strict=True):
        mask[rows] = False

    def work() -> None:
        for state, mask, rows in zip(states, free, answered, strict=True):
            now = estimate("eap", state.administered, state.scores, items)
            leading_of_one(pool, now.theta, mask, rows, items, 1)

    return work


def bench_step() -> None:
    items = bank(10_000)
    theta = np.array([0.37])
    one_look = cpu_seconds(lambda: [dispatch.information(theta, items) for _ in range(30)]) / 30
    print(f"information of 10,000 items at one theta: {1e6 * one_look:.0f} us of CPU")
    designs = {
        "eap": PLAIN,
        "map": ExamDesign(stop=THIRTY, interim="map"),
        "eap, five areas, randomesque 5": ExamDesign(
            stop=THIRTY, content_shares=FIVE, randomesque=5
        ),
    }
    states = sit(items, PLAIN, 7)
    steps_of_all = kernel(items, states)
    taken = cpu_seconds(lambda: [steps_of_all() for _ in range(10)])
    _print_step("eap and maximum information alone", taken / 10 / len(states), one_look)
    for name, design in designs.items():
        states = sit(items, design, 7)
        taken = cpu_seconds(
            lambda design=design, states=states: [
                next_step(state, items, design) for _ in range(10) for state in states
            ]
        )
        _print_step(f"next_step with trace, {name}", taken / 10 / len(states), one_look)


def _print_step(name: str, seconds: float, one_look: float) -> None:
    ratio = seconds / one_look
    print(f"10,000 items, {name}: {1e6 * seconds:.0f} us of CPU, {ratio:.2f} times that")


def bench_simulation() -> None:
    banks = {n: bank(n) for n in (300, 5000)}
    theta = thetas(EXAMINEES)
    seeds = sitting_seeds(0, 40).tolist()
    single = len(seeds) / cpu_seconds(lambda: [sit(banks[300], PLAIN, seed) for seed in seeds])
    print(f"one by one, 30 of 300 items, eap: {single:,.0f} examinees per CPU second")
    for n, name, design in (
        (300, "eap", PLAIN),
        (5000, "eap", PLAIN),
        (
            300,
            "eap, five areas, randomesque 5",
            ExamDesign(stop=THIRTY, content_shares=FIVE, randomesque=5),
        ),
        (300, "map", ExamDesign(stop=THIRTY, interim="map")),
    ):
        some = theta if design.interim == "eap" else theta[:1024]
        taken = cpu_seconds(
            lambda n=n, design=design, some=some: simulate(banks[n], design, theta=some)
        )
        speed = len(some) / taken
        print(
            f"simulated, 30 of {n:,} items, {name}: {speed:,.0f} examinees per CPU second, "
            f"{speed / single:.0f} times one by one"
        )


def main() -> None:
    bench_step()
    bench_simulation()


if __name__ == "__main__":
    main()
