"""How often the items of an exam were given, as far as its rules ask: counted and read.

The counters are of one exam through all its versions on one bank, by item code, so that a new
version or release goes on counting; those by stratum of theta are of the versions with the same
cuts. Every sitting counts, as soon as an item is presented, whether or not it is ever finished, and
simulated ones too: these exist in demonstrations alone, where they are the only past there is.

What a sitting adds follows from its own log, `counted`; with each presented item the difference is
added in the transaction that keeps the item. Readers see counters as they were committed, and write
what they read into the trace of their step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import numpy as np
from sqlalchemy import Insert, Table, bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from engine.arrays import Floats
from engine.exposure.barriers import eligibility_draws, event_of
from engine.exposure.rules import ExposureRules
from engine.exposure.usage import Readings, Usage, items_at_ceiling, no_usage, readings
from engine.randomness import words
from engine.rules.pretest import item_knowledge
from engine.session import final_estimate
from item_bank.exams.designs import LoadedExam
from item_bank.exams.snapshots import Snapshot, engine_state, rows_to_try_out
from item_bank.items.releases import ReleaseItems
from item_bank.store.canonical import content_hash
from item_bank.store.tables.sittings import PresentedItem
from item_bank.store.tables.usage import UsageCounter

WHOLE, ALL = "", -1
SITTINGS = ""
TABLE = cast("Table", UsageCounter.__table__)
SUMS = ("given", "barred", "knowledge_aa", "knowledge_ab", "knowledge_bb")
Place = tuple[str, int, str]
"""Cuts, stratum and item of a counter."""
Counts = Counter[tuple[str, Place]]
"""By ``given`` or ``barred`` and place."""
_OF_EXAM = (TABLE.c.exam_id == bindparam("exam"), TABLE.c.bank_id == bindparam("bank"))
_OF_SITTINGS = select(TABLE.c.item, *(TABLE.c[name] for name in SUMS)).where(
    *_OF_EXAM, TABLE.c.strata == WHOLE
)
_OF_SOME_ITEMS = _OF_SITTINGS.where(TABLE.c.item.in_(bindparam("items", expanding=True)))
_OF_STRATA = select(TABLE.c.stratum, TABLE.c.item, TABLE.c.given, TABLE.c.barred).where(
    *_OF_EXAM, TABLE.c.strata == bindparam("cuts"), TABLE.c.stratum >= bindparam("least")
)


def _adding(insert: Callable[[Table], Any]) -> Insert:
    """Make the statement that adds to a counter, or begins it."""
    statement = insert(TABLE)
    made: Insert = statement.on_conflict_do_update(
        index_elements=TABLE.primary_key.columns,
        set_={name: TABLE.c[name] + statement.excluded[name] for name in SUMS},
    )
    return made


ADDING = {"sqlite": _adding(sqlite_insert), "postgresql": _adding(postgres_insert)}


# --- reading -----------------------------------------------------------------------------------


def read_usage(session: Session, exam: LoadedExam, release: ReleaseItems) -> Readings | None:
    """Read the counters of an exam that its rules ask for; None where these ask for nothing."""
    rules, pretest = exam.plan.design.exposure, exam.plan.design.pretest
    if not (rules.needs_usage or pretest.count):
        return None
    of_sittings = no_usage(len(release.items), rules.n_strata)
    if rules.ceiling is not None or pretest.count:
        of_sittings = _of_sittings(session, exam, release)
    if rules.method != "eligibility":
        return readings(of_sittings, rules)
    return Readings(
        items_at_ceiling(of_sittings, rules),
        readings(_of_strata(session, exam, release), rules).chances,
        of_sittings.given,
        of_sittings.knowledge,
    )


def exposure_rates(
    session: Session, exam: LoadedExam, items: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Return for some items in how many sittings of an exam they were given, and of how many."""
    rows = session.execute(
        select(TABLE.c.item, TABLE.c.given).where(
            TABLE.c.exam_id == exam.exam_id,
            TABLE.c.bank_id == exam.bank_id,
            TABLE.c.strata == WHOLE,
            TABLE.c.stratum == ALL,
            TABLE.c.item.in_([SITTINGS, *items]),
        )
    )
    given = {item: int(n) for item, n in rows}
    whole = given.pop(SITTINGS, 0)
    return {item: (n, whole) for item, n in given.items()}


