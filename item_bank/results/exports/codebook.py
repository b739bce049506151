"""What the files of a research export hold: variables with their meaning, and the README. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from item_bank.results.exports.tables import NUMBER, TEXT, WHOLE, YES_NO, Column

_COARSE = "other: fewer than k people; suppressed: the combination is rare; empty: unknown"
SITTINGS = (
    Column("sitting", TEXT, "The sitting, an id made for this export alone"),
    Column(
        "person", TEXT, "The person, an id made for this export alone; the same in all sittings"
    ),
    Column("attempt", WHOLE, "The person's attempt at this exam", "1, 2, 3 (3: third or later)"),
    Column("release", WHOLE, "Release of the bank, which joins the sitting to its items"),
    Column("country", TEXT, "Country of the person", _COARSE),
    Column("centre", TEXT, "Where it was sat", _COARSE),
    Column("language", TEXT, "Language in which the sitting began", _COARSE),
    Column(
        "month", TEXT, "Month in which it ended", "YYYY-MM; suppressed: the combination is rare"
    ),
    Column("simulated", YES_NO, "Whether a simulation answered, and no person", "true, false"),
    Column("n_items", WHOLE, "Questions that counted"),
    Column("minutes", NUMBER, "Working time to a tenth of a minute, pauses and outages left out"),
    Column("stop_reason", TEXT, "Why the sitting ended"),
    Column("theta", NUMBER, "The final estimate of ability, on the logistic metric (D = 1)"),
    Column("theta_se", NUMBER, "Its standard error"),
    Column("score", NUMBER, "The reported score; empty where the exam's rules give none"),
    Column("score_se", NUMBER, "Its standard error, in score points"),
    Column("level", TEXT, "Code of the level"),
    Column("passed", YES_NO, "Whether the level passes", "true, false"),
)
RESPONSES = (
    Column("person", TEXT, "As in the table of sittings"),
    Column("item", TEXT, "As in the table of items"),
    Column("score", WHOLE, "What the response was worth when it was given, from 0"),
    Column("sitting", TEXT, "As in the table of sittings"),
    Column("position", WHOLE, "Place of the item in the sitting, from 1"),
    Column("seconds", NUMBER, "From question to answer, to a tenth; pauses and outages left out"),
    Column("begun_after", NUMBER, "Whole seconds from the sitting's start to the question"),
    Column("status", TEXT, "Whether the item counted", "operational, pretest"),
)
ITEMS = (
    Column("item", TEXT, "The item: a number made for this export, or the bank's code"),
    Column("release", WHOLE, "Release of the bank"),
    Column("language", TEXT, "Language of the wording"),
    Column("status", TEXT, "Whether the item counted", "operational, pretest"),
    Column("content_area", TEXT, "Content area; empty where the bank has none"),
    Column("model", TEXT, "Response model", "rasch, 1pl, 2pl, 3pl, 4pl, grm, pcm, gpcm, nrm"),
)
PARAMETERS = (
    *(Column(n, NUMBER, f"Parameter {n}; empty where the model has none") for n in "abcd"),
    *(
        Column(name, TEXT, f"{name.capitalize()} with ; between; empty where the model has none")
        for name in ("thresholds", "slopes", "intercepts")
    ),
)
_KINDS = {TEXT: "text", WHOLE: "whole number", NUMBER: "number", YES_NO: "true or false"}
CODEBOOK = ("file", "variable", "type", "meaning", "values", "missing")
_MISSING = "empty (CSV), null (Parquet)"


def codebook_rows(tables: Mapping[str, Sequence[Column]]) -> list[tuple[str, ...]]:
    """Return a line for each variable of each table."""
    return [
        (table, one.name, _KINDS[one.kind], one.meaning, one.values, _MISSING)
        for table, columns in tables.items()
        for one in columns
    ]


def codebook_text(tables: Mapping[str, Sequence[Column]]) -> str:
    """Return the codebook in Markdown."""
    lines = ["# Codebook", "", f"Missing values: {_MISSING}.", ""]
    for table, columns in tables.items():
        lines += [f"## {table}", "", "| Variable | Type | Meaning | Values |", "|---|---|---|---|"]
        lines += [
            f"| `{one.name}` | {_KINDS[one.kind]} | {one.meaning} | {one.values} |"
            for one in columns
        ]
        lines.append("")
    return "\n".join(lines)


def readme(about: Mapping[str, Any]) -> str:
    """Return the README: what this is, how it was de-identified, what is left out."""
    return _README.format(**about)


_README = """# Research data of the exam "{exam}"

{sittings} sittings of {people} people, {responses} scored responses. Made by {software}, from
release {releases} of the bank "{bank}".

Licence: {licence}

Basis on which the data are shared: {basis}

## Files

| File | What is in it |
|---|---|
| `responses.parquet`, `responses.csv` | each scored response; `tarozu calibrate` reads it |
| `sittings.parquet`, `sittings.csv` | each sitting |
| `items.parquet`, `items.csv` | each item by release and language{parameters}; no text, no key |
| `codebook.md`, `codebook.csv` | every variable: type, meaning, values |

An adaptive test chose who met which item: missing responses are missing by design, and depend on
the responses before.

## How it was de-identified

- Persons and sittings have ids made for this file alone, by a keyed hash whose key was thrown away.
  Nobody can compute them again, and two exports cannot be joined by them. Lines are in the order of
  these ids.
- Of dates only the month is left; times are seconds from the start of a sitting.
- There is no name, number, free text, answer text, device, address or accommodation.
- Countries, centres and languages with fewer than {k} people are "other": {merged}.
- Combinations of country, centre, language and month with fewer than {k} people lose the centre,
  then the country, the language and the month. Suppressed, in sittings: {suppressed}.
  Every combination that is left is shared by at least {smallest} people.
- Sittings that are left out: {left_out}.

What is left can still tell a person to somebody who knows that person's exact score, or the seconds
of single answers. Share it on terms that forbid to try.
"""
