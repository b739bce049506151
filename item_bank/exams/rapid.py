"""Answers too quick to have been thought about, found when a sitting ends.

An answer is rapid below a tenth of the seconds that the bank states for its item, at most 10 s
(NT10; Wise and Ma, 2012), and below 3 s where it states none (Wise, Kingsbury, Thomason and Kong,
2004). A sitting is flagged when its response-time effort is below .90 (Wise and Kong, 2005) and at
least three answers were rapid. A flag changes no score; examiners read it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.aberrance.rapid_guessing import (
    LONGEST,
    common_threshold,
    rapid_guesses,
    response_time_effort,
)
from engine.aberrance.response_times import Times, times
from engine.arrays import Floats
from item_bank.exams.pauses import Span, worked
from item_bank.exams.snapshots import Snapshot
from item_bank.store.clock import SECOND

SHARE = 0.10
LEAST_EFFORT = 0.90
LEAST_ANSWERS = 3
SHORTEST = 1e-3  # a time is above 0


def rapid_answers(snapshot: Snapshot, still: Sequence[Span]) -> dict[str, Any] | None:
    """Return what the log says of rapid answers; None where a sitting is not flagged."""
    found = rapid_facts(snapshot, still)
    if found is None or found["effort"] >= LEAST_EFFORT:
        return None
    if len(found["positions"]) < LEAST_ANSWERS:
        return None
    return found | {"effort": round(found["effort"], 4)}


def rapid_facts(snapshot: Snapshot, still: Sequence[Span]) -> dict[str, Any] | None:
    """Return which answers were rapid, and the effort; None with too few answers to say."""
    answered = [response for response in snapshot.responses if not response.late]
    if len(answered) < LEAST_ANSWERS:
        return None
    given = _times(snapshot, still)
    thresholds = _thresholds(snapshot, given)
    rapid = rapid_guesses(given, thresholds)
    effort = float(response_time_effort(given, rapid, thresholds)[0])
    positions = [r.position for r, quick in zip(answered, rapid, strict=True) if quick]
    return {"positions": positions, "answers": len(answered), "effort": effort}


def _times(snapshot: Snapshot, still: Sequence[Span]) -> Times:
    """Seconds of the answers that came in time, as one person's."""
    shown = {one.position: one for one in snapshot.presented}
    pairs = [(shown[r.position], r.received_at) for r in snapshot.responses if not r.late]
    seconds = [worked(one.presented_at, end, still) / SECOND for one, end in pairs]
    return times(
        np.zeros(len(pairs), dtype=np.int64),
        np.array([one.row for one, _ in pairs], dtype=np.int64),
        np.maximum(np.array(seconds), SHORTEST),
        n_persons=1,
        n_items=len(snapshot.release.items),
    )


def _thresholds(snapshot: Snapshot, given: Times) -> Floats:
    """Seconds below which an answer to each item of the release is rapid."""
    items = snapshot.release.items
    stated = items.attributes.numbers.get("seconds", np.full(len(items), np.nan))
    own = np.minimum(SHARE * stated, LONGEST)
    return np.where(np.isfinite(stated), own, common_threshold(given))
