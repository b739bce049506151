"""What a bank can measure: information that is known in advance, and items that must be missing."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.blueprints.blueprint import blueprint_from_mapping
from engine.exposure.rules import ExposureRules
from engine.items import item_parameters
from engine.models import dispatch
from engine.rules.classification import ClassificationRules
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.simulation.bank_diagnostics import (
    best_information,
    diagnose,
    information_needed,
    items_needed,
    side_by_side,
)
from engine.simulation.bank_words import little_used, what_is_missing
from engine.simulation.run import simulate
from engine.simulation.summary import summarise


def identical(n, a=2.0, b=0.0, content=None):
    return item_parameters([f"i{k}" for k in range(n)], "2pl", a=a, b=b, content=content)


def bank(n=120, seed=3, areas=("x", "y", "z")):
    rng = np.random.default_rng(seed)
    content = [areas[k % len(areas)] for k in range(n)]
    names = [f"i{k}" for k in range(n)]
    return item_parameters(
        names, "2pl", a=rng.lognormal(0, 0.3, n), b=rng.normal(size=n), content=content
    )


def exam(length=10, se=None, **more):
    return ExamDesign(stop=StoppingRules(length=length, se=se), **more)


def at(supply, theta):
    return int(np.searchsorted(supply.theta, theta))


def test_a_bank_of_identical_items_has_n_times_the_information_of_one():
    # a^2 P (1 - P) = 4 / 4 at theta = b.
    found = diagnose(identical(30), exam(10))
    here = at(found.supply, 0.0)
    assert found.supply.bank[here] == pytest.approx(30.0)
    assert found.supply.best[here] == pytest.approx(10.0)
    # The prior's variance of 1 adds its precision to a final EAP.
    assert found.supply.best_se[here] == pytest.approx(1 / math.sqrt(11))
    by_wle = diagnose(identical(30), exam(10, final="wle")).supply
    assert by_wle.best_se[here] == pytest.approx(1 / math.sqrt(10))


def test_a_prior_brings_information_of_its_own():
    assert information_needed(0.5) == pytest.approx(4.0)
    assert information_needed(0.5, prior_sd=1.0) == pytest.approx(3.0)
    assert information_needed(2.0, prior_sd=1.0) == 0.0


def test_the_target_of_an_exam_follows_its_estimator():
    by_eap = diagnose(identical(30), exam(10, 0.5))
    by_wle = diagnose(identical(30), exam(10, 0.5, final="wle"))
    assert by_eap.supply.needed == pytest.approx(3.0)
    assert by_wle.supply.needed == pytest.approx(4.0)
    both = replace(exam(), stop=StoppingRules(se=0.5, information=7.0))
    assert diagnose(identical(30), both).supply.needed == 7.0
    assert diagnose(identical(30), exam(10)).supply.needed is None


def test_the_items_that_would_do_are_counted():
    found = diagnose(identical(30), exam(10, 0.25, final="wle"))
    here = at(found.supply, 0.0)
    assert found.supply.short.all()
    assert found.supply.enough[here] == 16
    assert found.supply.enough[0] == 0


def test_the_best_items_are_the_most_informative_ones():
    items = bank()
    theta = np.array([-1.3, 0.4])
    values = np.sort(dispatch.information(theta, items), axis=1)
    assert best_information(theta, items, 7) == pytest.approx(values[:, -7:].sum(axis=1))
    assert best_information(theta, items, 500) == pytest.approx(values.sum(axis=1))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), length=st.integers(1, 40))
def test_no_test_of_a_simulation_has_more_information_than_the_best_one(seed, length):
    items, theta = bank(seed=seed), np.array([-2.0, 0.0, 1.5])
    record = simulate(items, exam(length), theta=theta, seed=seed)
    got = dispatch.paired("information", theta, record.rows, items).sum(axis=1)
    assert (got <= best_information(theta, items, length) + 1e-9).all()


@settings(deadline=None, max_examples=25)
@given(weights=st.lists(st.integers(1, 9), min_size=3, max_size=3), length=st.integers(3, 30))
def test_content_shares_never_add_information(weights, length):
    shares = tuple(zip("xyz", [weight / sum(weights) for weight in weights], strict=True))
    items = bank()
    free, bound = (diagnose(items, exam(length, content_shares=of)).supply for of in ((), shares))
    assert (bound.best <= free.best + 1e-9).all()
    assert bound.bank == pytest.approx(free.bank)


def test_areas_share_the_length_and_the_target():
    items = identical(30, content=["x"] * 20 + ["y"] * 10)
    design = exam(10, 0.5, final="wle", content_shares=(("x", 0.75), ("y", 0.25)))
    areas = diagnose(items, design).areas
    here = at(areas["x"], 0.0)
    # 7.5 and 2.5 items; the odd one goes to the area named first.
    assert (areas["x"].best[here], areas["y"].best[here]) == (pytest.approx(8), pytest.approx(2))
    assert (areas["x"].needed, areas["y"].needed) == (3.0, 1.0)


def test_items_that_do_not_count_are_left_out():
    items = identical(12, content=["x"] * 8 + [""] * 4)
    tried = np.arange(12) < 2
    shared = diagnose(items, exam(5, content_shares=(("x", 1.0),)), pretest=tried)
    assert shared.sizes[0].n_items == 6
    excluded = blueprint_from_mapping({"excluded": ["i11"]})
    assert diagnose(items, exam(5, blueprint=excluded), pretest=tried).sizes[0].n_items == 9


@pytest.mark.parametrize(("given", "ceiling", "n"), [(30, 0.2, 150), (3, 0.3, 10), (7.5, 0.2, 38)])
def test_a_ceiling_needs_length_over_ceiling_items(given, ceiling, n):
    assert items_needed(given, ceiling) == n


def test_no_simulation_keeps_a_ceiling_with_fewer_items_than_the_bound():
    items, theta = bank(60), np.random.default_rng(1).normal(size=400)
    for ceiling in (0.1, 0.25):
        design = exam(10, exposure=ExposureRules(ceiling=ceiling))
        missing = diagnose(items, design).sizes[0].missing
        highest = summarise(simulate(items, design, theta=theta, seed=2)).exposure.max()
        assert highest >= 10 / 60 - 1e-9
        assert (missing > 0) == (ceiling < 10 / 60)
        if missing:
            assert highest > ceiling


def test_missing_items_are_counted_area_by_area():
    items = identical(40, content=["x"] * 34 + ["y"] * 6)
    design = exam(
        10,
        content_shares=(("x", 0.5), ("y", 0.5)),
        exposure=ExposureRules("eligibility", max_rate=0.5, ceiling=0.25),
    )
    sizes = {
        size.area: (size.n_items, size.needed, size.missing)
        for size in diagnose(items, design).sizes
    }
    assert sizes == {"": (40, 40, 0), "x": (34, 20, 0), "y": (6, 20, 14)}
    [text] = what_is_missing(diagnose(items, design), design)
    assert text == (
        "An exposure of at most 25 % needs 20 items of y where a test has 5.0, and there are 6: "
        "14 are missing."
    )


def test_a_mean_length_asks_for_fewer_items_than_the_longest():
    design = exam(20, 0.4, exposure=ExposureRules(ceiling=0.2))
    assert diagnose(identical(60), design).sizes[0].needed == 100
    assert diagnose(identical(60), design, mean_length=11.0).sizes[0].missing == 0


def test_a_shortage_is_said_where_it_is():
    design = exam(
        10, 0.4, final="wle", classification=ClassificationRules("confidence", (-2.5, 0.1))
    )
    items = identical(40)
    texts = what_is_missing(diagnose(items, design), design)
    # 40 items have 40 / (2 + 2 cosh(2 theta)) * 4, and 1 / 0.4^2 = 6.25 is needed.
    assert texts[0].startswith("At the cut −2.50 a test of 10 items has information 0.3 at most")
    assert texts[0].endswith("and 6.2 are needed: all items together do not suffice.")
    assert [text.split(" a test")[0] for text in texts[1:]] == [
        "From theta −3.00 to −0.75",
        "From theta 0.75 to 3.00",
    ]
    assert what_is_missing(diagnose(items, exam(10)), exam(10)) == ()


def test_languages_stand_side_by_side():
    items = identical(30)
    harder = identical(30, b=2.0)
    found = side_by_side({"en": items, "tg": harder}, exam(10, 0.4))
    here = at(found["en"].supply, 0.0)
    assert list(found) == ["en", "tg"]
    assert not found["en"].supply.short[here]
    assert found["tg"].supply.short[here]


def test_an_item_that_is_tried_out_counts_in_no_language():
    banks = {"en": identical(30), "tg": identical(20)}
    found = side_by_side(banks, exam(10), pretest=["i1", "i25"])
    assert [of.sizes[0].n_items for of in found.values()] == [28, 19]


def test_items_hardly_used_are_named():
    items = identical(5)
    exposure = np.array([0.0, 0.5, 0.004, 0.002, 0.0])
    found = little_used(items, exposure, np.array([True, False, False, False, False]))
    assert found.never == ("i4",)
    assert found.rarely == ("i3", "i2")
