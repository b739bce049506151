"""Chapters on what the sittings came to: population, results, precision, groups, time, items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.results.proportions import Proportion
from item_bank.results.cohorts.groups import Group, withheld
from item_bank.results.cohorts.scores import Scores
from web.cohorts import shown, words
from web.cohorts.technical.facts import Facts
from web.cohorts.technical.parts import Section, Table, picture
from web.examiner.readings import stopped
from web.formats import NONE, duration, number, percent, signed
from web.language import local_text

SMALL = "fewer than 10"


def finding_chapters(facts: Facts) -> Iterator[Section]:
    """Return the chapters on what the sittings came to."""
    yield _results(facts)
    if facts.scores.n:
        yield _precision(facts)
        yield _decisions(facts)
        yield _groups(facts)
        yield _time(facts)
    yield _items(facts)


def _share(one: Proportion | None) -> str:
    return percent(one.share) if one else NONE


def _interval(one: Proportion | None) -> str:
    return f"{percent(one.low)} to {percent(one.high)}" if one else NONE


def _results(facts: Facts) -> Section:
    found, own = facts.scores, facts.frame
    if not found.n:
        return Section("Results", paragraphs=("No sitting ended in the period.",))
    decimals = own.version.plan.design.scale.decimals
    levels = [
        [local_text(one.level.name) or one.level.code, number(one.level.minimum, decimals),
         str(one.share.count if one.share else 0), _share(one.share), _interval(one.share)]
        for one in found.levels
    ]  # fmt: skip
    months = [
        [one.name, str(one.n), number(one.scores.mean, 1), number(one.scores.sd, 1),
         _share(one.passed)]
        for one in found.months
        if one.n >= 10
    ]  # fmt: skip
    reading = words.of_scores(own, found)
    return Section(
        "Population and results",
        paragraphs=(
            f"{found.n} sittings ended in the period{_without(found)}.",
            "Withdrawn results are not among them. Intervals are Wilson's, 95 %.",
        ),
        tables=(
            Table(("", "All sittings", "First attempts"), list(_both(facts)), (1, 2), "Summary"),
            Table(("Level", "From", "Sittings", "Share", "95 % interval"), levels, (1, 2, 3),
                  "Levels"),
            Table(("Month", "Sittings", "Mean", "SD", "Passed"), months, (1, 2, 3, 4),
                  "By month; months of fewer than ten sittings are left out"),
        ),
        pictures=(
            (picture(shown.score_histogram(own, found), f"Scores. {reading}", reading),)
            if found.bins
            else ()
        ),
    )  # fmt: skip


def _without(found: Scores) -> str:
    n = found.n - found.scores.n
    return f", {n} of them without a score" if n else ""


def _both(facts: Facts) -> Iterator[list[str]]:
    """Rows of the summary: what a certifying body reports of each form."""
    both, exact = (facts.scores, facts.first), facts.exactness

    def row(name: str, value: Any) -> list[str]:
        return [name, *(value(one) for one in both)]

    yield row("Sittings", lambda one: str(one.n))
    yield row("With a score", lambda one: str(one.scores.n))
    yield row("Mean score", lambda one: number(one.scores.mean, 1))
    yield row("Standard deviation", lambda one: number(one.scores.sd, 1))
    yield row("Passed", lambda one: _share(one.passed))
    yield row("95 % interval", lambda one: _interval(one.passed))
    yield ["Reliability", number(exact.reliability, 3), NONE]
    for cut in exact.cuts:
        name = f"CSEM at {cut.minimum:g}, {local_text(cut.name) or cut.code}"
        yield [name, number(cut.csem, 1), NONE]


def _precision(facts: Facts) -> Section:
    found, own = facts.exactness, facts.frame
    reading = words.of_errors(found)
    simulation = (
        f"The conditional standard error of measurement comes from {found.study.summary['n']} "
        "simulated sittings of this exam version, with its own rules and parameters."
        if found.study
        else "This exam version has not been simulated: its conditional error is not known."
    )
    rows = [
        [number(one.score), str(one.n), number(one.csem, 1), number(one.posterior_se, 1)]
        for one in found.bands
    ]
    kind = (
        "the variance of the estimates over itself plus the mean squared standard error"
        if own.estimator in {"eap", "map"}
        else "the part of the variance of the estimates that is not error"
    )
    return Section(
        "Precision of scores",
        paragraphs=(
            f"The reliability of these scores is {number(found.reliability, 3)}: {kind}.",
            simulation,
        ),
        pictures=(picture(shown.errors(own, found), f"Standard errors. {reading}", reading),),
        tables=(
            Table(("Score about", "Sittings", "Conditional SEM", "Mean reported SE"), rows,
                  (0, 1, 2, 3), "Standard errors in score points, by bands of score"),
        ),
    )  # fmt: skip


def _decisions(facts: Facts) -> Section:
    found = facts.exactness
    if found.rates is None:
        return Section("Decisions", paragraphs=("The exam decides nothing by a cut score.",))
    rows = [
        [
            local_text(cut.name) or cut.code,
            percent(cut.cohort.accuracy if cut.cohort else None),
            percent(cut.study.get("accuracy")),
            percent(cut.cohort.consistency if cut.cohort else None),
            percent(cut.study.get("consistency")),
            NONE if cut.within is None else str(cut.within),
        ]
        for cut in found.cuts
    ]
    summary = found.simulated
    rates = found.rates
    rows.append(
        ["All levels together", percent(rates.accuracy), percent(summary.get("accuracy")),
         percent(rates.consistency), percent(summary.get("consistency")), ""]
    )  # fmt: skip
    return Section(
        "Accuracy and consistency of decisions",
        paragraphs=(
            (
                "Accuracy is the share of decisions that the true score deserves; consistency the "
                "share that a second sitting would repeat. For these candidates both are found by "
                "Rudner's method: around each ability the estimator varies as the information "
                f"there lets it. {percent(rates.too_high)} of the levels are too high and "
                f"{percent(rates.too_low)} too low."
            ),
        ),
        tables=(
            Table(
                ("Cut", "Accuracy", "Simulated", "Consistency", "Simulated", "Within one CSEM"),
                rows,
                (1, 2, 3, 4, 5),
                "Decisions; “simulated” by the exam version's own simulation",
            ),
        ),
    )


def _groups(facts: Facts) -> Section:
    tables = [
        Table(
            (by.capitalize(), "Sittings", "Mean", "SD", "Passed", "95 % interval"),
            list(_group_rows(found, by)),
            (1, 2, 3, 4),
            f"By {by}",
        )
        for by, found in facts.groups.items()
        if len(found) > 1
    ]
    said = (
        "Groups of fewer than ten sittings are not shown, nor what would give them away. A "
        "difference between groups is no finding of unfairness: they may differ in preparation. "
        "What is known of the fairness of single items stands in the chapter on items."
    )
    alone = "All sittings of the period are of one language, country and centre."
    return Section("Groups", paragraphs=(said if tables else alone,), tables=tables)


def _group_rows(found: Sequence[Group], by: str) -> Iterator[list[str]]:
    names, kept = words.group_names(found, by), withheld(found)
    for one in found:
        if one.name in kept:
            yield [names[one.name], SMALL if one.is_small else "withheld", "", "", "", ""]
            continue
        mean, sd = number(one.scores.mean, 1), number(one.scores.sd, 1)
        yield [names[one.name], str(one.n), mean, sd, _share(one.passed), _interval(one.passed)]


def _time(facts: Facts) -> Section:
    found = facts.times
    reasons = [
        [stopped(reason).capitalize(), str(n), percent(n / found.n)] for reason, n in found.reasons
    ]
    minutes = shown.histogram(found.minutes, "Minutes of working time")
    reading, lengths = words.of_times(found), words.of_lengths(found)
    return Section(
        "Time and length",
        facts=(
            ("Mean working time", duration(found.mean_seconds)),
            ("Ended near their limit", _share(found.near)),
            ("Out of time", _share(found.out_of_time)),
            ("Scored questions", lengths),
        ),
        pictures=(picture(minutes, f"Working time. {reading}", reading),),
        tables=(Table(("Why sittings ended", "Sittings", "Share"), reasons, (1, 2), "Ends"),),
    )


def _items(facts: Facts) -> Section:
    use = facts.use
    paragraphs = [words.of_exposure(use)] if use.in_use and use.sittings else []
    paragraphs += [_alarm_words(facts, "dif"), _alarm_words(facts, "drift")]
    tables = [
        Table(("Item", "Found", "What to do"),
              [[one.item, one.found, one.advice] for one in alarms.alarms],
              (), "Flags of differential functioning" if kind == "dif" else "Flags of drift")
        for kind, alarms in facts.alarms.items()
        if alarms.alarms
    ]  # fmt: skip
    if use.study:
        tables.append(_misfits(facts))
    supply = words.of_supply(use) if use.supply else ""
    return Section(
        "Items and bank",
        paragraphs=paragraphs,
        facts=(
            ("Items in use", str(len(use.in_use))),
            ("Given to no sitting", str(use.never)),
            ("Given too often", str(use.above)),
            ("Held now, of these known outside", f"{use.held}, {use.compromised}"),
        ),
        pictures=(
            (picture(shown.supply(facts.frame, use), f"Information. {supply}", supply),)
            if use.supply
            else ()
        ),
        tables=tables,
    )


def _alarm_words(facts: Facts, kind: str) -> str:
    names = {"dif": "differential item functioning", "drift": "drift of parameters"}
    found = facts.alarms[kind]
    if found.study is None:
        return f"No study of {names[kind]} is recorded."
    n = len(found.alarms)
    return f"The newest study of {names[kind]} looked at {found.items} items and made {n} flags."


def _misfits(facts: Facts) -> Table:
    """The ten items whose answers lie furthest from their curve."""
    known = [one for one in facts.use.items if one.statistics.get("rmsd") is not None]
    worst = sorted(known, key=lambda one: -one.statistics["rmsd"])[:10]
    rows = [
        [one.code, str(one.statistics["n"]), number(one.statistics["mean"], 2),
         signed(one.statistics["difference"]), number(one.statistics["rmsd"], 2)]
        for one in worst
    ]  # fmt: skip
    heads = ("Item", "Answers", "Share of points", "Less expected", "RMSD")
    return Table(heads, rows, (1, 2, 3, 4), "The ten items furthest from their curves")
