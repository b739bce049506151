"""Each question of a sitting in words: what was asked and answered, what it told, why it came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from item_bank.results.sitting_steps import ERASED, GIVEN, LEFT, Choice, LoggedStep
from web.figures.path_plot import Binding, kind_of
from web.formats import duration, number, percent, signed

KINDS = {
    "right": "right",
    "wrong": "wrong",
    "part": "partly right",
    "unscored": "not scored",
}
CRITERIA = {
    "max_information": "information at the estimate",
    "urry": "nearness of its difficulty to the estimate",
    "mlwi": "information weighed by the likelihood",
    "mpwi": "information weighed by the posterior",
    "kl": "Kullback-Leibler information",
    "klp": "Kullback-Leibler information weighed by the posterior",
    "mei": "expected information",
    "mepv": "expected posterior variance",
}


@dataclass(frozen=True)
class Told:
    """One question as the page tells it.

    Parameters
    ----------
    lines
        Term and text, in the order in which they are read.
    answer
        What was answered, in short, for the table.
    exposure
        Share of the exam's sittings that had the item.
    """

    position: int
    item: str
    item_id: str | None
    kind: str
    answer: str
    exposure: float | None
    lines: tuple[tuple[str, str], ...]


def told_steps(
    result: Mapping[str, Any], logged: Mapping[int, LoggedStep], areas: Mapping[str, str]
) -> dict[int, Told]:
    """Tell the questions of a result, those that were tried out among them, by position."""
    rows = sorted([*result["path"], *result["tried_out"]], key=lambda one: one["position"])
    return {row["position"]: _told(row, logged.get(row["position"]), areas) for row in rows}


def _told(row: Mapping[str, Any], logged: LoggedStep | None, areas: Mapping[str, str]) -> Told:
    area = areas.get(row["content_area"], row["content_area"])
    lines = [("Item", _item(row, area, logged)), ("Answer", _answer(row, logged))]
    if row["theta"] is not None:
        lines.append(("Estimate", _estimate(row, logged)))
    if logged is not None:
        lines += [*_why(logged.choice, areas), *_given(logged)]
    return Told(
        position=row["position"],
        item=row["item"],
        item_id=logged.item_id if logged else None,
        kind=kind_of(dict(row)),
        answer=answer_text(logged),
        exposure=_share(logged),
        lines=tuple(lines),
    )


def _item(row: Mapping[str, Any], area: str, logged: LoggedStep | None) -> str:
    where = f", {area}" if area else ""
    known = f"{row['item']}, revision {logged.revision}" if logged else row["item"]
    return f"{known}{where}, {row['model']}, difficulty {signed(row['difficulty'])}"


def _share(logged: LoggedStep | None) -> float | None:
    if logged is None or logged.exposure is None or not logged.exposure[1]:
        return None
    return logged.exposure[0] / logged.exposure[1]


def _given(logged: LoggedStep) -> Iterator[tuple[str, str]]:
    share = _share(logged)
    if share is not None and logged.exposure is not None:
        n, whole = logged.exposure
        yield "Exposure", f"given in {n} of {whole} sittings of this exam, {percent(share)}"


def answer_text(logged: LoggedStep | None) -> str:
    """Say what was answered, as far as it is kept."""
    if logged is None:
        return ""
    if logged.answered == GIVEN:
        return "; ".join(f"“{text}”" for text in logged.answer)
    return {LEFT: "left without an answer", ERASED: "erased"}.get(logged.answered, "not reached")


def _answer(row: Mapping[str, Any], logged: LoggedStep | None) -> str:
    said = answer_text(logged)
    if row["score"] is None:
        end = "came too late" if row["late"] else "not scored"
        return f"{said}, {end}" if said and said != "not reached" else "not reached"
    scored = f"{KINDS[kind_of(dict(row))]}, {row['score']} of {row['max_score']}"
    took = f", in {duration(row['seconds'])}" if row["seconds"] is not None else ""
    return f"{said}: {scored}{took}" if said else f"{scored}{took}"


def _estimate(row: Mapping[str, Any], logged: LoggedStep | None) -> str:
    now = f"theta {signed(row['theta'])}, SE {number(row['se'], 2)}"
    told = f"; the question's information there is {number(row['information'], 2)}"
    if logged is None:
        return now + told
    error = f", SE {number(logged.choice.se, 2)}" if logged.choice.se is not None else ""
    return f"from theta {signed(logged.choice.theta)}{error} to {now}{told}"


def _why(choice: Choice, areas: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "Why this one", "".join(_chosen(choice))
    if choice.area:
        yield "Area in turn", areas.get(choice.area, choice.area)
    if choice.gave_way:
        yield "Gave way", ", ".join(choice.gave_way).replace("_", " ")
    kept = [
        f"{n} {words}"
        for n, words in (
            (choice.held, "held"),
            (choice.turned_away, "turned away by exposure control"),
            (choice.met_before, "met in an earlier sitting"),
        )
        if n
    ]
    if kept:
        yield "Kept out", ", ".join(kept)


def _chosen(choice: Choice) -> Iterator[str]:
    if choice.tried_out:
        yield f"tried out; one of {choice.eligible} on trial, by the exam's rule for trials"
        return
    name = CRITERIA.get(choice.criterion, choice.criterion.replace("_", " "))
    yield f"by {name} at theta {signed(choice.theta)}"
    if choice.rank is not None and choice.value is not None:
        place = "the best" if choice.rank == 1 else f"number {choice.rank}"
        yield f": {number(choice.value, 2)}, {place} of {choice.eligible} that could have come"
    else:
        yield f", of {choice.eligible} that could have come"
    if len(choice.drawn_from) > 1:
        yield f"; drawn at random among {', '.join(choice.drawn_from)}"


def binding(result: Mapping[str, Any], logged: Mapping[int, LoggedStep]) -> Binding:
    """Say at which of the result's questions which rule of the exam was binding."""
    places = [row["position"] for row in result["path"] if row["position"] in logged]
    choices = {place: logged[place].choice for place in places}
    return {
        "area in turn": [place for place, one in choices.items() if one.area],
        "gave way": [place for place, one in choices.items() if one.gave_way],
        "held items": [place for place, one in choices.items() if one.held],
        "exposure": [place for place, one in choices.items() if one.turned_away or one.met_before],
    }
