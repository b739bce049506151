"""What the tests consisted of, against content shares and blueprint: a section of the report.

Called by the report of a simulation. Imports the engine and the report page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from calibration.report_page import paragraph, table
from engine.arrays import Floats, Ints
from engine.blueprints.balance import packed
from engine.blueprints.constraints import Constraints, amounts, broken, constraints_of
from engine.blueprints.content_shares import area_masks
from engine.simulation.run import Simulated

EVENT_WORDS: Mapping[str, str] = {
    "blueprint_relaxed": "a bound of the blueprint had to be left aside at some step",
    "shadow_search_stopped": "the search for a form was cut off and the best so far taken",
    "previous_form_used": "the form of the step before was used again",
    "no_shadow_form": "no form was found at some step, and the item chosen without one",
    "stage_renewed": "a stage lost an item, and what was left of it was chosen anew",
}
SHARES = ("content area", "target share", "fewest", "on average", "most", "tests that miss it")
BOUNDS = ("", "at least", "at most", "fewest", "on average", "most", "tests that miss it")


def content_section(simulated: Simulated, events: Mapping[str, int]) -> str:
    """Share by share and bound by bound; empty for an exam without either."""
    design, scored = simulated.design, (simulated.rows >= 0) & ~simulated.tried_out
    rows = packed(simulated.rows, scored)
    body = ""
    if design.content_shares:
        body += table(SHARES, _share_rows(simulated, rows), caption="Items by content area")
    if design.blueprint is not None:
        bound = constraints_of(simulated.items, design.blueprint, design.scored_length)
        body += blueprint_table(bound, rows)
        body += "".join(paragraph(text, attention=True) for text in _event_texts(simulated, events))
    return body


def _share_rows(simulated: Simulated, rows: Ints) -> Iterator[tuple[object, ...]]:
    """A share is missed by a whole item or more: `content_shares.violations` has it so."""
    shares, length = simulated.design.content_shares, (rows >= 0).sum(axis=1)
    masks = area_masks(shares, simulated.items)
    for (area, share), mask in zip(shares, masks, strict=True):
        held = (mask[np.maximum(rows, 0)] & (rows >= 0)).sum(axis=1)
        missed = int((np.abs(held - share * length) >= 1.0 - 1e-10).sum())
        yield (area, share, *_spread(held), missed)


def blueprint_table(bound: Constraints, rows: Ints) -> str:
    """Bound by bound what tests hold; their rows as `engine.blueprints.constraints` takes them."""
    return table(BOUNDS, _bound_rows(bound, rows), caption="Blueprint")


def _bound_rows(bound: Constraints, rows: Ints) -> Iterator[tuple[object, ...]]:
    held = amounts(bound, rows)
    missed = Counter(name for names in broken(bound, rows) for name in names)
    for place, name in enumerate(bound.names):
        limits = (_limit(bound.lower[place]), _limit(bound.upper[place]))
        yield (name, *limits, *_spread(held[:, place]), missed[name])
    for name in ("sets", "enemies", "excluded"):
        if missed[name]:
            yield (name, None, None, None, None, None, missed[name])


def _spread(held: Ints | Floats) -> tuple[object, float, object]:
    return _limit(held.min()), float(held.mean()), _limit(held.max())


def _limit(value: float) -> object:
    """A bound or an amount, whole where it is; None for no bound."""
    if not np.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)


def _event_texts(simulated: Simulated, events: Mapping[str, int]) -> Iterator[str]:
    for name, count in events.items():
        words = EVENT_WORDS.get(name, name.replace("_", " "))
        yield f"In {count:,} of {simulated.n:,} tests {words}."
