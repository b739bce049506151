import numpy as np
import pytest

from engine.errors import InputError
from engine.stopping import REASONS, StoppingRules, stopping_codes, too_little_left


def reason(rules, n, se=1.0, information=0.0):
    code = stopping_codes(rules, n, np.array([se]), np.array([information]))[0]
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


def test_nothing_stops_before_the_first_item():
    assert reason(StoppingRules(se=5.0), 0, se=1.0) is None


def test_little_information_left_stops():
    rules = StoppingRules(best_information=0.2, min_items=2)
    assert too_little_left(rules, 2, np.array([0.2, 0.3])).tolist() == [True, False]
    assert too_little_left(rules, 1, np.array([0.2])).tolist() == [False]
    assert too_little_left(StoppingRules(), 9, np.array([0.0])).tolist() == [False]


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
    ],
)
def test_wrong_rules_are_refused(rules, message):
    with pytest.raises(InputError, match=message):
        StoppingRules(**rules)
