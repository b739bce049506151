"""What a correction is: its kinds, its way from proposed to applied, and how it acts. Pure.

A *rule* is a correction as it changes results. For one item revision the newest rule counts, and
for the cut scores of one exam version likewise, so that a correction is undone by another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from item_bank.exams.actors import ADMINISTRATOR, COMMAND_LINE

KEY, DROP, CUTS = "key", "drop", "cuts"
KINDS = (KEY, DROP, CUTS)
PROPOSED, CHECKED, SIGNED = "proposed", "checked", "signed"
APPLYING, APPLIED, WITHDRAWN = "applying", "applied", "withdrawn"
STATUSES = (PROPOSED, CHECKED, SIGNED, APPLYING, APPLIED, WITHDRAWN)
OPEN = (PROPOSED, CHECKED, SIGNED)
"""Not in force yet: may be checked, signed and withdrawn."""
IN_FORCE = (APPLYING, APPLIED)
EXAMINER, PSYCHOMETRICIAN = "examiner", "psychometrician"
PROPOSERS = frozenset({EXAMINER, ADMINISTRATOR, PSYCHOMETRICIAN, COMMAND_LINE})
SIGNERS = frozenset({EXAMINER, ADMINISTRATOR})
SIGNATURES = 2
ANSWER_ERASED, NOT_SCORABLE, NOTHING_LEFT, NOT_AS_SIGNED = (
    "answer_erased",
    "not_scorable",
    "no_answer_left",
    "not_as_signed",
)
PROBLEMS: Mapping[str, str] = {
    ANSWER_ERASED: "cannot be rescored: answer erased",
    NOT_SCORABLE: "cannot be rescored: the new key does not allow the answer given",
    NOTHING_LEFT: "cannot be computed: no answer would be left",
    NOT_AS_SIGNED: "not changed: it would come to something else than was signed",
}


@dataclass(frozen=True)
class Rule:
    """A correction as it changes results.

    Parameters
    ----------
    revision_id
        The item revision that a key or a drop is about.
    exam_id
        The exam whose cut scores change.
    change
        Of a key: ``type`` and the whole ``key`` as it is stored. Of cut scores: ``minimums`` of
        all levels by code, and the ``versions`` of the exam that they hold for.
    place
        In the order in which corrections came into force.
    """

    id: str
    number: int
    kind: str
    revision_id: str | None
    exam_id: str | None
    change: Mapping[str, Any]
    reason: str
    place: int

    @property
    def said(self) -> dict[str, Any]:
        """What an amended result says of it."""
        return {
            "id": self.id,
            "number": self.number,
            "kind": self.kind,
            "reason": self.reason,
            "revision": self.revision_id,
        }

    def holds_for(self, exam_id: str, version: int) -> bool:
        """Whether it changes the cut scores of a version of an exam."""
        return self.exam_id == exam_id and version in self.change.get("versions", ())


class CannotCompute(Exception):  # noqa: N818 - a finding, listed and counted
    """No amended result can be computed; ``problem`` is one of `PROBLEMS`."""

    def __init__(self, problem: str, positions: tuple[int, ...] = ()) -> None:
        self.problem, self.positions = problem, positions
        where = f" ({', '.join(map(str, positions))})" if positions else ""
        super().__init__(PROBLEMS[problem] + where)
