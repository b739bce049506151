"""The audit of what was decided on results: rows, both chains, and the state that follows.

Called by `verification` for each sitting whose chain holds. Every decision and appeal has a link of
its sitting's chain, and one of the site's unless the exam's rule acted; the outcome is what the
result and the links say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams import records
from item_bank.exams.decided import EXAM_RULE, KINDS, Act, first_state, state_after
from item_bank.exams.exam_files import plan_from_mapping
from item_bank.exams.outcomes import INVALIDATED, copied
from item_bank.store.audit import Break
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.outcomes import Appeal, Decision, Outcome
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import Result, Sitting, SittingEvent

ACTS = {kind: act for act, kind in KINDS.items()}
APPEALS = (records.APPEAL_OPENED, records.APPEAL_ANSWERED, records.APPEAL_WITHDRAWN)
TOLD = frozenset({*ACTS, *APPEALS, records.RESULT_NOTE})
"""Kinds of links that both chains have."""
_STATUS = {records.APPEAL_OPENED: "open", records.APPEAL_WITHDRAWN: "withdrawn"}


@dataclass(frozen=True)
class Decided:
    """A sitting with what was decided on its result."""

    sitting: Sitting
    links: Sequence[SittingEvent]
    results: Sequence[Result]
    decisions: Sequence[Decision]
    appeals: Sequence[Appeal]
    outcome: Outcome | None


def acts_on_results(site: Sequence[SiteEvent]) -> Mapping[str, list[SiteEvent]]:
    """Return the links of the site's chain that tell of acts on results, by their sitting."""
    found: dict[str, list[SiteEvent]] = {}
    for event in site:
        if event.kind in TOLD:
            found.setdefault(str(_says(event, "sitting")), []).append(event)
    return found


def first_states(session: Session) -> Mapping[str, str]:
    """Return what results are at first, by exam version."""
    return {
        version.id: first_state(plan_from_mapping(version.design).results)
        for version in session.scalars(select(ExamVersion))
        if isinstance(version.design, dict) and version.design
    }


def decision_problems(
    one: Decided, acts: Mapping[str, list[SiteEvent]], first: Mapping[str, str]
) -> Iterator[Break]:
    """Name what does not agree in one sitting."""
    for number, problem in (
        *_row_problems(one),
        *_number_problems(one),
        *_appeal_problems(one),
        *_site_problems(one, acts.get(one.sitting.id, [])),
        *_outcome_problems(one, first),
    ):
        yield Break(one.sitting.id, number, problem)


def _says(link: SiteEvent | SittingEvent, name: str) -> Any:
    return link.payload.get(name) if isinstance(link.payload, dict) else None


def _row_problems(one: Decided) -> Iterator[tuple[int, str]]:
    """Each decision has a link with its digest, and each such link its row."""
    links = {_says(link, "decision"): link for link in one.links if link.kind in ACTS}
    for row in one.decisions:
        link = links.pop(row.id, None)
        if link is None:
            yield 0, f"decision {row.number} ({row.act}) has no link"
        elif _says(link, "digest") != records.row_digest(row):
            yield link.number, f"decision {row.number} ({row.act}) is not as it was recorded"
    for link in links.values():
        yield link.number, f"the decision of a link ({link.kind}) is gone"


def _number_problems(one: Decided) -> Iterator[tuple[int, str]]:
    """Each result after the first has a link that made it stand; links name results as they are."""
    hashes = {row.number: row.content_hash for row in one.results}
    amended = {_says(k, "result") for k in one.links if k.kind == records.RESULT_AMENDED}
    for number in hashes:
        if number > 1 and number not in amended:
            yield 0, f"result {number} has no link"
    for link in one.links:
        if link.kind in ACTS and hashes.get(_says(link, "result")) != _says(link, "hash"):
            yield link.number, f"result {_says(link, 'result')} is not the one decided on"


