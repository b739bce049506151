"""Bank files in JSON: whole items with text, key and parameters.

``bank_from_folder(folder: Path) -> BankSource`` reads ``bank.json`` and ``items/*.json`` of a
folder such as ``item_bank/demo``; ``read_json(path: Path) -> BankSource`` reads one file of the
format "tarozu-bank"; ``bank_document`` is what an export writes. Every problem is named with its
line; nothing is read in part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from engine.errors import InputError
from item_bank.items.bank_files import BankSource, ItemSource, Problems, StimulusSource, one_for_all
from item_bank.items.content import (
    LANGUAGE,
    PARAMETERS_ONLY,
    content_flaws,
    is_plain,
    stored_key,
    stored_variant,
    written_key,
    written_variant,
)
from item_bank.items.formats.documents import Document, noting
from item_bank.items.formats.media_files import FOLDER as MEDIA_FOLDER
from item_bank.items.formats.media_files import Shelf, beside, media_shown
from item_bank.items.formats.stimuli import check_stimuli, stimuli_of
from item_bank.items.formats.values import (
    NUMBERS,
    SCALARS,
    STEPS,
    TEXTS,
    Note,
    check_about,
    check_area,
    check_code,
    check_status,
    checked_parameters,
    decoded,
    is_number,
    read_text,
)
from item_bank.items.formats.zip_file import read_zip
from item_bank.items.plans import EVERY_LANGUAGE, Parameters
from item_bank.items.scoring import misfit

FORMAT, VERSION = "tarozu-bank", 1
ABOUT = (*TEXTS, "enemies", "stimulus", *NUMBERS, "labels")
_ITEM_KEYS = {
    *("code", "type", "content_area", "status", "parameters", "key", "variants"),
    *ABOUT,
}
_BANK_KEYS = {"code", "name", "content_areas", "parameters_note", "languages", "review"}
_REVIEWS = ("none", "required")


# --- reading -----------------------------------------------------------------------------------


def read_json(path: Path | str) -> BankSource:
    """Read a bank file of the format "tarozu-bank", with the folder ``media`` beside it.

    Raises
    ------
    InputError
        A `BankFileError` with every problem.
    """
    return _read(read_document(path), beside(Path(path).parent / MEDIA_FOLDER))


def read_bank_zip(path: Path | str) -> BankSource:
    """Read an archive with ``bank.json`` and ``media/NAME``; `InputError` as `read_json`."""
    content, shelf = read_zip(Path(path))
    return _read(_parsed(path, decoded(content, path)), shelf)


def _read(document: Document, shelf: Shelf) -> BankSource:
    path = document.path
    problems = Problems(path)
    head = document.value if isinstance(document.value, Mapping) else {}
    if head.get("format") != FORMAT or head.get("version") != VERSION:
        found = f"{head.get('format')!r} version {head.get('version')!r}"
        raise InputError(f'"format": "{FORMAT}", "version": {VERSION}', found, file=path)
    _only(head, {"format", "version", "bank", "stimuli", "items"}, problems, None, "")
    about = _bank(head.get("bank", {}), problems, "bank.")
    stimuli = stimuli_of(head, document, problems)
    items = tuple(_items(head.get("items"), document, problems, area=None))
    _areas_known(items, about, problems, document)
    check_stimuli(items, stimuli, head, document, problems)
    media = media_shown(items, stimuli, shelf, noting(document, problems))
    problems.stop()
    code, said = about.get("code"), _without_code(about)
    return BankSource(str(path), items, code, said, stimuli, media)


def bank_from_folder(folder: Path | str) -> BankSource:
    """Read a bank kept as ``bank.json`` and ``items/*.json``, one file per content area.

    Raises
    ------
    InputError
        A `BankFileError` with every problem of the first file that has any.
    """
    folder = Path(folder)
    about_file = read_document(folder / "bank.json")
    problems = Problems(about_file.path)
    about = _bank(about_file.value, problems, "")
    problems.stop()
    parts: list[BankSource] = []
    for path in sorted((folder / "items").glob("*.json")):
        parts.append(_area_file(path, about, parts, beside(folder / MEDIA_FOLDER)))
    return BankSource(
        str(folder),
        tuple(item for part in parts for item in part.items),
        about.get("code"),
        _without_code(about),
        tuple(stimulus for part in parts for stimulus in part.stimuli),
        {name: content for part in parts for name, content in part.media.items()},
    )


def read_document(path: Path | str) -> Document:
    """Parse a JSON file; NaN, infinity and keys that stand twice are refused.

    Raises
    ------
    InputError
        With line and column.
    """
    return _parsed(path, read_text(path))


def _parsed(path: Path | str, text: str) -> Document:
    try:
        value = json.loads(text, object_pairs_hook=_unique)
        endless = next(_endless(value), None)
    except json.JSONDecodeError as error:
        column = f"column {error.colno}"
        raise InputError(
            "JSON", error.msg.lower(), file=path, line=error.lineno, column=column
        ) from None
    except _Twice as error:
        raise InputError("keys that stand once", f"{error} twice", file=path) from None
    except (ValueError, RecursionError):
        raise InputError("JSON", "numbers or levels without end", file=path) from None
    document = Document(Path(path), text, value)
    if endless is not None:
        code, where, number = endless
        column = where if code is None else f"item {code}: {where}"
        line = document.line_of(code)
        raise InputError("a finite number", number, file=path, line=line, column=column)
    return document


class _Twice(Exception):  # noqa: N818 - becomes an InputError at once
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(repr(next(name for name in names if names.count(name) > 1)))
    return value


def _endless(
    value: object, where: str = "", code: str | None = None
) -> Iterator[tuple[str | None, str, float]]:
    """NaN and infinities: the code of the item that each is in, where in it, and the number."""
    if isinstance(value, float) and not isfinite(value):
        yield code, where, value
    if isinstance(value, dict) and isinstance(value.get("code"), str) and where.endswith("]"):
        code, where = value["code"], ""
    parts = value.items() if isinstance(value, dict) else ()
    for name, part in parts:
        yield from _endless(part, f"{where}.{name}" if where else name, code)
    for place, part in enumerate(value if isinstance(value, list) else ()):
        yield from _endless(part, f"{where}[{place}]", code)


def _area_file(
    path: Path, about: Mapping[str, Any], before: Sequence[BankSource], shelf: Shelf
) -> BankSource:
    document = read_document(path)
    problems = Problems(path)
    head = document.value if isinstance(document.value, Mapping) else {}
    _only(head, {"area", "stimuli", "items"}, problems, None, "")
    area = check_area(head.get("area", ""), lambda e, f, c: problems.add(e, f, None, c), "area")
    stimuli = stimuli_of(head, document, problems)
    items = tuple(_items(head.get("items"), document, problems, area=area))
    twice = {i.code for part in before for i in part.items} & {i.code for i in items}
    twice |= {s.code for part in before for s in part.stimuli} & {s.code for s in stimuli}
    for code in sorted(twice):
        problems.add("codes that occur once", repr(code), document.line_of(code), "code")
    _areas_known(items, about, problems, document)
    check_stimuli(items, stimuli, head, document, problems)
    media = media_shown(items, stimuli, shelf, noting(document, problems))
    problems.stop()
    return BankSource(str(path), items, stimuli=stimuli, media=media)


def _without_code(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name != "code"}


def _bank(value: object, problems: Problems, prefix: str) -> dict[str, Any]:
    def note(expected: str, found: object, column: str) -> None:
        problems.add(expected, found, None, column)

    if not isinstance(value, Mapping):
        note("an object", repr(value), prefix.rstrip(".") or "bank")
        return {}
    bank = dict(value.get("bank", value)) if not prefix else dict(value)
    _only(bank, _BANK_KEYS, problems, None, prefix)
    if "code" in bank:
        check_code(bank["code"], note, f"{prefix}code")
    for name in ("name", "parameters_note"):
        _check_texts(bank.get(name, {}), note, prefix + name)
    areas = bank.get("content_areas", {})
    for area, names in areas.items() if isinstance(areas, Mapping) else ():
        check_area(area, note, f"{prefix}content_areas")
        _check_texts(names, note, f"{prefix}content_areas.{area}")
    if not isinstance(areas, Mapping):
        note("an object of content areas with names by language", repr(areas), "content_areas")
    _check_demands(bank, note, prefix)
    return bank


def _check_demands(bank: Mapping[str, Any], note: Note, prefix: str) -> None:
    """Languages that every item must have, and whether reviews are demanded."""
    languages = bank.get("languages", ["en"])
    good = isinstance(languages, list) and all(
        isinstance(one, str) and LANGUAGE.fullmatch(one) for one in languages
    )
    if not good or not languages or len(set(languages)) < len(languages):
        note("a list of languages such as en or zh-Hans", repr(languages), f"{prefix}languages")
    if bank.get("review", "none") not in _REVIEWS:
        note(f"one of {', '.join(_REVIEWS)}", repr(bank["review"]), f"{prefix}review")


def _check_texts(value: object, note: Note, column: str) -> None:
    """Names by language."""
    good = isinstance(value, Mapping) and all(
        LANGUAGE.fullmatch(language)
        and isinstance(words, str)
        and words.strip()
        and is_plain(words)
        for language, words in value.items()
    )
    if not good:
        note("texts by language", repr(value)[:60], column)


def _areas_known(
    items: Sequence[ItemSource], about: Mapping[str, Any], problems: Problems, document: Document
) -> None:
    known = about.get("content_areas")
    for item in items if known and isinstance(known, Mapping) else ():
        if item.content_area and known and item.content_area not in known:
            line = document.line_of(item.code)
            expected = f"one of the bank's content areas: {', '.join(known)}"
            problems.add(expected, repr(item.content_area), line, "content_area")


def _items(
    values: object, document: Document, problems: Problems, area: str | None
) -> Iterator[ItemSource]:
    if not isinstance(values, list) or not values:
        problems.add("a list of items", "none" if not values else repr(values)[:40], None, "items")
        return
    seen: set[str] = set()
    for index, value in enumerate(values):
        item = _item(value, f"items[{index}]", document, problems, area)
        if item is not None and item.code in seen:
            found = f"{item.code!r} twice"
            problems.add("codes that occur once", found, document.line_of(item.code), "code")
        if item is not None:
            seen.add(item.code)
            yield item


def _item(
    value: object, where: str, document: Document, problems: Problems, area: str | None
) -> ItemSource | None:
    if not isinstance(value, Mapping):
        problems.add("an item as an object", repr(value)[:40], None, where)
        return None
    code = value.get("code")
    line = document.line_of(code)

    def note(expected: str, found: object, column: str) -> None:
        named = f"item {code}: {column}" if isinstance(code, str) else f"{where}.{column}"
        problems.add(expected, found, line, named)

    before = len(problems.found)
    for name in sorted(set(value) - _ITEM_KEYS):
        note(f"only the keys {', '.join(sorted(_ITEM_KEYS))}", repr(name), name)
    check_code(code, note, "code")
    given_area = value.get("content_area", area)
    checked_area = None if given_area is None else check_area(given_area, note, "content_area")
    status = check_status(value.get("status"), note, "status")
    about = check_about({name: value[name] for name in ABOUT if name in value}, note)
    parameters = _parameters(value, note)
    has_text = "variants" in value or "key" in value
    variants = value.get("variants", {})
    if has_text:
        _check_content(value, parameters, note)
    if len(problems.found) > before:
        return None
    kind = value["type"] if has_text else PARAMETERS_ONLY
    return ItemSource(
        code=str(code),
        type=kind,
        content_area=checked_area,
        key=stored_key(kind, value["key"], variants) if has_text else {},
        about=about,
        variants={language: stored_variant(kind, v) for language, v in variants.items()},
        parameters=parameters,
        status=status,
    )


def _check_content(
    value: Mapping[str, Any], parameters: Mapping[str, Parameters], note: Note
) -> None:
    variants = value.get("variants")
    if not isinstance(variants, Mapping):
        note("an object of texts by language", repr(variants)[:40], "variants")
        return
    flaws = list(content_flaws(value.get("type"), value.get("key"), variants))
    for flaw in flaws:
        note(flaw.expected, flaw.found, flaw.path)
    if flaws:
        return
    for given in parameters.values():
        wanted = misfit(str(value.get("type")), value["key"], given.model, given.values)
        if wanted:
            note(wanted, given.model, "parameters.model")


def _parameters(value: Mapping[str, Any], note: Note) -> dict[str, Parameters]:
    given = value.get("parameters")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        note("an object with model, a, b, ...", repr(given)[:40], "parameters")
        return {}
    if "by_language" in given:
        return _by_language(given, note)
    one = _one_set(given, note, "parameters.")
    return one_for_all(one) if one else {}


def _by_language(given: Mapping[str, Any], note: Note) -> dict[str, Parameters]:
    sets = given["by_language"]
    good = isinstance(sets, Mapping) and all(LANGUAGE.fullmatch(name) for name in sets)
    if not good or set(given) != {"by_language"}:
        note("an object of parameters by language", repr(sets)[:40], "parameters.by_language")
        return {}
    read = {
        language: _one_set(one, note, f"parameters.by_language.{language}.")
        for language, one in sets.items()
    }
    return {language: one for language, one in read.items() if one}


def _one_set(given: object, note: Note, prefix: str) -> Parameters | None:
    if not isinstance(given, Mapping):
        note("an object with model, a, b, ...", repr(given)[:40], prefix.rstrip("."))
        return None
    known = {"model", "se", *STEPS, *SCALARS}
    for name in sorted(set(given) - known):
        note(f"only {', '.join(sorted(known))}", repr(name), f"{prefix}{name}")
    values = _numbers(given, note, prefix)
    se = given.get("se", {})
    if not isinstance(se, Mapping):
        note("an object of standard errors", repr(se)[:40], f"{prefix}se")
        se = {}
    errors = _numbers(se, note, f"{prefix}se.")
    return checked_parameters(given.get("model"), values, errors, note, prefix)


def _numbers(given: Mapping[str, Any], note: Note, prefix: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in SCALARS:
        if name in given and is_number(given[name]):
            values[name] = float(given[name])
        elif name in given:
            note("a number", repr(given[name]), f"{prefix}{name}")
    for name in STEPS:
        steps = given.get(name)
        if isinstance(steps, list) and steps and all(is_number(step) for step in steps):
            values[name] = [float(step) for step in steps]
        elif steps is not None:
            note("a list of numbers", repr(steps)[:40], f"{prefix}{name}")
    return values


def _only(
    value: Mapping[str, Any], known: set[str], problems: Problems, line: int | None, prefix: str
) -> None:
    for name in sorted(set(value) - known):
        problems.add(f"only {', '.join(sorted(known))}", repr(name), line, f"{prefix}{name}")


# --- writing -----------------------------------------------------------------------------------


def bank_document(source: BankSource) -> dict[str, Any]:
    """Turn a bank into the JSON value that `read_json` reads back as the same bank."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "bank": {"code": source.code, **source.about},
        **(
            {"stimuli": [_written_stimulus(one) for one in source.stimuli]}
            if source.stimuli
            else {}
        ),
        "items": [_written(item) for item in source.items],
    }


def _written_stimulus(stimulus: StimulusSource) -> dict[str, Any]:
    variants = {language: dict(said) for language, said in stimulus.variants.items()}
    return {"code": stimulus.code, "variants": variants}


def _written(item: ItemSource) -> dict[str, Any]:
    text = item.type != PARAMETERS_ONLY
    kind, key = item.type, written_key(item.type, item.key)
    parts = {
        "code": item.code,
        "type": item.type if text else None,
        "content_area": item.content_area,
        "status": item.status,
        **item.about,
        "parameters": _written_parameters(item.parameters) or None,
        "key": key or None,
        "variants": {lang: written_variant(kind, v) for lang, v in item.variants.items()} or None,
    }
    return {name: value for name, value in parts.items() if value is not None}


def _written_parameters(sets: Mapping[str, Parameters]) -> dict[str, Any]:
    def one(p: Parameters) -> dict[str, Any]:
        return {"model": p.model, **p.values, **({"se": p.se} if p.se else {})}

    if EVERY_LANGUAGE in sets:
        return one(sets[EVERY_LANGUAGE])
    return {"by_language": {lang: one(p) for lang, p in sets.items()}} if sets else {}
