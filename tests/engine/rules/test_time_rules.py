"""Time running out, and scores of content areas."""

import pytest
from support.reference_banks import mixed_bank, reference_bank

from engine.errors import InputError
from engine.results.decisions import Level
from engine.results.domain_scores import DomainRules, Withheld, domain_scores
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.rules.time_rules import out_of_time
from engine.session import SittingState, final_estimate, next_step, record_response

LEVELS = (Level("fail", 200.0), Level("pass", 500.0))


def after(scores, design, items=None):
    """A sitting with these answers to the items that it chose."""
    bank = reference_bank("3pl") if items is None else items
    state = SittingState(1)
    for score in scores:
        state = record_response(state, next_step(state, bank, design).next_item, score)
    return state


def design(rule, fewest=10, last=3):
    stop = StoppingRules(min_items=fewest, max_items=40, out_of_time=rule, last_estimates=last)
    return ExamDesign(stop=stop, levels=LEVELS)


@pytest.mark.parametrize("rule", ["score", "no_score", "last_estimates"])
def test_with_the_minimum_of_items_the_answers_count(rule):
    made = design(rule)
    state = after([1] * 10, made)
    found = out_of_time(state, reference_bank("3pl"), made)
    assert (found.rule, found.level) == ("enough", LEVELS[1])
    assert found.estimate == final_estimate(state, reference_bank("3pl"), made)


def test_with_fewer_the_rule_of_the_exam_speaks():
    items, state = reference_bank("3pl"), after([1, 1, 1, 1], design("score"))
    scored = out_of_time(state, items, design("score"))
    assert (scored.rule, scored.level) == ("score", LEVELS[1])
    assert scored.estimate is not None
    nothing = out_of_time(state, items, design("no_score"))
    assert (nothing.rule, nothing.estimate, nothing.level) == ("no_score", None, None)


def test_the_last_estimates_pass_only_when_all_are_above_the_cut():
    items = reference_bank("3pl")
    made = design("last_estimates")
    cases = {(1, 1, 1, 1): "pass", (1, 1, 0, 0, 0): "fail", (1, 1): "fail"}
    for scores, level in cases.items():
        found = out_of_time(after(scores, made), items, made)
        assert (found.rule, found.estimate, found.level.name) == ("last_estimates", None, level)


def test_answers_that_determine_nothing_give_no_estimate():
    made = ExamDesign(final="mle", stop=StoppingRules(max_items=9))
    assert out_of_time(SittingState(1), reference_bank("3pl"), made).estimate is None


# --- content areas -------------------------------------------------------------------------------

SHARES = (("A", 0.5), ("B", 0.3), ("C", 0.2))
BALANCED = ExamDesign(content_shares=SHARES, stop=StoppingRules(length=30))


def test_areas_are_scored_by_their_own_items_and_withheld_with_a_reason():
    items = mixed_bank()
    state = after([1, 0] * 15, BALANCED, items)
    rules = DomainRules(least_items=7, largest_se=0.6)
    found = {score.area: score for score in domain_scores(state, items, BALANCED, rules)}
    assert {area: score.n for area, score in found.items()} == {"A": 15, "B": 9, "C": 6}
    assert found["C"].withheld is Withheld.TOO_FEW_ITEMS
    for area in ("A", "B"):
        score = found[area]
        assert score.withheld is None
        assert score.score == round(500 + 100 * score.estimate.theta)
        assert score.se == pytest.approx(100 * score.estimate.se)


def test_a_large_error_is_withheld():
    items = mixed_bank()
    state = after([1, 0] * 15, BALANCED, items)
    for score in domain_scores(state, items, BALANCED, DomainRules(1, 0.01)):
        assert (score.withheld, score.score) == (Withheld.ERROR_TOO_LARGE, None)


@pytest.mark.parametrize("rules", [{"least_items": 0}, {"largest_se": 0.0}])
def test_wrong_rules_are_refused(rules):
    with pytest.raises(InputError):
        DomainRules(**rules)
