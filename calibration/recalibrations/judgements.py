"""What a recalibration says beyond the fit: which items may count, the scale, the times.

Called by the recalibration command, which writes it to the folder and keeps it with the run and
the draft. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calibration.linking.chains import chain_link
from calibration.recalibration import Recalibration
from calibration.recalibrations.gates import NOTES, Gates, Verdict, verdicts
from calibration.recalibrations.time_parameters import (
    HEADER,
    TimeParameters,
    time_parameters,
    time_rows,
    time_summary,
    time_text,
    time_values,
)
from calibration.report_page import folded, paragraph, table

PRETEST = "pretest"
MOST_NAMED = 10


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was found beyond the fit.

    Parameters
    ----------
    verdicts
        By item that was estimated.
    link
        How the release's scale was found, with the chain since the first release; JSON-able.
    times
        Response-time parameters; None without times.
    gates
        As they were used.
    statuses
        Of the items, by name.
    """

    verdicts: Mapping[str, Verdict]
    link: Mapping[str, Any]
    times: TimeParameters | None
    gates: Gates
    statuses: Mapping[str, str]

    @property
    def figures(self) -> dict[str, Any]:
        """Figures of ``summary.json``."""
        return {
            "link": dict(self.link),
            "gates": {name: getattr(self.gates, name) for name in NOTES},
            "promoted": self._pretest(passed=True),
            "stay_pretest": {
                name: list(self.verdicts[name].reasons) for name in self._pretest(passed=False)
            },
            "response_times": time_summary(self.times),
        }

    @property
    def files(self) -> dict[str, str]:
        """Further files of the folder."""
        return {"response_times.csv": time_text(self.times)} if self.times else {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know."""
        stay, rise = (self._pretest(passed=passed) for passed in (False, True))
        texts = [
            f"{len(rise)} pretest items passed the gates and will count: {_names(rise)}."
            if rise
            else "",
            f"{len(stay)} pretest items failed a gate and stay pretest: {_names(stay)}."
            if stay
            else "",
        ]
        failed = [
            name
            for name, found in self.verdicts.items()
            if not found.passed and self.statuses[name] != PRETEST
        ]
        if failed:
            texts.append(
                f"{len(failed)} of the operational items that were estimated would fail a gate; "
                "they are in the draft all the same. See the table of gates."
            )
        return tuple(text for text in texts if text)

    @property
    def sections(self) -> list[tuple[str, str]]:
        """Sections of the report: heading and HTML."""
        parts = [("The scale", _scale_section(self.link)), ("Gates", self._gate_section())]
        if self.times is not None:
            parts.append(("Response times", _time_section(self.times)))
        return parts

    def about(self, name: str) -> dict[str, Any]:
        """What the draft keeps of an item."""
        found = self.verdicts[name]
        values: dict[str, Any] = {
            "gate": {
                "passed": found.passed,
                "reasons": list(found.reasons),
                "unchecked": list(found.unchecked),
            }
        }
        if self.times is not None:
            own = time_values(self.times, self.times.item.index(name))
            values |= {"time": own} if own else {}
        return values

    def _pretest(self, *, passed: bool) -> list[str]:
        return [
            name
            for name, found in self.verdicts.items()
            if found.passed == passed and self.statuses[name] == PRETEST
        ]

    def _gate_section(self) -> str:
        limits = [[name, _shown(getattr(self.gates, name)), text] for name, text in NOTES.items()]
        rows = [
            [
                name,
                self.statuses[name],
                "passed" if found.passed else "failed",
                "; ".join(found.reasons),
                ", ".join(found.unchecked),
            ]
            for name, found in self.verdicts.items()
        ]
        said = paragraph(
            "Pretest items that pass count from the next release on; those that fail stay pretest."
        )
        return (
            said
            + table(["gate", "limit", "meaning"], limits)
            + folded("Items", table(["item", "status", "gates", "why", "not checked"], rows))
        )


def judge(
    found: Recalibration,
    statuses: Sequence[str],
    times: Sequence[tuple[str, str, float]],
    base: tuple[int, Mapping[str, Any] | None],
    gates: Gates,
    dif: Mapping[str, str] | None = None,
) -> Judgement:
    """Judge a recalibration.

    Parameters
    ----------
    statuses
        Of the release's items.
    times
        Person, item and seconds of each answer.
    base
        Number of the release, and the chain of links behind its scale.
    gates, dif
        See ``gates.verdicts``.
    """
    dropped = found.scale.dropped if found.scale else {}
    names = found.release.item
    return Judgement(
        verdicts(found.calibration, found.plan.free, gates, dif=dif, drifted=dropped),
        link_record(found, *base),
        time_parameters(times, names),
        gates,
        dict(zip(names, statuses, strict=True)),
    )


def link_record(
    found: Recalibration, release: int, before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Say how the scale was found, as the run and its release keep it."""
    scale = found.scale
    if scale is None:
        held = len(found.release) - len(found.plan.free)
        own = {"method": "fixed", "A": 1.0, "B": 0.0, "n_anchors": held, "se": None, "dropped": {}}
        return {**own, "release": release, "chain": chain_link(before, release, None, None)}
    link, errors = scale.link, scale.errors
    return {
        "method": link.method,
        "A": link.A,
        "B": link.B,
        "n_anchors": link.n_anchors,
        "se": {"A": errors.A, "B": errors.B, "covariance": errors.covariance, "draws": errors.n},
        "dropped": dict(scale.dropped),
        "release": release,
        "chain": chain_link(before, release, link, errors),
    }


def _shown(limit: object) -> str:
    if isinstance(limit, bool):
        return "yes" if limit else "no"
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _scale_section(link: Mapping[str, Any]) -> str:
    chain = link["chain"]
    if link["method"] == "fixed":
        how = f"Held by {link['n_anchors']} fixed items: the scale is that of the release."
    else:
        how = (
            f"Found by {link['method']} through {link['n_anchors']} anchors: A {link['A']:.4f} "
            f"(SE {link['se']['A']:.4f}), B {link['B']:.4f} (SE {link['se']['B']:.4f})."
        )
    dropped = [[name, why] for name, why in link["dropped"].items()]
    listed = table(["anchor that does not link", "why"], dropped) if dropped else ""
    if not chain["n_links"]:
        none = f"No link since release {chain['base_release']}: the scale is still its own."
        return paragraph(how) + listed + paragraph(none)
    rows = [[at, error] for at, error in chain["se_at"].items()]
    since = (
        f"Links since release {chain['base_release']}: {chain['n_links']}. Their errors add up; "
        "the scale now differs from the first one by a standard error of:"
    )
    return paragraph(how) + listed + paragraph(since) + table(["theta", "SE of the scale"], rows)


def _time_section(found: TimeParameters) -> str:
    model = found.model
    said = paragraph(
        "Lognormal model: log seconds = intensity - speed + error with SD 1 / discrimination; the "
        f"speed of these persons has mean 0 and SD {model.speed_sd:.3f}."
    )
    if not model.converged:
        said += paragraph("The times have not converged.", attention=True)
    return said + folded("Items", table(HEADER, time_rows(found)))
