"""Who may do what to a result, and why not: pure rules on how it stands.

Called by `deciding` before anything is written, and by pages and commands to say what can be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from item_bank.exams.actors import COMMAND_LINE, Actor
from item_bank.exams.decided import Act, Done, signers
from item_bank.exams.errors import NotAllowed
from item_bank.exams.outcomes import AWAITING, HELD, INVALIDATED, RELEASED

EXAMINER = "examiner"
DECIDERS = frozenset({EXAMINER, COMMAND_LINE})
ACTS = (Act.SIGNED, Act.RELEASED, Act.HELD, Act.INVALIDATED, Act.REINSTATED)
"""What people do; amending is done by corrections."""
CATEGORIES = ("irregularity", "identity", "technical", "request", "other")
"""Why a result is withdrawn, as its candidate is told."""


class Refusal(StrEnum):
    """Why somebody may not do something to a result now."""

    NOT_EXAMINER = "not_examiner"
    NO_ACCOUNT = "no_account"
    SIGNED_BEFORE = "signed_before"
    ENOUGH_SIGNATURES = "enough_signatures"
    SIGNATURES_MISSING = "signatures_missing"
    IS_RELEASED = "is_released"
    IS_HELD = "is_held"
    IS_INVALIDATED = "is_invalidated"
    NOT_INVALIDATED = "not_invalidated"
    MOVED_ON = "moved_on"
    NO_RESULT = "no_result"
    REASON = "reason"


WORDS = {
    Refusal.NOT_EXAMINER: "only an examiner decides on results",
    Refusal.NO_ACCOUNT: "a signature is given by an examiner's account",
    Refusal.SIGNED_BEFORE: "you have signed this result; another examiner must sign it, too",
    Refusal.ENOUGH_SIGNATURES: "this result needs no further signature",
    Refusal.SIGNATURES_MISSING: "signatures are missing; the last one releases the result",
    Refusal.IS_RELEASED: "this result is released",
    Refusal.IS_HELD: "this result is held already",
    Refusal.IS_INVALIDATED: "this result is invalidated; reinstate it first",
    Refusal.NOT_INVALIDATED: "this result is not invalidated",
    Refusal.MOVED_ON: "somebody has decided on this result meanwhile; look at it again",
    Refusal.NO_RESULT: "this sitting has no result yet",
    Refusal.REASON: "the reason is missing, or too long",
}


class Refused(NotAllowed):
    """An act on a result that is not possible; ``why`` names the reason."""

    def __init__(self, why: Refusal) -> None:
        self.why = why
        super().__init__(WORDS[why])


@dataclass(frozen=True)
class Standing:
    """How a result stands.

    Parameters
    ----------
    number, hash
        The result that stands, which is what is signed.
    needed
        How many examiners must sign before it is released; 0 where the exam's rule releases it.
    """

    sitting_id: str
    state: str
    number: int
    hash: str
    needed: int
    done: tuple[Done, ...]

    @property
    def signed_by(self) -> tuple[str, ...]:
        """Accounts that signed the result that stands."""
        return signers(self.done, self.number)

    @property
    def missing(self) -> int:
        """How many signatures it lacks."""
        return max(self.needed - len(self.signed_by), 0)

    @property
    def stamp(self) -> str:
        """What a page remembers of it, so that nobody decides on what has changed."""
        return f"{self.number}.{len(self.done)}"


def refusal(act: Act, standing: Standing, actor: Actor) -> Refusal | None:
    """Return why somebody may not do something to a result now; None where they may."""
    if actor.role not in DECIDERS:
        return Refusal.NOT_EXAMINER
    if act is Act.REINSTATED:
        return None if standing.state == INVALIDATED else Refusal.NOT_INVALIDATED
    if standing.state == INVALIDATED:
        return Refusal.IS_INVALIDATED
    return _refused_here(act, standing, actor)


def _refused_here(act: Act, standing: Standing, actor: Actor) -> Refusal | None:
    if act is Act.SIGNED:
        return _refused_signature(standing, actor)
    if act is Act.RELEASED:
        return _refused_release(standing)
    return Refusal.IS_HELD if act is Act.HELD and standing.state == HELD else None


def _refused_signature(standing: Standing, actor: Actor) -> Refusal | None:
    if standing.state == RELEASED:
        return Refusal.IS_RELEASED
    if actor.id is None:
        return Refusal.NO_ACCOUNT
    if standing.missing == 0:
        return Refusal.ENOUGH_SIGNATURES
    return Refusal.SIGNED_BEFORE if actor.id in standing.signed_by else None


def _refused_release(standing: Standing) -> Refusal | None:
    if standing.state == RELEASED:
        return Refusal.IS_RELEASED
    return Refusal.SIGNATURES_MISSING if standing.missing else None


def is_last_signature(standing: Standing) -> bool:
    """Whether one more signature releases the result; a held one is released by hand."""
    return standing.state == AWAITING and standing.missing == 1


def refusals(standing: Standing, actor: Actor) -> dict[Act, Refusal | None]:
    """Say of each act whether somebody may do it now."""
    return {act: refusal(act, standing, actor) for act in ACTS}
