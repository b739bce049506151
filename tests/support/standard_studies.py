"""Studies of standard setting on the exam about sums, with ratings."""

from __future__ import annotations

from collections.abc import Sequence

from engine.models.dispatch import expected_score
from item_bank.exams.actors import command_line
from item_bank.results.standards import acts
from item_bank.results.standards.acts import NewMember
from item_bank.results.standards.plans import NewStudy
from item_bank.results.standards.ratings import Rating, rate
from item_bank.results.standards.records import StudyFacts, study
from item_bank.store.database import Database
from item_bank.store.schema import organisation

PANEL = (NewMember("P1", "Ann"), NewMember("P2", "Ben"), NewMember("P3", "Cem"))


def ratings_at(facts: StudyFacts, thetas: Sequence[float]) -> list[Rating]:
    """Ratings of panellists who see every item as the model does at a theta of their own."""
    return [
        Rating(member.code, item, round(100 * share, 6))
        for member, theta in zip(facts.panel, thetas, strict=True)
        for item, share in zip(facts.items.item, expected_score(theta, facts.items)[0], strict=True)
    ]


def rated_studies(db: Database) -> tuple[str, str]:
    """Ids of an Angoff and a bookmark study whose first rounds are closed."""
    home = organisation(db)
    actor, ids = command_line(home), []
    for method in ("angoff", "bookmark"):
        own = acts.create_study(db, actor, NewStudy("sums", "certified", method))
        acts.set_panel(db, actor, own, PANEL)
        facts = study(db, own, organisation_id=home)
        marks = [Rating(one.code, "", n) for n, one in enumerate(PANEL, 5)]
        given = marks if facts.is_bookmark else ratings_at(facts, (0.1, 0.3, 0.5))
        rate(db, actor, own, given, round_seen=1)
        acts.close_round(db, actor, own, round_seen=1)
        ids.append(own)
    return ids[0], ids[1]
