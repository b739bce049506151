"""The bank against the exam: a section of the report, and what ``summary.json`` says of it.

Called by the report and the outputs of a simulation. Imports the engine and the report page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from calibration.report_page import facts, figure, folded, paragraph, table
from engine.arrays import Bools, Floats
from engine.items import ItemParameters
from engine.simulation.bank_diagnostics import (
    BankDiagnosis,
    Supply,
    diagnose,
    lowest_ceiling,
    side_by_side,
)
from engine.simulation.bank_words import little_used, what_is_missing
from engine.simulation.run import Simulated

if TYPE_CHECKING:
    from calibration.simulations.runs import Run

SHOWN = 20
WHOLE_BANK = "whole bank"


def diagnosed(
    simulated: Simulated, *, pretest: Bools, se_target: float | None = None
) -> BankDiagnosis:
    """Hold the bank of a simulation against its exam, at the mean length that was found."""
    return diagnose(
        simulated.items,
        simulated.design,
        pretest=pretest,
        mean_length=_mean_length(simulated),
        se_target=se_target,
    )


def diagnosed_by_language(
    simulated: Simulated,
    banks: Mapping[str, ItemParameters],
    *,
    pretest: Bools,
    se_target: float | None = None,
) -> dict[str, BankDiagnosis]:
    """Hold the bank as it stands in each language against the exam; none for one language."""
    if len(banks) < 2:
        return {}
    return side_by_side(
        banks,
        simulated.design,
        pretest=[name for name, out in zip(simulated.items.item, pretest, strict=True) if out],
        mean_length=_mean_length(simulated),
        se_target=se_target,
    )


def _mean_length(simulated: Simulated) -> float:
    counted = (simulated.rows >= 0) & ~simulated.tried_out
    return float(counted.sum(axis=1).mean())


def bank_data(run: Run, exposure: Floats) -> dict[str, Any]:
    """``bank`` in ``summary.json``; what is not known or infinite is null."""
    found, simulated = run.bank, run.simulated
    unused = little_used(simulated.items, exposure, run.pretest)
    return {
        "test_length": found.length,
        "se_target": found.se_target,
        "cuts": list(found.cuts),
        "max_exposure_target": lowest_ceiling(simulated.design),
        "information": _supply(found.supply) | {"best_se": _best_se(found.supply)},
        "information_by_area": {area: _supply(of) for area, of in found.areas.items()},
        "information_by_language": {
            language: _supply(of.supply) for language, of in run.languages.items()
        },
        "sizes": [
            asdict(size) | {"area": size.area or None, "missing": size.missing}
            for size in found.sizes
        ],
        "missing": [*what_is_missing(found, simulated.design), *_missing_elsewhere(run)],
        "never_used": list(unused.never),
        "rarely_used": list(unused.rarely),
    }


def _missing_elsewhere(run: Run) -> list[str]:
    """What the bank lacks in one language and not in the language of the simulation."""
    design = run.simulated.design
    known = set(what_is_missing(run.bank, design))
    return [
        f"Language {language}: {text}"
        for language, found in run.languages.items()
        for text in what_is_missing(found, design)
        if text not in known
    ]


def _supply(found: Supply) -> dict[str, Any]:
    return {
        "theta": found.theta.tolist(),
        "bank": found.bank.tolist(),
        "best": found.best.tolist(),
        "needed": found.needed,
    }


def _best_se(found: Supply) -> list[float | None]:
    return [se if np.isfinite(se) else None for se in found.best_se.tolist()]


def bank_section(run: Run, data: Mapping[str, Any]) -> str:
    """The section "The bank": what is missing, the picture, and the tables behind it."""
    found = run.bank
    texts = data["missing"]
    said = "".join(paragraph(text, attention=True) for text in texts)
    return (
        _facts(data)
        + (said or paragraph(_nothing_missing(data)))
        + _picture(found)
        + _sizes(data)
        + folded("Information by content area", _areas(found)) * bool(found.areas)
        + _languages(run)
        + folded("Information along theta", _along(found.supply))
        + _unused(data)
    )


def _nothing_missing(data: Mapping[str, Any]) -> str:
    aims = []
    if data["information"]["needed"] is not None:
        aims.append("the information that the exam asks for can be reached everywhere along theta")
    if data["max_exposure_target"] is not None:
        aims.append("the bank has the items that the limit on exposure asks for at least")
    if aims:
        text = ", and ".join(aims)
        return f"{text[0].upper()}{text[1:]}."
    return (
        "The exam names neither a standard error to reach nor a limit on exposure, so nothing is "
        "held against the bank; --target-se names one."
    )


def _facts(data: Mapping[str, Any]) -> str:
    size, needed = data["sizes"][0], data["information"]["needed"]
    pairs = [
        ("Items that count", f"{size['n_items']:,}"),
        ("Longest test", str(data["test_length"])),
    ]
    if data["se_target"] is not None:
        pairs.append(("Standard error to reach", f"{data['se_target']:g}"))
    if needed is not None:
        pairs.append(("Information needed", f"{needed:.1f}"))
    if data["max_exposure_target"] is not None:
        pairs.append(("Limit on exposure", f"{100 * data['max_exposure_target']:g} %"))
        pairs.append(("Items that this needs", f"{size['needed']:,}"))
    return facts(pairs)


def _picture(found: BankDiagnosis) -> str:
    from calibration.simulations.pictures import lines_along_theta  # noqa: PLC0415 - altair is slow

    supply = found.supply
    lines: dict[str, Sequence[float | None]] = {f"best {found.length} items": supply.best.tolist()}
    if supply.needed is not None:
        lines["needed"] = [supply.needed] * len(supply.theta)
    chart = lines_along_theta(
        supply.theta.tolist(), lines, "information", cuts=found.cuts, title="theta", points=False
    )
    reading = (
        f"The information of the {found.length} items that are best at each theta: no adaptive "
        "test of this length can have more"
    )
    end = "." if supply.needed is None else ", so below the line needed the target is out of reach."
    return figure(chart, reading + end)


def _sizes(data: Mapping[str, Any]) -> str:
    if data["max_exposure_target"] is None:
        return ""
    rows = [
        (
            size["area"] or WHOLE_BANK,
            size["n_items"],
            size["given"],
            size["needed"],
            size["missing"],
        )
        for size in data["sizes"]
    ]
    titles = ("content area", "items", "in a test", "needed at least", "missing")
    return table(titles, rows, caption="Items that the limit on exposure asks for")


def _places(found: BankDiagnosis) -> list[int]:
    """The cuts, or whole thetas where there are none."""
    wanted = found.cuts or tuple(float(theta) for theta in range(-3, 4))
    theta = found.supply.theta
    return [int(np.argmin(np.abs(theta - point))) for point in wanted]


def _areas(found: BankDiagnosis) -> str:
    places = _places(found)
    titles = [f"theta {found.supply.theta[at]:.2f}".replace("-", "\u2212") for at in places]
    rows = [
        (area, *(float(of.best[at]) for at in places), of.needed)
        for area, of in {WHOLE_BANK: found.supply, **found.areas}.items()
    ]
    return table(
        ("content area", *titles, "needed"), rows, caption="Best items of its share of a test"
    )


def _languages(run: Run) -> str:
    """The best test at a few thetas in each language, or that they have all the same items."""
    if not run.languages:
        return ""
    places = _places(run.bank)
    titles = [f"theta {run.bank.supply.theta[at]:.2f}".replace("-", "\u2212") for at in places]
    rows = [
        (language, of.sizes[0].n_items, *(float(of.supply.best[at]) for at in places))
        for language, of in run.languages.items()
    ]
    first, *others = (of.supply.bank for of in run.languages.values())
    same = all(np.array_equal(first, other) for other in others)
    said = "The parameters are the same in every language." * same
    caption = f"Information of the best {run.bank.length} items in each language"
    return paragraph(said) * same + table(("language", "items", *titles), rows, caption=caption)


def _along(supply: Supply) -> str:
    rows = list(
        zip(
            supply.theta.tolist(),
            supply.bank.tolist(),
            supply.best.tolist(),
            _best_se(supply),
            [supply.needed] * len(supply.theta),
            ["short" if short else "" for short in supply.short.tolist()],
            strict=True,
        )
    )
    titles = ("theta", "whole bank", "best test", "its standard error", "needed", "")
    return table(titles, rows)


def _unused(data: Mapping[str, Any]) -> str:
    kinds = (
        ("never_used", "never given"),
        ("rarely_used", "given to fewer than 1 % of the examinees"),
    )
    return "".join(
        folded(f"{len(data[key]):,} items {words}", paragraph(_listed(data[key])))
        for key, words in kinds
        if data[key]
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    text = ", ".join(names[:SHOWN])
    return f"{text}, and {more:,} more (summary.json has them all)." if more > 0 else f"{text}."