def _appeal_problems(one: Decided) -> Iterator[tuple[int, str]]:
    """Appeals have their links; texts agree with what was committed to, unless erased."""
    told = {(_says(link, "appeal"), link.kind): link for link in one.links if link.kind in APPEALS}
    for row in one.appeals:
        opened = told.pop((row.id, records.APPEAL_OPENED), None)
        answered = told.pop((row.id, records.APPEAL_ANSWERED), None)
        withdrawn = told.pop((row.id, records.APPEAL_WITHDRAWN), None)
        if opened is None:
            yield 0, "an appeal has no link"
        elif _is_other(row.salt, row.text, opened):
            yield opened.number, "the text of an appeal is not what was committed to"
        if answered is not None and _is_other(row.answer_salt, row.answer, answered):
            yield answered.number, "the answer to an appeal is not what was committed to"
        last = answered or withdrawn or opened
        if last is not None and row.status != _STATUS.get(last.kind, _says(last, "status")):
            yield last.number, f"an appeal is {row.status}, which its links do not say"
    for link in told.values():
        yield link.number, "the appeal of a link is gone"


def _is_other(salt: str | None, text: str | None, link: SittingEvent) -> bool:
    if not salt:  # erased, with its text
        return bool(text)
    return bool(records.commitment(salt, text) != _says(link, "commitment"))


def _site_problems(one: Decided, told: Sequence[SiteEvent]) -> Iterator[tuple[int, str]]:
    """What people did stands in the site's chain, with the head that the chain then had."""
    here = [link for link in one.links if link.kind in TOLD]
    own = [link for link in here if _says(link, "by") != EXAM_RULE.role]
    if Counter(link.kind for link in own) != Counter(event.kind for event in told):
        yield 0, "the acts on its result are not those that the site's chain tells of"
    heads = {link.number: link.hash for link in one.links}
    for event in told:
        if heads.get(_says(event, "length")) != _says(event, "head"):
            yield 0, f"is not the chain that link {event.number} of site tells of"


def _outcome_problems(one: Decided, first: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """The outcome copies the result that stands, and its state is what the links lead to."""
    outcome, sitting = one.outcome, one.sitting
    if outcome is None:
        if one.results:
            yield 0, "a result has no outcome"
        return
    made = [_says(k, "result") for k in one.links if k.kind == records.RESULT_AMENDED]
    stands = made[-1] if made else 1
    result = next((row for row in one.results if row.number == stands), None)
    if outcome.result_number != stands or result is None:
        yield 0, f"result {outcome.result_number} stands, which its links do not say"
    elif isinstance(result.content, dict) and result.content and _differs(outcome, result):
        yield 0, f"the outcome is not what result {stands} says"
    yield from _state_problems(one, outcome, first.get(sitting.exam_version_id))


def _differs(outcome: Outcome, result: Result) -> bool:
    try:
        values = copied(result.content)
    except (KeyError, TypeError):  # a forged one
        return True
    return any(getattr(outcome, name) != value for name, value in values.items())


def _state_problems(one: Decided, outcome: Outcome, first: str | None) -> Iterator[tuple[int, str]]:
    if first is None:  # the version itself is reported
        return
    acts: list[Act] = [ACTS[link.kind] for link in one.links if link.kind in ACTS]
    state = state_after(first, acts)
    if outcome.state != state:
        yield 0, f"its result is {outcome.state}, its links say {state}"
    if (one.sitting.status == INVALIDATED) != (state == INVALIDATED):
        yield 0, f"the sitting is {one.sitting.status}, its result is {state}"
    own = (one.sitting.exam_id, one.sitting.exam_version_id, one.sitting.candidate_id)
    if (outcome.exam_id, outcome.exam_version_id, outcome.candidate_id) != own:
        yield 0, "the outcome is of another exam or candidate than the sitting"
    released = [link.at for link in one.links if link.kind == records.RESULT_RELEASED]
    if released and outcome.released_at != released[-1]:
        yield 0, "the result was released at another time"
