"""The stimuli of a bank file: what several items ask about. Called by `json_file`.

A stimulus has every language that an item about it has, or a candidate would miss it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from item_bank.items.bank_files import ItemSource, Problems, StimulusSource
from item_bank.items.content import stimulus_flaws
from item_bank.items.formats.documents import Document, noting
from item_bank.items.formats.values import check_code


def stimuli_of(
    head: Mapping[str, Any], document: Document, problems: Problems
) -> tuple[StimulusSource, ...]:
    """Read what stands under the key ``stimuli``."""
    values = head.get("stimuli", [])
    if not isinstance(values, list):
        problems.add("a list of stimuli", repr(values)[:40], None, "stimuli")
        return ()
    found = [
        stimulus
        for index, value in enumerate(values)
        for stimulus in _stimulus(value, f"stimuli[{index}]", document, problems)
    ]
    codes = [stimulus.code for stimulus in found]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        problems.add("codes that occur once", f"{code!r} twice", document.line_of(code), "code")
    return tuple(found)


def _stimulus(
    value: object, where: str, document: Document, problems: Problems
) -> Iterator[StimulusSource]:
    if not isinstance(value, Mapping):
        problems.add("a stimulus as an object", repr(value)[:40], None, where)
        return
    code = value.get("code")
    line, name = document.line_of(code), f"stimulus {code}" if isinstance(code, str) else where
    before = len(problems.found)
    check_code(code, lambda e, f, c: problems.add(e, f, line, f"{name}: {c}"), "code")
    for key in sorted(set(value) - {"code", "variants"}):
        problems.add("only code and variants", repr(key), line, name)
    variants = value.get("variants")
    if not isinstance(variants, Mapping):
        problems.add("texts by language", repr(variants)[:40], line, f"{name}: variants")
        return
    for flaw in stimulus_flaws(variants):
        problems.add(flaw.expected, flaw.found, line, f"{name}: {flaw.path}")
    if len(problems.found) == before:
        said = {language: dict(variant) for language, variant in variants.items()}
        yield StimulusSource(str(code), said)


def check_stimuli(
    items: Sequence[ItemSource],
    stimuli: Sequence[StimulusSource],
    head: Mapping[str, Any],
    document: Document,
    problems: Problems,
) -> None:
    """Note items that name no stimulus of the file, or one that lacks a language of theirs.

    In a file without the key ``stimuli`` the name of one may be that of the bank's, or a label.
    """
    if "stimuli" not in head:
        return
    note = noting(document, problems)
    known = {stimulus.code: set(stimulus.variants) for stimulus in stimuli}
    for item in items:
        name = item.about.get("stimulus")
        if name is None:
            continue
        if name not in known:
            if name not in [value.get("code") for value in _objects(head["stimuli"])]:
                expected = f"one of the file's stimuli: {', '.join(known) or 'none'}"
                note(expected, repr(name), f"item {item.code}", "stimulus")
            continue
        for language in sorted(set(item.variants) - known[name]):
            expected = f"stimulus {name} in language {language}"
            note(expected, "none", f"item {item.code}", "stimulus")


def _objects(values: object) -> Iterator[Mapping[str, Any]]:
    yield from (value for value in (values if isinstance(values, list) else ())
                if isinstance(value, Mapping))  # fmt: skip
