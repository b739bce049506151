"""What is to be assembled, from the words of the command line and of blueprint files.

Called by the commands. Imports the engine.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from calibration.simulations.words import one_of
from engine.ability.estimates import ESTIMATORS
from engine.arrays import Bools
from engine.blueprints.blueprint import Blueprint, blueprint_from_mapping
from engine.errors import InputError
from engine.items import ItemParameters
from engine.multistage.plans import PanelPlan, Stage
from engine.rules.classification import ClassificationRules
from engine.rules.designs import ExamDesign

STAGE = "LENGTH=THETA,... with / between several thetas of one module, such as 10=-1,0,1"
TARGET = "MODULE=INFORMATION such as 2-3=6.5, with / between several points"


def read_blueprint(path: Path) -> Blueprint:
    """Read a TOML file with the table ``[blueprint]`` of an exam file.

    Raises
    ------
    InputError
        Naming the file, and the key where one is at fault.
    """
    try:
        tables = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError("a readable file", error.strerror, file=path) from error
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x}"
        raise InputError("text in UTF-8", found, file=path) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError("a TOML file", str(error), file=path) from None
    others = sorted(set(tables) - {"blueprint"})
    if others or "blueprint" not in tables:
        found = f"[{others[0]}]" if others else "none"
        raise InputError("the table [blueprint] alone", found, file=path, column="blueprint")
    try:
        return blueprint_from_mapping(tables["blueprint"])
    except InputError as error:
        raise InputError(error.expected, error.found, file=path, column=error.column) from None


def without(blueprint: Blueprint, items: ItemParameters, left_out: Bools) -> Blueprint:
    """Exclude items that are only tried out."""
    names = [items.item[row] for row in np.flatnonzero(left_out)]
    return replace(blueprint, excluded=tuple(dict.fromkeys([*blueprint.excluded, *names])))


def read_thetas(text: str, option: str) -> tuple[float, ...]:
    """Read thetas or other numbers between commas."""
    return _numbers(text, ",", option, "numbers such as -1,0,1")


def read_stages(texts: Sequence[str], routes: str, width: float) -> PanelPlan:
    """Read the stages of panels, one text each; a module of one theta gets two more beside it.

    Parameters
    ----------
    width
        How far beside it; 0 for none.

    Raises
    ------
    InputError
        Naming the option and the form, or what is wrong with the stages.
    """
    if not texts:
        raise InputError(f"a stage for each --stage: {STAGE}", "none", column="--stage")
    if not 0.0 <= width <= 5.0:
        raise InputError("a distance from 0 to 5", f"{width:g}", column="--width")
    stages = tuple(_stage(text, width) for text in texts)
    try:
        return PanelPlan(stages, routes)
    except InputError as error:
        column = "--routes" if error.column == "routes" else "--stage"
        found = f"{error.found} ({error.column})" if error.column != "routes" else error.found
        raise InputError(error.expected, found, column=column) from None


def read_targets(texts: Sequence[str], plan: PanelPlan) -> dict[int, tuple[float, ...]]:
    """Read information targets by place of the module in ``plan.modules``."""
    names = {module.name: place for place, module in enumerate(plan.modules)}
    found: dict[int, tuple[float, ...]] = {}
    for text in texts:
        name, _, values = text.partition("=")
        if name.strip() not in names:
            expected = f"{TARGET}; modules are {', '.join(names)}"
            raise InputError(expected, repr(text), column="--target")
        place = names[name.strip()]
        numbers = _numbers(values, "/", "--target", TARGET)
        n = len(plan.modules[place].points)
        if len(numbers) != n or min(numbers) <= 0 or place in found:
            expected = f"information above 0 at {n} points of module {name.strip()}, once"
            raise InputError(expected, repr(text), column="--target")
        found[place] = numbers
    return found


def estimators(interim: str, final: str | None, cuts: Sequence[float]) -> ExamDesign:
    """Rules of an exam that says how theta is estimated, and nothing else."""
    one_of("--estimate", interim, ESTIMATORS)
    with named_by({"classification.cuts": "--cut"}):
        return ExamDesign(
            interim=interim,
            final=one_of("--final", final or interim, ESTIMATORS),
            classification=ClassificationRules(cuts=tuple(sorted(cuts))),
        )


@contextmanager
def named_by(options: Mapping[str, str]) -> Iterator[None]:
    """Let the engine's errors name the option at fault."""
    try:
        yield
    except InputError as error:
        if error.file is not None:
            raise
        column = options.get(error.column or "", error.column)
        raise InputError(error.expected, error.found, column=column) from error


def _stage(text: str, width: float) -> Stage:
    match = re.fullmatch(r"\s*([0-9]{1,4})\s*=(.+)", text)
    if match is None:
        raise InputError(STAGE, repr(text), column="--stage")
    modules = [_numbers(one, "/", "--stage", STAGE) for one in match[2].split(",")]
    if width:
        modules = [(of[0] - width, of[0], of[0] + width) if len(of) == 1 else of for of in modules]
    return Stage(int(match[1]), tuple(modules))


def _numbers(text: str, between: str, option: str, form: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(between))
    except ValueError:
        raise InputError(form, repr(text), column=option) from None
    if not all(np.isfinite(found)):
        raise InputError(form, repr(text), column=option)
    return found