def _of_sittings(session: Session, exam: LoadedExam, release: ReleaseItems) -> Usage:
    """Counters over whole sittings: for the ceiling, else only of items that are tried out."""
    rules, items = exam.plan.design.exposure, release.items
    exam_and_bank = {"exam": exam.exam_id, "bank": exam.bank_id}
    if rules.ceiling is not None:
        found = session.connection().execute(_OF_SITTINGS, exam_and_bank)
    else:
        tried_out = [items.item[row] for row in rows_to_try_out(exam, release)]
        found = session.connection().execute(_OF_SOME_ITEMS, exam_and_bank | {"items": tried_out})
    usage, sittings = no_usage(len(items), rules.n_strata), 0
    for code, given, _, aa, ab, bb in found.all():
        if code == SITTINGS:
            sittings = given
        elif code in items:
            row = items.row(code)
            usage.given[row] = given
            if aa or ab or bb:
                usage.knowledge[row] = [[aa, ab], [ab, bb]]
    return replace(usage, sittings=sittings)


def _of_strata(session: Session, exam: LoadedExam, release: ReleaseItems) -> Usage:
    """Counters by stratum of theta, for eligibility; over all strata only where there are some."""
    rules, items = exam.plan.design.exposure, release.items
    whole = rules.n_strata
    found = session.connection().execute(
        _OF_STRATA,
        {
            "exam": exam.exam_id,
            "bank": exam.bank_id,
            "cuts": _cuts(rules),
            "least": ALL if whole > 1 else 0,
        },
    )
    given, barred = np.zeros((2, whole + 1, 1 + len(items)), int)  # column 0: the sittings
    for stratum, code, n, n_barred in found.all():
        if code == SITTINGS or code in items:
            column = 0 if code == SITTINGS else 1 + items.row(code)
            place = (whole if stratum == ALL else stratum, column)
            given[place], barred[place] = n, n_barred
    visits, sittings = given[:whole, 0], int(given[whole, 0])
    return Usage(
        sittings=sittings,
        given=given[whole, 1:],
        visits=visits,
        feasible=visits - barred[:whole, 0],
        taken=given[:whole, 1:],
        eligible=visits[:, None] - barred[:whole, 1:],
        open=sittings - barred[whole, 1:],
        knowledge=np.zeros((len(items), 2, 2)),
    )


def _cuts(rules: ExposureRules) -> str:
    """Name of the cuts of theta of rules that count by stratum."""
    return content_hash(list(rules.strata)) if rules.method == "eligibility" else WHOLE


# --- counting ----------------------------------------------------------------------------------


def count_presented(session: Session, before: Snapshot, after: Snapshot) -> None:
    """Add what a presented item changed; the last thing that its transaction does."""
    change = counted(after)
    change.subtract(counted(before))
    places = sorted({place for (_, place), n in change.items() if n})
    _add(
        session,
        after,
        [
            {"place": place, "given": change["given", place], "barred": change["barred", place]}
            for place in places
        ],
    )


def count_knowledge(session: Session, snapshot: Snapshot) -> None:
    """Add what a sitting that ends tells about the items it tried out, at its final estimate."""
    state, items = engine_state(snapshot), snapshot.release.items
    rows = [row for row in sorted(state.administered) if row in state.pretest]
    rows = [row for row in rows if items.is_dichotomous[row]]
    if not rows:
        return
    design = snapshot.exam.plan.design
    theta = final_estimate(state, items, design).theta
    at = np.array([theta if np.isfinite(theta) else design.prior_mean])
    tables = item_knowledge(at, items, np.array(rows))[0]
    codes = {items.item[row]: table for row, table in zip(rows, tables, strict=True)}
    _add(session, snapshot, [_known(code, codes[code]) for code in sorted(codes)])


