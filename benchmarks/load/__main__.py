"""Candidates at once with time to think, then the most that the server can do, then its floor.

    python -m benchmarks.load --database sqlite --method masks --candidates 1000

Prints, and writes to build/load.json, for each database and method: answers that failed; how long
an answer took to the next question; answers a second at saturation, beside the floor's, both
measured in turns; and the server's CPU time for each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.clients import Candidate, Tally, think
from benchmarks.load.site import Running, running

CLOCK_SECONDS = 15.0
AT_ONCE = 24  # requests in flight at saturation
TURNS = 2
REPORT = Path("build/load.json")


@dataclass(frozen=True)
class Plan:
    """How much load, for how long."""

    candidates: int
    think: float
    ramp: float
    seconds: float
    saturate: float
    workers: int


def main() -> None:
    given = _arguments()
    plan = Plan(
        given.candidates, given.think, given.ramp, given.seconds, given.saturate, given.workers
    )
    found = []
    for kind in given.database:
        for method in given.method:
            with running(kind, method, plan.candidates, plan.workers) as site:
                figures = asyncio.run(_run(site, plan))
            found.append({"database": kind, "method": method, **figures})
            print(_line(found[-1]), flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"plan": vars(given), "runs": found}, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    kinds, methods = ("sqlite", "postgresql"), ("masks", "shadow_test")
    parser.add_argument("--database", nargs="+", choices=kinds, default=list(kinds))
    parser.add_argument("--method", nargs="+", choices=methods, default=list(methods))
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--think", type=float, default=20.0, help="seconds, plus or minus half")
    parser.add_argument("--ramp", type=float, default=60.0, help="seconds until all have begun")
    parser.add_argument("--seconds", type=float, default=60.0, help="of answers after the ramp")
    parser.add_argument("--saturate", type=float, default=10.0, help="seconds of each turn")
    parser.add_argument("--workers", type=int, default=2, help="web processes")
    return parser.parse_args()


async def _run(site: Running, plan: Plan) -> dict[str, Any]:
    crowd = [Candidate(site.address, code, n) for n, code in enumerate(site.codes)]
    try:
        figures = await _with_thought(site, crowd, plan)
        return figures | await _at_saturation(site, crowd, plan)
    finally:
        for one in crowd:
            await one.close()


async def _with_thought(site: Running, crowd: list[Candidate], plan: Plan) -> dict[str, Any]:
    """Everybody begins within the ramp; what counts is what comes after it."""
    begun, early, tally = time.perf_counter(), Tally(), Tally()
    measured_from = begun + plan.ramp
    end = measured_from + plan.seconds

    async def sit(number: int, one: Candidate) -> None:
        await asyncio.sleep(plan.ramp * number / len(crowd))
        await one.open()
        await one.begin()
        asked = time.perf_counter()
        while not one.done and await think(one, plan.think, end):
            now = time.perf_counter()
            if now - asked > CLOCK_SECONDS:
                asked = now
                await one.ask_clock(tally)
            await one.answer(early if time.perf_counter() < measured_from else tally)

    async def cpu_after_ramp() -> float:
        await asyncio.sleep(plan.ramp)
        return site.cpu_seconds()

    cpu = asyncio.create_task(cpu_after_ramp())
    ends = await asyncio.gather(
        *(sit(n, one) for n, one in enumerate(crowd)), return_exceptions=True
    )
    used = site.cpu_seconds() - await cpu
    lost = [repr(one) for one in ends if isinstance(one, BaseException)]
    return {
        "candidates": len(crowd) - len(lost),
        "could_not_begin": lost[:3],
        "answers": len(early.seconds) + len(tally.seconds),
        "failed": dict(early.failed + tally.failed),
        "milliseconds": _spread(tally.seconds),
        "milliseconds_while_all_begin": _spread(early.seconds),
        "cpu_share": round(used / plan.seconds, 2),
    }


async def _at_saturation(site: Running, crowd: list[Candidate], plan: Plan) -> dict[str, Any]:
    waiting = deque(one for one in crowd if one.sitting and not one.done)
    answers, floor = Tally(), Tally()
    cpu = {"answer": 0.0, "floor": 0.0}

    async def answer() -> None:
        one = waiting.popleft()
        await one.answer(answers)
        if not one.done:
            waiting.append(one)

    async def at_floor() -> None:
        one = waiting.popleft()
        begun = time.perf_counter()
        status, _ = await one._send("/load-floor", [("choice", "a")])  # noqa: SLF001 - not a candidate's
        if status == 200:
            floor.seconds.append(time.perf_counter() - begun)
        else:
            floor.failed[f"status {status}"] += 1
        waiting.append(one)

    for _ in range(TURNS):
        for name, act in (("answer", answer), ("floor", at_floor)):
            before = site.cpu_seconds()
            await _all_at_once(act, plan.saturate)
            cpu[name] += site.cpu_seconds() - before
    seconds = TURNS * plan.saturate
    rates = {"answer": len(answers.seconds) / seconds, "floor": len(floor.seconds) / seconds}
    return {
        "saturation_failed": dict(answers.failed + floor.failed),
        "answers_per_second": round(rates["answer"], 1),
        "floor_per_second": round(rates["floor"], 1),
        "share_of_floor": round(rates["answer"] / max(rates["floor"], 1e-9), 2),
        "answer_cpu_ms": round(1000 * cpu["answer"] / max(len(answers.seconds), 1), 2),
        "floor_cpu_ms": round(1000 * cpu["floor"] / max(len(floor.seconds), 1), 2),
        "saturation_milliseconds": _spread(answers.seconds),
    }


async def _all_at_once(act: Callable[[], Awaitable[None]], seconds: float) -> None:
    end = time.perf_counter() + seconds

    async def go_on() -> None:
        while time.perf_counter() < end:
            await act()

    await asyncio.gather(*(go_on() for _ in range(AT_ONCE)))


def _spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds) or [0.0]
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "most": 1.0}
    last = len(ordered) - 1
    return {name: round(1000 * ordered[round(share * last)], 1) for name, share in at.items()}


def _line(run: dict[str, Any]) -> str:
    return "\n".join([f"== {run['database']}, {run['method']}"] + [
        f"   {name}: {value}" for name, value in run.items() if name not in {"database", "method"}
    ])  # fmt: skip


if __name__ == "__main__":
    main()
