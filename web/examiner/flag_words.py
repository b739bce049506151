"""What stands out in a sitting, in words: what each flag is, what it found, what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from item_bank.results.flags import records
from item_bank.results.flags.records import RecordedFlag
from web.formats import number, percent

NOT_PROOF = "A flag is a reason to look, never proof, and changes no score."


@dataclass(frozen=True)
class Meaning:
    """What a flag is, what usually causes it, and what to do."""

    title: str
    what: str
    causes: str
    todo: str


MEANINGS: Mapping[str, Meaning] = {
    records.PERSON_FIT: Meaning(
        "Person fit",
        "Whether right and wrong answers follow the difficulty of the questions as the model "
        "expects of one person. Limits are simulated for this exam version; about 1 in 20 people "
        "who answer as the model says stand out.",
        "Usual causes: giving up or running out of strength midway, guessing, a language that is "
        "not one's own, knowing some of the questions, a mistake with the device.",
        "Look at the path for the run of surprising answers, then at times and log.",
    ),
    records.RAPID: Meaning(
        "Rapid answers",
        "Answers that came faster than the question can be read. Effort is the share of answers "
        "that did not.",
        "Usual causes: giving up, guessing at the end of the time, knowing questions beforehand, "
        "leaving questions out.",
        "See whether they were right: quick and wrong is guessing, quick and right is knowledge "
        "of the questions.",
    ),
    records.COMPROMISED: Meaning(
        "Questions known outside",
        "Questions of this sitting that are held because they became known outside.",
        "They say nothing of this candidate: whether they knew the questions is not known.",
        "Compare the points on them with those expected at the candidate's level; if it matters, "
        "ask for a correction that leaves them out.",
    ),
    records.OVERLAP: Meaning(
        "Questions met before",
        "Questions that the same person had met in an earlier sitting on this bank.",
        "A retake on a small bank, or an exam that does not avoid questions met before.",
        "See whether answers to them became right. The psychometrician can widen the bank or set "
        "avoid_earlier.",
    ),
    records.LIKENESS: Meaning(
        "Answers alike",
        "Whether this sitting and another of the exam, at the same time or centre, have more "
        "answers in common than chance explains. The p value counts all pairs that were compared.",
        "Usual causes: copying, an answer key that went round, one person who sat for two; also "
        "the same misunderstanding taught to both.",
        "Look at both sittings, the seating plan and the invigilator's notes. Who had it from whom "
        "does not follow from the figures.",
    ),
    records.TIME: Meaning(
        "Response times",
        "Whether the times fit one steady speed, by the lognormal model, and whether more answers "
        "than chance explains were too fast for this person.",
        "Usual causes: interruptions, a slow line, reading ahead during a break, answers from "
        "memory, guessing.",
        "Look at the times in the path beside the log: pauses and reconnections explain many.",
    ),
}

REASONS = {
    "no_estimate": "There is no estimate to compare the answers with.",
    "not_estimable": "Not estimable: the answers could not have differed.",
    "too_few": "Too few answers to say.",
    "too_few_times": "Too few answers with times to say.",
    "nobody_near": "No other sitting of the exam overlapped in time or had the same centre.",
    "few_in_common": "Too few questions, or too few errors, in common with any other sitting.",
}
NAMES = {"lz_star": "lz*", "cusum": "CUSUM", "outfit": "outfit"}


@dataclass(frozen=True)
class FlagSaid:
    """One flag as a page says it.

    Parameters
    ----------
    verdict
        ``stands out``, ``nothing unusual`` or ``not judged``.
    finding
        What was found, in a sentence.
    figures
        Name, value and limit.
    sitting
        The other sitting, of a likeness.
    """

    kind: str
    flagged: bool
    verdict: str
    finding: str
    meaning: Meaning
    figures: tuple[tuple[str, str, str], ...]
    sitting: str | None
    at: int


def flags_said(flags: Sequence[RecordedFlag]) -> list[FlagSaid]:
    """Say all flags of a sitting, those that stand out first."""
    said = [_said(flag) for flag in flags]
    return sorted(said, key=lambda one: not one.flagged)


def _said(flag: RecordedFlag) -> FlagSaid:
    values = flag.values
    reason = values.get("reason")
    finding = REASONS.get(reason, str(reason)) if reason else FINDINGS[flag.kind](values)
    judged = not reason and not (flag.kind == records.PERSON_FIT and values["limits"] is None)
    calm = "nothing unusual" if judged else "not judged"
    return FlagSaid(
        kind=flag.kind,
        flagged=flag.flagged,
        verdict="stands out" if flag.flagged else calm,
        finding=finding,
        meaning=MEANINGS[flag.kind],
        figures=() if reason else tuple(FIGURES.get(flag.kind, _no_figures)(values)),
        sitting=values.get("sitting") if flag.kind == records.LIKENESS else None,
        at=flag.at,
    )


def _fit(values: Mapping[str, Any]) -> str:
    if values["limits"] is None:
        return (
            "Limits are not simulated yet for this exam version: the figures stand here and cannot "
            "be judged, since those of an adaptive exam follow no table."
        )
    beyond = [NAMES[name] for name in values["beyond"]]
    if not beyond:
        return "All three figures lie within their limits."
    end = "" if len(beyond) > 1 else "; one alone is no flag"
    return f"Beyond the limit: {', '.join(beyond)}{end}."


def _rapid(values: Mapping[str, Any]) -> str:
    n = len(values["positions"])
    places = ", ".join(map(str, values["positions"]))
    where = f" (questions {places})" if n else ""
    return f"{n} of {values['answers']} answers{where}; effort {number(values['effort'], 2)}."


def _compromised(values: Mapping[str, Any]) -> str:
    rows = values["items"]
    if not rows:
        return "None of the questions is held as known outside."
    points = sum(row["points"] or 0 for row in rows)
    most = sum(row["max_points"] for row in rows)
    named = ", ".join(f"{row['position']} ({row['item']})" for row in rows)
    return f"{len(rows)} of {values['questions']} questions: {named}; {points} of {most} points."


def _overlap(values: Mapping[str, Any]) -> str:
    rows = values["items"]
    if not rows:
        return "None of the questions was met in an earlier sitting."
    places = ", ".join(str(row["position"]) for row in rows)
    return f"{len(rows)} of {values['questions']} questions had been met before ({places})."


def _likeness(values: Mapping[str, Any]) -> str:
    alike = f"{values['matches']} of {values['common']}"
    expected = number(values["expected"], 1)
    if values["method"] == "omega":
        found = f"The same option in {alike} questions in common, {expected} expected (omega)."
    else:
        found = (
            f"The same wrong answer in {alike} questions that both had wrong, {expected} expected. "
            f"Omega is not estimable: {values['no_omega']}."
        )
    return f"{found} Compared with {values['compared']} sittings."


def _time(values: Mapping[str, Any]) -> str:
    n = len(values["too_fast"])
    places = f" (questions {', '.join(map(str, values['too_fast']))})" if n else ""
    return f"{n} of {values['timed']} answers were too fast{places}; model of {values['model']}."


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else number(value, 4)


def _fit_figures(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    limits = values["limits"] or {}

    def limit(name: str, sign: str) -> str:
        return f"{sign} {number(limits[name], 3)}" if name in limits else "not simulated yet"

    return [
        ("lz*", number(values["lz_star"], 3), limit("lz_star_low", "below")),
        ("CUSUM, highest", number(values["cusum_high"], 3), limit("cusum_high", "above")),
        ("CUSUM, lowest", number(values["cusum_low"], 3), limit("cusum_low", "below")),
        ("outfit", number(values["outfit"], 3), limit("outfit_high", "above")),
    ]


def _likeness_figures(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        ("p of this pair", _p(values["p"]), ""),
        (f"p among {values['pairs']} pairs", _p(values["adjusted"]), f"below {values['level']:g}"),
    ]


def _time_figures(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    limit = f"below {values['level']:g}"
    return [
        ("p of times so uneven", _p(values["misfit_p"]), limit),
        ("p of so many too fast", _p(values["too_fast_p"]), limit),
    ]


def _no_figures(_values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return []


FINDINGS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    records.PERSON_FIT: _fit,
    records.RAPID: _rapid,
    records.COMPROMISED: _compromised,
    records.OVERLAP: _overlap,
    records.LIKENESS: _likeness,
    records.TIME: _time,
}
FIGURES: Mapping[str, Callable[[Mapping[str, Any]], list[tuple[str, str, str]]]] = {
    records.PERSON_FIT: _fit_figures,
    records.LIKENESS: _likeness_figures,
    records.TIME: _time_figures,
}


def expected_rates(precision: Mapping[str, Any] | None) -> str:
    """Say how often decisions of the exam version are right, by its simulation."""
    if not precision or precision.get("accuracy") is None:
        return "How often decisions of this exam version are right is not simulated yet."
    return (
        f"By a simulation of {precision['n']} sittings of this exam version, "
        f"{percent(precision['accuracy'])} of levels are right, and "
        f"{percent(precision['consistency'])} would be the same if the same person sat again."
    )
