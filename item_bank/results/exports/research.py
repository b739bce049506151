"""A de-identified export for research: what would be in it, and the ZIP.

Two passes. The first looks at every sitting of the exam and says which are left out and how the
rest is coarsened; it keeps a few bytes of each. The second writes, in the order of new random ids.
The key of these ids lives in the memory of one run, and is never kept.
"""

from __future__ import annotations

import hmac
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from sqlalchemy import select

from engine.arrays import Ints
from engine.errors import AnswerIsNo, InputError
from item_bank.exams.outcomes import INVALIDATED, RELEASED
from item_bank.results.exports.answers import consents_of
from item_bank.results.exports.choices import WITH, Choices, Selection, selection
from item_bank.results.exports.deidentification import (
    MISSING,
    SUPPRESSED,
    Coarsened,
    Combination,
    coarsen,
)
from item_bank.results.exports.making import Says
from item_bank.results.exports.sittings import outcome_blocks
from item_bank.store.clock import SECOND
from item_bank.store.database import Database
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import CandidateDetails

LEAST_K, USUAL_K, MOST_K = 5, 10, 1000
MAX_TEXT = 300
BLOCK = 1000
LOOKING = "looking at sittings"
INVALID, HELD_BACK = "invalidated", "not released"
SIMULATED, ERASED, NO_CONSENT = "simulated", "erased", "without consent"
REASONS = (SIMULATED, INVALID, HELD_BACK, ERASED, NO_CONSENT)


@dataclass(frozen=True)
class ResearchChoices:
    """What a research export is to hold.

    Parameters
    ----------
    k
        People who must share a published combination.
    simulated
        Also sittings of simulated candidates, marked.
    consented
        Only sittings whose start recorded consent; else ``basis`` says by what right.
    parameters, codes
        With the items' parameters; with the bank's codes of items.
    licence, basis
        Words of the administrator, for the README.
    """

    exam: str
    since: str = ""
    until: str = ""
    k: int = USUAL_K
    simulated: bool = False
    consented: bool = True
    parameters: bool = False
    codes: bool = False
    licence: str = ""
    basis: str = ""

    def __post_init__(self) -> None:
        if not LEAST_K <= self.k <= MOST_K:
            raise InputError(f"{LEAST_K} to {MOST_K} people", self.k, column="k")
        for name in ("licence", "basis"):
            if len(getattr(self, name)) > MAX_TEXT:
                raise InputError(f"at most {MAX_TEXT} characters", "more", column=name)

    @property
    def payload(self) -> dict[str, Any]:
        """As a job keeps them."""
        return asdict(self)


def research_choices_from(said: Mapping[str, Any]) -> ResearchChoices:
    """Read choices from a form or a job."""
    known = {field.name for field in fields(ResearchChoices)}
    return ResearchChoices(**{name: value for name, value in said.items() if name in known})


def check_complete(choices: ResearchChoices) -> None:
    """Refuse to make an export without a licence, or without a right to share the data."""
    if not choices.licence.strip():
        raise InputError("a licence, such as CC BY 4.0", "none", column="licence")
    if not choices.consented and not choices.basis.strip():
        expected = "the basis on which data without recorded consent are shared"
        raise InputError(expected, "none", column="basis")


def research_selection(db: Database, choices: ResearchChoices, organisation_id: str) -> Selection:
    """Find the sittings that are looked at: all that ended, in the days that were chosen."""
    wanted = Choices(choices.exam, since=choices.since, until=choices.until, simulated=WITH)
    return selection(db, wanted, organisation_id)


