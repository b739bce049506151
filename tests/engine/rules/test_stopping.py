import numpy as np
import pytest

from engine.errors import InputError
from engine.rules.stopping import REASONS, Standing, StoppingRules, stopping_codes, too_little_left


def reason(rules, n, se=1.0, information=0.0, change=np.inf, clear=-1):
    numbers = [np.array([value]) for value in (n, se, information, change, clear)]
    code = stopping_codes(rules, Standing(*numbers))[0]
    return None if code < 0 else REASONS[code].value


def test_each_rule_stops_when_it_holds_and_not_before():
    assert reason(StoppingRules(length=5), 4) is None
    assert reason(StoppingRules(length=5), 5) == "length"
    assert reason(StoppingRules(max_items=5), 5) == "max_items"
    assert reason(StoppingRules(se=0.3), 5, se=0.31) is None
    assert reason(StoppingRules(se=0.3), 5, se=0.3) == "se"
    assert reason(StoppingRules(information=4.0), 5, information=3.9) is None
    assert reason(StoppingRules(information=4.0), 5, information=4.0) == "information"


def test_precision_that_was_reached_is_named_before_a_length_that_was_too():
    rules = StoppingRules(length=5, se=0.3, information=4.0, max_items=5)
    assert reason(rules, 5, se=0.2, information=9.0) == "se"
    assert reason(rules, 5, se=0.9, information=9.0) == "information"
    assert reason(rules, 5, se=0.9) == "length"


def test_no_precision_stops_before_the_minimum_of_items():
    rules = StoppingRules(se=0.3, min_items=4)
    assert reason(rules, 3, se=0.1) is None
    assert reason(rules, 4, se=0.1) == "se"


def test_an_answer_that_changes_little_stops():
    rules = StoppingRules(theta_change=0.05)
    assert reason(rules, 5, change=0.06) is None
    assert reason(rules, 5, change=0.05) == "theta_change"


def test_a_clear_side_of_the_cuts_is_the_first_reason_after_the_minimum():
    rules = StoppingRules(se=0.3, min_items=4)
    clear = REASONS.index("sprt")
    assert reason(rules, 4, se=0.1, clear=clear) == "sprt"
    assert reason(rules, 3, se=0.1, clear=clear) is None


def test_nothing_stops_before_the_first_item():
    assert reason(StoppingRules(se=5.0), 0, se=1.0) is None


def test_little_information_left_stops():
    rules = StoppingRules(best_information=0.2, min_items=2)
    assert too_little_left(rules, np.full(2, 2), np.array([0.2, 0.3])).tolist() == [True, False]
    assert too_little_left(rules, np.full(1, 1), np.array([0.2])).tolist() == [False]
    assert too_little_left(StoppingRules(), np.full(1, 9), np.array([0.0])).tolist() == [False]


def test_the_longest_test_is_the_shorter_limit():
    assert StoppingRules().longest is None
    assert StoppingRules(length=30, max_items=20).longest == 20


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"length": 0}, "stopping.length: expected at least 1 items"),
        ({"length": 3, "min_items": 4}, "stopping.length: expected at least 4 items"),
        ({"max_items": 3, "min_items": 4}, "stopping.max_items"),
        ({"min_items": -1}, "stopping.min_items"),
        ({"se": 0.0}, "stopping.se: expected a number above 0"),
        ({"information": float("inf")}, "stopping.information"),
        ({"best_information": -1.0}, "stopping.best_information"),
        ({"theta_change": 0.0}, "stopping.theta_change"),
        ({"out_of_time": "guess"}, "stopping.out_of_time: expected one of score"),
        ({"last_estimates": 0}, "stopping.last_estimates: expected a whole number from 1"),
    ],
)
def test_wrong_rules_are_refused(rules, message):
    with pytest.raises(InputError, match=message):
        StoppingRules(**rules)
