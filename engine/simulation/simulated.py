"""What happened in a simulation, and what its sittings found and brought along.

Made by `engine.simulation.run`; read by summaries, files and reports. Imports the engine's own
values.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.arrays import Bools, Floats, Ints
from engine.exposure.usage import Usage
from engine.items import ItemParameters
from engine.rules.designs import ExamDesign
from engine.rules.stopping import REASONS, StopReason


@dataclass(frozen=True, eq=False)
class Simulated:
    """What happened in a simulation, examinee by examinee.

    Parameters
    ----------
    items, design, seed
        What was simulated.
    true_theta
        Shape ``(n,)``; NaN where recorded scores were used.
    rows, scores
        Bank rows given and their scores, shape ``(n, longest)``; -1 after the last.
    theta, se
        Interim estimates after each item, same shape; NaN after the last.
    length
        Items given, shape ``(n,)``.
    stop_code
        Why each sitting ended, as a position in ``engine.rules.stopping.REASONS``, shape ``(n,)``.
    final_theta, final_se
        By the final estimator, shape ``(n,)``.
    area_missing
        Whether content balancing at some step met an area without items, shape ``(n,)``.
    tried_out
        Whether each item given was tried out and not scored, shaped as ``rows``.
    yielded
        Steps at which each of ``engine.exposure.barriers.BARRIERS`` had to yield, ``(n, 4)``.
    pretest_missing
        Places for items to try out at which none was free, shape ``(n,)``.
    usage
        Counters after the last examinee, those handed in included.
    blueprint_events
        Steps at which each of ``engine.blueprints.balance.EVENTS`` happened, ``(n, 5)``.
    """

    items: ItemParameters
    design: ExamDesign
    seed: int
    true_theta: Floats
    rows: Ints
    scores: Ints
    theta: Floats
    se: Floats
    length: Ints
    stop_code: Ints
    final_theta: Floats
    final_se: Floats
    area_missing: Bools
    tried_out: Bools
    yielded: Ints
    pretest_missing: Ints
    usage: Usage
    blueprint_events: Ints

    @property
    def n(self) -> int:
        """Number of examinees."""
        return len(self.length)

    def stop_reason(self, person: int) -> StopReason:
        """Why a sitting ended."""
        return REASONS[int(self.stop_code[person])]


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What the sittings of a simulation find and bring along; nothing by default.

    Parameters
    ----------
    usage
        Counters over earlier sittings. Examinees see those before them.
    pretest
        Items that are tried out, shape ``(n_items,)``.
    excluded
        Items of each person's earlier sittings, shape ``(n, n_items)``.
    prior_means
        Of each person, shape ``(n,)``, where the design allows them.
    first
        Place of the first examinee in the simulation of which this is a part, from 0.
    """

    usage: Usage | None = None
    pretest: Bools | None = None
    excluded: Bools | None = None
    prior_means: Floats | None = None
    first: int = 0