def _known(code: str, table: Floats) -> dict[str, Any]:
    return {
        "place": (WHOLE, ALL, code),
        "knowledge_aa": float(table[0, 0]),
        "knowledge_ab": float(table[0, 1]),
        "knowledge_bb": float(table[1, 1]),
    }


def counted(snapshot: Snapshot) -> Counts:
    """What a sitting adds to the counters, by its presented items so far."""
    counts, codes = Counts(), snapshot.release.items.item
    if not snapshot.presented:
        return counts
    counts["given", (WHOLE, ALL, SITTINGS)] = 1
    for presented in snapshot.presented:
        counts["given", (WHOLE, ALL, codes[presented.row])] += 1
    rules = snapshot.exam.plan.design.exposure
    if rules.method == "eligibility":
        counts.update(dict(_by_stratum(snapshot, rules)))
    return counts


def _by_stratum(
    snapshot: Snapshot, rules: ExposureRules
) -> Iterator[tuple[tuple[str, Place], int]]:
    """Counts of an exam by eligibility: a stratum met, what was given and what barred there.

    The same over all strata together, where there are several.
    """
    cuts = _cuts(rules)
    met: dict[int, list[PresentedItem]] = {}
    for presented in snapshot.presented:
        stratum = presented.trace.get("usage", {}).get("stratum")
        if stratum is not None:  # items that are tried out are not drawn
            met.setdefault(stratum, []).append(presented)
    codes = snapshot.release.items.item
    draws = _draws(snapshot.sitting.seed, len(codes))
    shut: list[frozenset[int]] = []
    for stratum, steps in met.items():
        yielded = any(event_of("eligibility") in step.trace["events"] for step in steps)
        shut.append(frozenset() if yielded else _shut(steps, draws))
        yield ("given", (cuts, stratum, SITTINGS)), 1
        yield ("barred", (cuts, stratum, SITTINGS)), int(yielded)
        for step in steps:
            yield ("given", (cuts, stratum, codes[step.row])), 1
            if rules.strata:
                yield ("given", (cuts, ALL, codes[step.row])), 1
        for row in shut[-1]:
            yield ("barred", (cuts, stratum, codes[row])), 1
    if shut and rules.strata:
        yield ("given", (cuts, ALL, SITTINGS)), 1
        for row in frozenset.intersection(*shut):
            yield ("barred", (cuts, ALL, codes[row])), 1


@lru_cache(maxsize=64)
def _draws(seed: int, n_items: int) -> tuple[float, ...]:
    """Draws of a sitting, which its counts are made of before and after each item."""
    return tuple(eligibility_draws(words(seed), n_items)[0].tolist())


def _shut(steps: Sequence[PresentedItem], draws: Sequence[float]) -> frozenset[int]:
    """Rows that were eligible at none of some steps, by the chances below 1 that these read."""
    read = [step.trace["usage"]["chances"] for step in steps]
    return frozenset(
        int(row)
        for row in read[0]
        if all(draws[int(row)] >= chances.get(row, 1.0) for chances in read)
    )


def _add(session: Session, snapshot: Snapshot, changes: Sequence[Mapping[str, Any]]) -> None:
    """Add to counters, in the order of their places, so that no two writers wait for each other."""
    if not changes:
        return
    rows = [
        {
            "exam_id": snapshot.exam.exam_id,
            "bank_id": snapshot.exam.bank_id,
            "strata": change["place"][0],
            "stratum": change["place"][1],
            "item": change["place"][2],
            "organisation_id": snapshot.sitting.organisation_id,
            **{name: change.get(name, 0) for name in SUMS},
        }
        for change in changes
    ]
    connection = session.connection()
    connection.execute(ADDING[connection.dialect.name], rows)
