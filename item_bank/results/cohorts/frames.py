"""The exam version by whose scale and levels a cohort is read. Called by pages of cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.ability.priors import Prior
from engine.results.decisions import theta_cut
from item_bank.exams.designs import LoadedExam, versions_of
from item_bank.exams.exam_files import LevelNames
from item_bank.results.cohorts.cohort import Choices, Cohort, Wanted, choices
from item_bank.results.corrections.amending import with_cuts
from item_bank.results.corrections.in_force import rules_in_force
from item_bank.results.corrections.terms import CUTS, Rule
from item_bank.store.database import Database


@dataclass(frozen=True)
class Frame:
    """What a cohort is read by.

    Parameters
    ----------
    version
        The newest version among the sittings, or the one asked for; with the cut scores in force.
    unlike
        Numbers of other versions among them that have another scale, other levels or another final
        estimator: figures over all of them compare what is not alike.
    choices
        What the exam's sittings can be narrowed by.
    """

    version: LoadedExam
    unlike: tuple[int, ...]
    choices: Choices
    cohort: Cohort

    @property
    def estimator(self) -> str:
        """The final estimator."""
        return self.version.plan.design.final

    @property
    def prior(self) -> Prior:
        """What the final estimate assumes of candidates."""
        return Prior(self.version.plan.design.prior_mean, self.version.plan.design.prior_sd)

    @property
    def levels_with_cut(self) -> tuple[LevelNames, ...]:
        """Levels that not every score reaches, from the lowest."""
        scale = self.version.plan.design.scale
        above = [level for level in self.version.plan.levels if level.minimum > scale.minimum]
        return tuple(sorted(above, key=lambda level: level.minimum))

    @property
    def cuts(self) -> tuple[float, ...]:
        """Their cuts on the theta scale."""
        scale = self.version.plan.design.scale
        return tuple(theta_cut(level.minimum, scale) for level in self.levels_with_cut)


def frame(db: Database, code: str, wanted: Wanted, *, organisation_id: str) -> Frame:
    """Return what a cohort of an exam is read by; `InputError` for an unknown exam."""
    versions = versions_of(db, code, organisation_id=organisation_id)
    newest = versions[0]
    with db.read() as session:
        found = choices(session, newest)
        rules = rules_in_force(session, organisation_id)
    versions = [_as_ruled(one, rules) for one in versions]
    used = [one for one in versions if one.number in _numbers(found, wanted)] or versions[:1]
    cohort = Cohort(organisation_id, newest.exam_id, wanted)
    return Frame(used[0], _unlike(used), found, cohort)


def _as_ruled(version: LoadedExam, rules: Sequence[Rule]) -> LoadedExam:
    """Return a version with the cut scores that the newest correction in force gave it."""
    place = version.exam_id, version.number
    own = [rule for rule in rules if rule.kind == CUTS and rule.holds_for(*place)]
    return with_cuts(version, own[-1].change["minimums"]) if own else version


def _numbers(found: Choices, wanted: Wanted) -> Sequence[int]:
    return found.versions if wanted.version is None else (wanted.version,)


def _unlike(versions: Sequence[LoadedExam]) -> tuple[int, ...]:
    reference = _measure(versions[0])
    return tuple(sorted(one.number for one in versions[1:] if _measure(one) != reference))


def _measure(exam: LoadedExam) -> tuple[object, ...]:
    """What makes scores of two versions alike: scale, levels, estimator, release's bank."""
    design = exam.plan.design
    return design.scale, design.levels, design.final, design.prior_mean, design.prior_sd
