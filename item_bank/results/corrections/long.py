"""Corrections as long work: dry runs, applying, and sums without compromised items."""

from __future__ import annotations

from engine.errors import AnswerIsNo, InputError
from item_bank.exams.actors import Actor, command_line
from item_bank.exams.errors import NotAllowed
from item_bank.results.corrections.applying import apply
from item_bank.results.corrections.compromised import compute
from item_bank.results.corrections.dry_run import dry_run
from item_bank.results.corrections.signing import APPLY
from item_bank.results.corrections.terms import PSYCHOMETRICIAN
from item_bank.store.database import Database
from item_bank.store.long_work import LongJob, Progress, ask_for

__all__ = ["APPLY", "COMPROMISED", "DRY_RUN", "run_apply", "run_compromised", "run_dry"]

DRY_RUN, COMPROMISED = "correction_dry_run", "compromised_items"


def ask_dry_run(db: Database, actor: Actor, number: int) -> str:
    """Ask for a dry run and return the job's id."""
    title = f"Correction {number}: dry run"
    return ask_for(db, actor, DRY_RUN, title, {"correction": number})


def ask_apply(db: Database, actor: Actor, number: int) -> str:
    """Ask for applying to go on and return the job's id."""
    title = f"Correction {number}: amend the results"
    return ask_for(db, actor, APPLY, title, {"correction": number})


def ask_compromised(db: Database, actor: Actor, bank: str) -> str:
    """Ask for the scores without compromised items and return the job's id."""
    title = f"Scores without the compromised items of {bank}"
    return ask_for(db, actor, COMPROMISED, title, {"bank": bank})


def run_dry(db: Database, job: LongJob, progress: Progress) -> None:
    """Do a dry run."""
    try:
        dry_run(db, _actor(job), job.payload["correction"], progress)
    except NotAllowed as reason:
        raise AnswerIsNo(str(reason)) from None


def run_apply(db: Database, job: LongJob, progress: Progress) -> None:
    """Apply a correction in force; nothing is left to do where it is applied already."""
    try:
        apply(db, command_line(str(job.organisation_id)), job.payload["correction"], progress)
    except NotAllowed as reason:
        raise AnswerIsNo(str(reason)) from None


def run_compromised(db: Database, job: LongJob, progress: Progress) -> None:
    """Compute what sittings come to without compromised items, and keep it as a study."""
    bank = job.payload["bank"]
    if not isinstance(bank, str):
        raise InputError("the code of a bank", repr(bank))
    compute(db, _actor(job), bank, progress)


def _actor(job: LongJob) -> Actor:
    """Return who asked; what may be asked was checked then."""
    return Actor(job.made_for, str(job.organisation_id), PSYCHOMETRICIAN, "")
