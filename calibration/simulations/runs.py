"""A finished simulation as one value, for its files and its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.arrays import Bools
from engine.simulation.bank_diagnostics import BankDiagnosis
from engine.simulation.simulated import Simulated
from engine.simulation.summary import Summary


@dataclass(frozen=True, eq=False)
class Run:
    """A finished simulation with all that its files say.

    Parameters
    ----------
    simulated, summary
        What happened, and in numbers.
    person
        Identifiers of the examinees.
    source
        Where bank and examinees came from, and the fingerprints of the files.
    seconds
        Wall-clock time of the simulation alone.
    pretest
        Items that are tried out, shape ``(n_items,)``.
    bank
        The bank against the exam.
    languages
        The same in every language, where the bank stands in several.
    """

    simulated: Simulated
    summary: Summary
    person: Sequence[str]
    source: Mapping[str, Any]
    seconds: float
    pretest: Bools
    bank: BankDiagnosis
    languages: Mapping[str, BankDiagnosis] = field(default_factory=dict)
