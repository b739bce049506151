"""Sittings with items of the model nrm: chosen by information, scored by option, replayed."""

from __future__ import annotations

import numpy as np
import pytest
from support.sittings import EXAM, begin, finish, open_hall, respond
from test_items_nominal import nominal_document, published

from engine.ability.estimates import estimate_eap
from engine.errors import InputError
from engine.models import dispatch
from item_bank.exams.candidate_views import view
from item_bank.exams.designs import apply_exam
from item_bank.exams.points import item_facts, moments
from item_bank.exams.replay import replay
from item_bank.exams.responses import recorded_responses
from item_bank.exams.results import result_of
from item_bank.items.items import revision
from item_bank.items.releases import release_parameters
from item_bank.store.schema import organisation

PLAIN = EXAM.replace("randomesque = 2", "randomesque = 1")


@pytest.fixture
def hall(db, tmp_path):
    published(db, tmp_path, nominal_document())
    return open_hall(db, exam=PLAIN)


def sat(hall):
    """A whole sitting: its result."""
    end = finish(hall, hall.alice, begin(hall, hall.alice))
    assert end.status == "finished"
    assert replay(hall.db, end.sitting_id).problems == ()
    return result_of(hall.db, end.sitting_id, candidate=hall.alice)


def release_of(hall):
    return release_parameters(hall.db, "small", organisation_id=organisation(hall.db))


def test_a_sitting_with_nominal_items_ends_replays_and_has_a_result(hall):
    result, items = sat(hall), release_of(hall).items
    nominal = [step for step in result["path"] if step["model"] == "nrm"]
    assert nominal
    for step in nominal:
        assert step["max_score"] == 1
        assert step["score"] == int(step["category"] == 3)
        assert set(step["parameters"]) == {"slopes", "intercepts"}
        assert -4 <= step["difficulty"] <= 4
    rows = [items.row(step["item"]) for step in result["path"]]
    scores = [step.get("category", step["score"]) for step in result["path"]]
    found = estimate_eap(rows, scores, items)
    assert result["estimate"]["theta"] == pytest.approx(found.theta, abs=1e-12)


def test_the_first_item_is_the_most_informative_of_all_models(hall):
    items = release_of(hall).items
    now = begin(hall, hall.alice)
    finish(hall, hall.alice, now)
    first = result_of(hall.db, now.sitting_id, candidate=hall.alice)["path"][0]
    in_area = np.array(items.content) == first["area_in_turn"]
    information = np.where(in_area, dispatch.information([0.0], items)[0], -np.inf)
    assert items.item[int(information.argmax())] == first["item"]


def test_every_choice_is_scored_as_its_category(hall):
    """Two candidates who choose differently at a nominal item differ by category, not by right."""
    now, categories = begin(hall, hall.alice), {}
    while now.question is not None:
        respond(hall, hall.alice, now, 2)
        now = view(hall.db, hall.alice, now.sitting_id)
    result = result_of(hall.db, now.sitting_id, candidate=hall.alice)
    for row in recorded_responses(hall.db, "small", organisation_id=organisation(hall.db)):
        categories[row.item] = row.score
    for step in result["path"]:
        key = revision(hall.db, step["revision"]).key
        assert categories[step["item"]] == step.get("category", step["score"])
        assert ("category" in step) == ("categories" in key)


def test_areas_count_points_and_not_categories(hall):
    result = sat(hall)
    for domain in result["domains"]:
        own = [step for step in result["path"] if step["content_area"] == domain["area"]]
        assert domain["points"] == sum(step["score"] for step in own)
        assert domain["max_points"] == len(own)


def test_points_of_a_nominal_item_have_the_mean_of_the_right_category(hall):
    release = release_of(hall)
    mean, variance = moments(0.4, release.items, release.points)
    right = dispatch.probabilities([0.4], release.items)[0]
    expected = [right[row, len(worth) - 1] for row, worth in enumerate(release.points)]
    np.testing.assert_allclose(mean, expected)
    np.testing.assert_allclose(variance, mean * (1 - mean))


def test_an_item_without_an_answer_has_no_points(hall):
    release = release_of(hall)
    facts = item_facts(release.items.subset([0]), release.points[0], None, None)
    assert (facts["score"], facts["category"], facts["expected_score"]) == (None, None, None)


def test_a_criterion_that_needs_difficulties_is_refused_by_name(hall):
    text = PLAIN.replace("max_information", "urry")
    with pytest.raises(InputError, match="nrm"):
        apply_exam(hall.db, text, organisation_id=organisation(hall.db), file="e.toml")
