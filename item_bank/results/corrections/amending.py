"""The amended result of a sitting: its log, and the corrections in force for it, put together.

Pure once the sitting is read (`materials`). Items stay as they were chosen and the path keeps the
estimates of the log; scores, the final estimate and what follows from it are computed anew by the
same functions that build a first result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import InputError
from engine.results.decisions import Level
from item_bank.exams.designs import LoadedExam
from item_bank.exams.pauses import Span
from item_bank.exams.results import build_result
from item_bank.exams.snapshots import Snapshot
from item_bank.items.releases import ReleaseItems
from item_bank.items.scoring import points_by_score, score
from item_bank.results.corrections.terms import (
    ANSWER_ERASED,
    CUTS,
    DROP,
    KEY,
    NOT_SCORABLE,
    NOTHING_LEFT,
    CannotCompute,
    Rule,
)
from item_bank.store.canonical import content_hash
from item_bank.store.tables.sittings import PresentedItem, Response

NOT_COMPARED = frozenset({"number", "supersedes", "corrections", "software"})
"""Parts of a result that say how it came about, not what it says."""


@dataclass(frozen=True)
class Material:
    """A finished sitting with all that an amended result is computed from.

    Parameters
    ----------
    still
        When its clock stood still.
    answers
        What was chosen or typed, by position; erased ones are not there.
    languages
        In which language each position was answered.
    standing
        The result that stands, which an amended one would supersede.
    """

    snapshot: Snapshot
    still: Sequence[Span]
    answers: Mapping[int, Any]
    languages: Mapping[int, str]
    standing: dict[str, Any]


def touching(snapshot: Snapshot, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the rules that have to do with a sitting, in the order in which they came to hold."""
    shown = {one.revision_id for one in snapshot.presented}
    exam = snapshot.exam
    return tuple(
        rule
        for rule in sorted(rules, key=lambda rule: rule.place)
        if rule.revision_id in shown
        or (rule.kind == CUTS and rule.holds_for(exam.exam_id, exam.number))
    )


def amended(material: Material, rules: Iterable[Rule]) -> dict[str, Any]:
    """Return the result that a sitting comes to under some rules.

    Raises
    ------
    CannotCompute
        When an answer that must be scored anew was erased, or the new key does not allow it, or
        no answer is left that counts.
    """
    snapshot, acting = material.snapshot, touching(material.snapshot, rules)
    by_revision = {rule.revision_id: rule for rule in acting if rule.kind != CUTS}
    cuts = next((rule for rule in reversed(acting) if rule.kind == CUTS), None)
    after = replace(
        snapshot,
        exam=snapshot.exam if cuts is None else with_cuts(snapshot.exam, cuts.change["minimums"]),
        release=_with_points(snapshot, by_revision),
        responses=_scored_anew(material, by_revision),
    )
    if _counted(snapshot) and not _counted(after):
        raise CannotCompute(NOTHING_LEFT)
    content = build_result(after, material.still)
    for name in ("path", "tried_out"):
        content[name] = [_marked(row, snapshot, by_revision) for row in content[name]]
    standing = material.standing
    return content | {
        "number": standing["number"] + 1,
        "supersedes": {"number": standing["number"], "hash": content_hash(standing)},
        "corrections": [rule.said for rule in acting],
    }


def says_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two results differ in nothing but how they came about."""
    return _compared(one) == _compared(other)


def signed_hash(content: Mapping[str, Any]) -> str:
    """Hash of what a result says: what is signed; the same on machines whose last bits differ."""
    return content_hash(_rounded(_compared(content)))


def _compared(content: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is no finding: how it came about, and what content areas are called."""
    said = {name: value for name, value in content.items() if name not in NOT_COMPARED}
    areas = [{n: v for n, v in one.items() if n != "name"} for one in content["domains"]]
    return said | {"domains": areas}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 9) + 0.0
    if isinstance(value, Mapping):
        return {name: _rounded(part) for name, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list | tuple) else value


# --- scores ------------------------------------------------------------------------------------


def _scored_anew(material: Material, rules: Mapping[str | None, Rule]) -> tuple[Response, ...]:
    """Return the responses with the scores that the rules give them."""
    shown = {one.position: one for one in material.snapshot.presented}
    new: list[Response] = []
    erased: list[int] = []
    for response in material.snapshot.responses:
        rule = rules.get(shown[response.position].revision_id)
        if rule is None or response.score is None:
            new.append(response)
            continue
        try:
            found = _new_score(material, rule, shown[response.position])
        except KeyError:
            erased.append(response.position)
            continue
        new.append(_with_score(response, found))
    if erased:
        raise CannotCompute(ANSWER_ERASED, tuple(erased))
    return tuple(new)


def _new_score(material: Material, rule: Rule, shown: PresentedItem) -> int | None:
    """Return the score of an answer by a rule, None where it is dropped; KeyError: erased."""
    if rule.kind == DROP:
        return None
    position = shown.position
    if position not in material.answers:
        return scores_given(material.standing)[position, rule.id]
    language = material.languages.get(position, shown.language)
    try:
        return score(rule.change["type"], rule.change["key"], material.answers[position], language)
    except InputError:
        raise CannotCompute(NOT_SCORABLE, (position,)) from None


def scores_given(content: Mapping[str, Any]) -> dict[tuple[int, str], int]:
    """Return the scores that an amended result gave, by position and correction.

    They stand for answers that were erased after they had been scored anew.
    """
    return {
        (row["position"], row["correction"]["id"]): row.get("category", row["score"])
        for row in (*content["path"], *content["tried_out"])
        if "correction" in row and row["score"] is not None
    }


def _with_score(response: Response, new: int | None) -> Response:
    columns = Response.__table__.columns.keys()
    return Response(**{name: getattr(response, name) for name in columns} | {"score": new})


def _counted(snapshot: Snapshot) -> int:
    return snapshot.answered - len(snapshot.tried_out)


def _with_points(snapshot: Snapshot, rules: Mapping[str | None, Rule]) -> ReleaseItems:
    """Give the release the points of the new keys, which differ where options are scored."""
    points = list(snapshot.release.points)
    for shown in snapshot.presented:
        rule = rules.get(shown.revision_id)
        if rule is not None and rule.kind == KEY:
            points[shown.row] = _points(rule, len(points[shown.row]) - 1)
    return replace(snapshot.release, points=tuple(points))


def _points(rule: Rule, top: int) -> tuple[int, ...]:
    return tuple(points_by_score(rule.change["key"], top))


def _marked(
    row: dict[str, Any], snapshot: Snapshot, rules: Mapping[str | None, Rule]
) -> dict[str, Any]:
    """Say in a step of the path which correction changed its score, and what it was then."""
    rule = rules.get(row["revision"])
    if rule is None:
        return row
    position = row["position"]
    then = next((r.score for r in snapshot.responses if r.position == position), None)
    worth = snapshot.release.points[snapshot.presented[position - 1].row]
    said = {
        "id": rule.id,
        "number": rule.number,
        "kind": rule.kind,
        "score_then": None if then is None else worth[then],
    }
    return {**row, "correction": said}


# --- cut scores --------------------------------------------------------------------------------


def with_cuts(exam: LoadedExam, minimums: Mapping[str, float]) -> LoadedExam:
    """Return an exam version whose levels begin elsewhere."""
    plan = exam.plan
    levels = tuple(replace(one, minimum=minimums[one.code]) for one in plan.levels)
    design = replace(plan.design, levels=tuple(Level(one.code, one.minimum) for one in levels))
    return replace(exam, plan=replace(plan, levels=levels, design=design))
