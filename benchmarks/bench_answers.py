"""Answers at once: 16 threads on one SQLite file while every selection takes 25 ms.

The selection is slowed by sleeping, as a shadow test would take that long. What is measured is how
long the write transaction is held, from its BEGIN to the end of its COMMIT, and that every answer
was taken.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from item_bank.demo.build import build_demo
from item_bank.exams import steps
from item_bank.exams.answering import Outcome, answer
from item_bank.exams.candidate_views import exams_of_candidate, view
from item_bank.exams.people import RosterRow, import_roster
from item_bank.exams.signing_in import CandidateSession, candidate_by_code
from item_bank.exams.sittings import start
from item_bank.items.presented import Presented
from item_bank.store.database import Database, open_database
from item_bank.store.schema import organisation

THREADS = 16
ANSWERS_EACH = 10
SELECTION_SECONDS = 0.025


@dataclass(frozen=True, eq=False)
class TimedDatabase(Database):
    """A database that notes how long its write transactions are held."""

    held: list[float] = field(default_factory=list)

    @contextmanager
    def write(self) -> Iterator[Session]:
        begun = time.perf_counter()
        try:
            with super().write() as session:
                begun = time.perf_counter()
                yield session
        finally:
            self.held.append(time.perf_counter() - begun)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain = open_database(f"sqlite:///{Path(folder) / 'bench.db'}")
        build_demo(plain, sittings=0)
        db = TimedDatabase(**{f.name: getattr(plain, f.name) for f in fields(Database)})
        people = _candidates(db)
        sittings = [_start(db, person) for person in people]
        db.held.clear()
        _slow_down_selection()
        outcomes, seconds = _all_at_once(db, people, sittings)
        refused = [o for o in outcomes if o is not Outcome.ACCEPTED]
        print(
            f"{len(outcomes)} answers from {THREADS} threads, each selection "
            f"{SELECTION_SECONDS * 1000:.0f} ms: {len(refused)} refused or failed"
        )
        print(f"write transaction held: {_spread(db.held)}")
        print(f"{len(outcomes) / seconds:.0f} answers/s in all")
        db.close()


def _candidates(db: Database) -> list[CandidateSession]:
    rows = [RosterRow(f"B-{n}", f"Bench {n}") for n in range(THREADS)]
    issued = import_roster(db, rows, "low-altitude", organisation_id=organisation(db))
    found = [candidate_by_code(db, str(person.code), address="bench") for person in issued]
    return [person for person in found if person is not None]


def _start(db: Database, person: CandidateSession) -> str:
    exam = exams_of_candidate(db, person)[0]
    return start(db, person, exam.registration_id, "en").sitting_id


def _slow_down_selection() -> None:
    quick = steps.next_step

    def slow(*arguments: Any) -> Any:
        time.sleep(SELECTION_SECONDS)
        return quick(*arguments)

    steps.next_step = slow


def _all_at_once(
    db: Database, people: list[CandidateSession], sittings: list[str]
) -> tuple[list[Outcome | Exception], float]:
    outcomes: list[Outcome | Exception] = []
    ready = threading.Barrier(THREADS)

    def sit(person: CandidateSession, sitting: str) -> None:
        ready.wait()
        for _ in range(ANSWERS_EACH):
            try:
                outcomes.append(_answer(db, person, sitting))
            except Exception as error:  # noqa: BLE001 - counted and shown
                outcomes.append(error)

    threads = [
        threading.Thread(target=sit, args=pair) for pair in zip(people, sittings, strict=True)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes, time.perf_counter() - begun


def _answer(db: Database, person: CandidateSession, sitting: str) -> Outcome:
    now = view(db, person, sitting)
    assert now.question is not None
    return answer(
        db,
        person,
        sitting,
        position=now.position,
        epoch=now.epoch,
        key=f"bench-{now.position}",
        read=_first_at_hand,
    )


def _first_at_hand(shown: Presented) -> Any:
    """Return a complete response to an item of any type, as its page would send it."""
    ways: dict[str, Callable[[], Any]] = {
        "multiple_response": lambda: [one.id for one in shown.options[: shown.choose or 1]],
        "hotspot": lambda: [area.id for area in shown.areas[: shown.choose or 1]],
        "order": lambda: [line.id for line in shown.options],
        "match": lambda: {row.id: shown.columns[0].id for row in shown.rows},
        "inline_choice": lambda: {gap.id: gap.options[0].id for gap in shown.gaps},
        "text_entry": lambda: "?",
        "numeric_entry": lambda: "1",
    }
    return ways.get(shown.type, lambda: shown.options[0].id)()


def _spread(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * len(ordered))]
    return (
        f"median {statistics.median(ordered) * 1000:.1f} ms, "
        f"95 % {p95 * 1000:.1f} ms, most {ordered[-1] * 1000:.1f} ms"
    )


if __name__ == "__main__":
    main()
