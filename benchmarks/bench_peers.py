"""The engine beside catsim and PyPI's mirt: same bank, same run, CPU time, one thread.

Ours and theirs take turns, so that a busy machine slows all alike; medians are compared. A peer
that is not installed is named, and no ratio to it is printed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from benchmarks import others
from benchmarks.bench_engine import PLAIN, bank, kernel, sit, thetas
from benchmarks.others import LENGTH, Work
from engine.items import ItemParameters
from engine.session import next_step
from engine.simulation.run import simulate

PEERS = ("mirt", "catsim")
TURNS = 7
EXAMINEES = 4096
AGAIN = 20
"""So often our steps are taken in a turn, or else a turn is too short to be timed well."""


@dataclass(frozen=True)
class Entry:
    """Some work, and how many steps or examinees it does."""

    work: Work
    count: int


def main() -> None:
    installed = [name for name in PEERS if _is_installed(name)]
    beside_a_step(installed)
    for n_items in (300, 5000):
        beside_simulations(bank(n_items), installed)
    for n_items in (300, 5000):
        beside_compiled(bank(n_items, "2pl"), installed)


def beside_a_step(installed: list[str]) -> None:
    items = bank(10_000)
    states = sit(items, PLAIN, 7)
    best = kernel(items, states)
    often = AGAIN * len(states)
    entries = {
        "kernel (EAP, best item)": Entry(lambda: [best() for _ in range(AGAIN)], often),
        "next_step with trace": Entry(
            lambda: [next_step(state, items, PLAIN) for state in AGAIN * states], often
        ),
    }
    if "mirt" in installed:
        entries["mirt, session"] = Entry(others.mirt_sittings(items, 2), 2 * LENGTH)
    if "catsim" in installed:
        entries["catsim"] = Entry(others.catsim_sittings(items, thetas(2)), 2 * LENGTH)
    seconds = in_turns(entries)
    ours = list(seconds)[:2]
    print("a step, 10,000 3PL items:")
    for name, each in seconds.items():
        ratios = [f"{each / seconds[own]:,.1f} times our {own}" for own in ours]
        print(f"  {name}: {1e6 * each:,.0f} us" + ("" if name in ours else f", {_and(ratios)}"))


def beside_simulations(items: ItemParameters, installed: list[str]) -> None:
    theta = thetas(EXAMINEES)
    entries = {"ours": Entry(lambda: simulate(items, PLAIN, theta=theta), EXAMINEES)}
    if "mirt" in installed:
        engine = others.mirt_engine(items)
        entries["mirt, lock step"] = Entry(others.mirt_simulation(engine, theta[:512]), 512)
    if "catsim" in installed:
        entries["catsim"] = Entry(others.catsim_sittings(items, theta[:4]), 4)
    _print_speeds(f"{LENGTH} of {len(items):,} 3PL items", in_turns(entries))


def beside_compiled(items: ItemParameters, installed: list[str]) -> None:
    """mirt has compiled code for simulations of 2PL items, and for those only."""
    if "mirt" not in installed:
        return
    theta = thetas(EXAMINEES)
    engine = others.mirt_two_parameter_engine(items)
    entries = {
        "ours": Entry(lambda: simulate(items, PLAIN, theta=theta), EXAMINEES),
        "mirt, compiled": Entry(others.mirt_simulation(engine, theta[:512]), 512),
    }
    _print_speeds(f"{LENGTH} of {len(items):,} 2PL items", in_turns(entries))


def in_turns(entries: Mapping[str, Entry]) -> dict[str, float]:
    """Median CPU seconds for one step or examinee of each, after a turn that fills the caches."""
    taken: dict[str, list[float]] = {name: [] for name in entries}
    for turn in range(TURNS + 1):
        for name, entry in entries.items():
            started = time.process_time()
            entry.work()
            if turn:
                taken[name].append((time.process_time() - started) / entry.count)
    return {name: float(np.median(each)) for name, each in taken.items()}


def _print_speeds(title: str, seconds: Mapping[str, float]) -> None:
    print(f"{title}, examinees per CPU second:")
    for name, each in seconds.items():
        ratio = "" if name == "ours" else f"; ours {each / seconds['ours']:,.1f} times as many"
        print(f"  {name}: {1 / each:,.0f}{ratio}")


def _is_installed(name: str) -> bool:
    try:
        print(f"{name} {version(name)}")
    except PackageNotFoundError:
        print(f"{name} is not installed, so there is no ratio to it: make bench installs it")
        return False
    return True


def _and(parts: list[str]) -> str:
    return " and ".join(parts)


if __name__ == "__main__":
    main()