class NewIds:
    """Ids for one export: a keyed hash whose key is not kept."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, what: str, old: str) -> str:
        """Return the new id of a person, a sitting or an item."""
        return hmac.digest(self._key, f"{what} {old}".encode(), "sha256").hex()[:16]


@dataclass(eq=False)
class Looked:
    """What the first pass found.

    Parameters
    ----------
    left_out
        Sittings, by the reason for which they are left out.
    answers
        Answers that counted, in the sittings that are kept.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    answers: int = 0
    known: dict[Combination, int] = field(default_factory=dict)
    _ids: bytearray = field(default_factory=bytearray)
    _people: bytearray = field(default_factory=bytearray)
    _combinations: list[int] = field(default_factory=list)

    def keep(self, one: Outcome) -> None:
        """Note a sitting."""
        self._ids += bytes.fromhex(one.sitting_id)
        self._people += bytes.fromhex(one.candidate_id)[:8]
        place = self.known.setdefault(combination_of(one), len(self.known))
        self._combinations.append(place)
        self.answers += one.n_items

    @property
    def sittings(self) -> int:
        """How many are kept."""
        return len(self._combinations)

    @property
    def persons(self) -> Ints:
        """Number of the person of each sitting."""
        return np.frombuffer(bytes(self._people), dtype=np.int64)

    @property
    def n_people(self) -> int:
        """How many people there are."""
        return len(np.unique(self.persons))

    def coarsened(self, k: int) -> Coarsened:
        """Return how their combinations are published."""
        places = np.array(self._combinations, dtype=np.int64)
        return coarsen(self.persons, places, list(self.known), k)

    def blocks(self, ids: NewIds, size: int) -> Iterator[list[str]]:
        """Give the ids of the sittings in the order of their new ids."""
        new = np.array(
            [int(ids.of("sitting", self._id(n)), 16) for n in range(self.sittings)],
            dtype=np.uint64,
        )
        order = np.argsort(new)
        for start in range(0, len(order), size):
            yield [self._id(n) for n in order[start : start + size].tolist()]

    def _id(self, n: int) -> str:
        return self._ids[16 * n : 16 * n + 16].hex()


def look(db: Database, choices: ResearchChoices, chosen: Selection, says: Says) -> Looked:
    """Look at every sitting: the dry run of an export."""
    looked, done = Looked(), 0
    with db.read() as session:
        total = chosen.count(session)
    for outcomes in outcome_blocks(db, chosen.conditions, BLOCK):
        reasons = _reasons(db, choices, outcomes)
        for one in outcomes:
            reason = reasons.get(one.sitting_id)
            if reason is None:
                looked.keep(one)
            else:
                looked.left_out[reason] += 1
        done += len(outcomes)
        says(min(done, total), total, LOOKING)
    return looked


def check_enough(looked: Looked, k: int) -> None:
    """Refuse an export of so few people that nothing could be hidden among them."""
    if looked.n_people < k:
        found = f"{looked.n_people} people are left, fewer than k = {k}"
        reasons = ", ".join(f"{n} {reason}" for reason, n in looked.left_out.items())
        raise AnswerIsNo(f"{found}; sittings left out: {reasons or 'none'}")


def combination_of(one: Outcome) -> Combination:
    """Return what could tell who somebody is, as it is."""
    month = str(np.datetime64(one.finished_at // SECOND, "s").astype("datetime64[M]"))
    return (one.country or MISSING, one.centre or MISSING, one.language, month)


def all_suppressed() -> Combination:
    """Return what is published of a sitting that changed between the passes."""
    return (SUPPRESSED,) * 4


def _reasons(db: Database, choices: ResearchChoices, outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Say by sitting why it is left out; nothing for those that are kept."""
    ids = [one.sitting_id for one in outcomes]
    people = {one.candidate_id for one in outcomes}
    with db.read() as session:
        known = set(
            session.scalars(
                select(CandidateDetails.candidate_id).where(
                    CandidateDetails.candidate_id.in_(people)
                )
            )
        )
        consents = consents_of(session, ids) if choices.consented else {}
    found = {}
    for one in outcomes:
        consented = not choices.consented or consents.get(one.sitting_id, False)
        reason = _reason(one, choices, is_known=one.candidate_id in known, consented=consented)
        if reason is not None:
            found[one.sitting_id] = reason
    return found


def _reason(
    one: Outcome, choices: ResearchChoices, *, is_known: bool, consented: bool
) -> str | None:
    if one.simulated and not choices.simulated:
        return SIMULATED
    if one.state == INVALIDATED:
        return INVALID
    if one.state != RELEASED:
        return HELD_BACK
    if one.simulated:
        return None
    if not is_known:
        return ERASED
    return None if consented else NO_CONSENT
