"""Whether an exam's languages share their parameters, and what follows for its file.

A sitting's parameters are those of the language in which it began. An exam that lets candidates
change the language of a question therefore needs parameters that all its languages share.
"""

from __future__ import annotations

from engine.errors import InputError
from item_bank.exams.exam_files import ExamPlan
from item_bank.items.releases import ReleaseItems, release_items
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database

SHARED = "shared by all languages"
OWN = "each language has its own"
ONE = "one language"


def parameters_by_language(db: Database, release_id: str, languages: tuple[str, ...]) -> str:
    """Say whether the languages of an exam share their parameters."""
    if len(languages) == 1:
        return ONE
    found = {_digest(release_items(db, release_id, language)) for language in languages}
    return SHARED if len(found) == 1 else OWN


def _digest(release: ReleaseItems) -> str:
    items = release.items
    values = [getattr(items, name).tobytes().hex() for name in ("a", "b", "c", "d", "thresholds")]
    return content_hash([list(items.item), list(items.model), values])


def check_language_switch(db: Database, plan: ExamPlan, release_id: str, file: str) -> None:
    """Refuse a change of language where parameters differ by language.

    Raises
    ------
    InputError
        Naming the key of the exam file.
    """
    if plan.language_switch and parameters_by_language(db, release_id, plan.languages) == OWN:
        expected = "false, since the release has parameters for each language"
        raise InputError(expected, "true", file=file, column="language_switch")
