"""The last chapters: decisions and appeals, incidents, versions, and what limits the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from web.cohorts.technical.design import stated_source
from web.cohorts.technical.facts import Facts
from web.cohorts.technical.parts import Section, Table
from web.formats import day, duration
from web.language import local_text

SECOND = 1_000_000
FEW_SITTINGS = 200


def closing_chapters(facts: Facts) -> Iterator[Section]:
    """Return the chapters on what happened around the results, and on what limits them."""
    yield _decisions(facts)
    yield _incidents(facts)
    yield _versions(facts)
    yield Section("Limitations", bullets=tuple(_limits(facts)))


def _decisions(facts: Facts) -> Section:
    around = facts.around
    return Section(
        "Decisions on results, corrections and appeals",
        facts=(
            ("Results by state", _counts(around.states)),
            ("Acts on results", _counts(around.decisions)),
            ("Corrections proposed", _counts(around.corrections)),
            ("Appeals", _counts(around.appeals)),
            ("Sittings that stand out", _flags(facts)),
        ),
    )


def _counts(counts: Mapping[str, int]) -> str:
    said = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in sorted(counts.items()))
    return said or "none"


def _flags(facts: Facts) -> str:
    found = facts.around.flags.items()
    parts = [f"{kind.replace('_', ' ')} {n} of {looked}" for kind, (n, looked) in found]
    return ", ".join(parts) or "not looked for"


def _incidents(facts: Facts) -> Section:
    around = facts.around
    rows = [[kind.replace("_", " "), str(n)] for kind, n in sorted(around.incidents.items())]
    outages = [
        [f"{day(one.since)} UTC", duration((one.until - one.since) / SECOND), str(one.sittings)]
        for one in around.outages
    ]
    paragraphs = (
        (
            "Every incident stands in the record of its sitting; time lost in an outage of the "
            "whole site was given back to every sitting that ran."
        ),
        *(() if rows else ("No incident is recorded in the sittings of the period.",)),
        *(() if outages else ("There was no outage.",)),
    )
    tables = []
    if rows:
        tables.append(Table(("Event", "Times"), rows, (1,), "Events of sittings"))
    if outages:
        heads = ("Began", "Lasted", "Sittings given back")
        tables.append(Table(heads, outages, (1, 2), "Outages of the site"))
    return Section("Incidents and outages", paragraphs=paragraphs, tables=tables)


def _versions(facts: Facts) -> Section:
    rows = [
        [str(one.number), f"{day(one.applied_at)} UTC", str(one.release), str(one.rules_version),
         str(one.sittings)]
        for one in facts.around.versions
    ]  # fmt: skip
    heads = ("Version", "Applied", "Release", "Rules", "Sittings")
    version = facts.frame.version
    return Section(
        "Versions",
        facts=(
            ("Software that made this report", facts.software),
            ("Exam version by which it is read", f"{version.number}, {version.content_hash[:16]}"),
        ),
        tables=(Table(heads, rows, (0, 2, 3, 4), "Versions of the exam in the period"),)
        if rows
        else (),
    )


def _limits(facts: Facts) -> Iterator[str]:
    """Say what a reader must not forget, of this report and of every such report."""
    own, found = facts.frame, facts.scores
    if own.choices.simulated and own.cohort.wanted.sittings != "real":
        yield (
            f"Of the {own.choices.total} sittings of this exam, {own.choices.simulated} are "
            "simulated: the software drew their answers."
        )
    if own.unlike:
        numbers = ", ".join(map(str, own.unlike))
        yield f"Versions {numbers} have another scale, levels or estimator than the others."
    if found.n < FEW_SITTINGS:
        yield f"{found.n} sittings are few: every figure here has a wide interval."
    note = local_text(facts.release.note)
    if note:
        yield f"Parameters: {note}"
    if facts.exactness.study is None:
        yield "The exam version has not been simulated, so there is no conditional standard error."
    for kind, name in (("dif", "differential item functioning"), ("drift", "drift")):
        if facts.alarms[kind].study is None:
            yield f"Nothing is known of {name}: no study is recorded."
    if not stated_source(facts):
        yield "The source of the cut scores is not stated."
    yield "Simulated figures hold as far as the model and the parameters do."
    yield (
        "Rates of exposure are of all sittings since the exam began on this bank, not of the "
        "period alone."
    )
    yield "Reliability is of these candidates; it is lower in a group that differs less."
