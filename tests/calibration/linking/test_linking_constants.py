import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.linking.constants import METHODS, linked, mean_mean, mean_sigma, stocking_lord
from calibration.linking.scales import (
    Link,
    discriminations,
    inverse,
    locations,
    transformed,
    transformed_errors,
)
from calibration.parameter_file import StandardErrors
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "linking.json").read_text())
CURVES = METHODS[:2]


def anchors(model):
    facts = REFERENCE[model]
    rows = facts["anchors"]
    old, new = (
        item_parameters(
            [row[0] for row in rows],
            model.lower(),
            a=[row[k] for row in rows],
            b=[row[k + 1] for row in rows],
            c=[row[k + 2] for row in rows],
        )
        for k in (1, 4)
    )
    return new, old, facts


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", ["2PL", "3PL"])
def test_constants_agree_with_direct_optimisation_in_r(model, method):
    new, old, facts = anchors(model)
    link = linked(method, new, old)
    assert pytest.approx(facts[method.replace("-", "_")], abs=1e-5) == (link.A, link.B)
    assert (link.method, link.n_anchors) == (method, 15)


@pytest.mark.parametrize(("method", "name"), [("haebara", "HB"), ("stocking-lord", "SL")])
def test_uniform_weights_agree_with_plink_but_for_its_forty_nodes(method, name):
    new, old, facts = anchors("3PL")
    link = linked(method, new, old, weights="uniform")
    assert pytest.approx(facts["plink_uniform_40_nodes"][name], abs=1e-3) == (link.A, link.B)


def some_bank(*, nominal=True, seed=2):
    """Five items of each kind: dichotomous, graded, partial credit and, if wanted, nominal."""
    rng = np.random.default_rng(seed)
    models = ["2pl", "1pl", "3pl", "4pl", "2pl"] + ["grm"] * 5 + ["gpcm"] * 5
    models += ["nrm"] * 5 if nominal else []
    n, dichotomous = len(models), np.arange(len(models)) < 5
    steps = np.full((n, 3), np.nan)
    steps[:5, 0] = rng.normal(size=5)
    steps[5:10] = np.sort(rng.normal(size=(5, 3)), axis=1)
    steps[10:15, :2] = rng.normal(size=(5, 2))
    slopes, intercepts = np.full((2, n, 2), np.nan)
    slopes[15:], intercepts[15:] = rng.normal(size=(2, n - 15, 2))
    a = rng.lognormal(0, 0.3, n)
    a[15:] = np.nan
    return item_parameters(
        [f"i{k:02d}" for k in range(n)],
        models,
        a=a,
        b=np.where(dichotomous, steps[:, 0], np.nan),
        c=np.where(np.isin(models, ["3pl", "4pl"]), 0.2, np.nan),
        d=np.where(np.isin(models, ["4pl"]), 0.95, np.nan),
        thresholds=steps,
        slopes=slopes,
        intercepts=intercepts,
    )


@settings(deadline=None, max_examples=40)
@given(st.floats(0.4, 2.5), st.floats(-2, 2), st.sampled_from(METHODS))
def test_every_method_finds_a_scale_that_was_changed_on_purpose(scale, shift, method):
    old = some_bank(nominal=method in CURVES)
    new = transformed(old, inverse(Link("known", scale, shift, len(old))))
    link = linked(method, new, old)
    assert pytest.approx((scale, shift), abs=1e-6) == (link.A, link.B)


@pytest.mark.parametrize("method", METHODS)
def test_weights_and_counts_do_not_matter_where_all_anchors_agree(method):
    old = some_bank(nominal=method in CURVES)
    new = transformed(old, Link("known", 1.2, 0.4, len(old)))
    link = linked(method, new, old, weights="uniform", counts=np.arange(len(old)) % 3.0)
    assert pytest.approx((1 / 1.2, -0.4 / 1.2), abs=1e-6) == (link.A, link.B)


def test_an_anchor_that_counts_twice_is_as_good_as_two():
    new, old, _facts = anchors("3PL")
    rows = [*range(15), 3]
    twice = [
        replace(side.subset(rows), item=tuple(f"i{k}" for k in range(16))) for side in (new, old)
    ]
    counts = np.where(np.arange(15) == 3, 2.0, 1.0)
    for method in METHODS:
        one, other = linked(method, new, old, counts=counts), linked(method, *twice)
        assert pytest.approx((other.A, other.B), abs=1e-7) == (one.A, one.B)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.3, 3.0), st.floats(-3, 3))
def test_linking_and_its_inverse_give_the_same_parameters_back(scale, shift):
    items, link = some_bank(), Link("any", scale, shift, 20)
    back = transformed(transformed(items, link), inverse(link))
    for name in ("a", "b", "c", "d", "thresholds", "slopes", "intercepts"):
        np.testing.assert_allclose(getattr(back, name), getattr(items, name), atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.3, 3.0), st.floats(-3, 3))
def test_items_expect_the_same_scores_of_the_same_persons_on_either_scale(scale, shift):
    items, link = some_bank(), Link("any", scale, shift, 20)
    theta = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(
        dispatch.expected_score(link.A * theta + link.B, transformed(items, link)),
        dispatch.expected_score(theta, items),
        atol=1e-12,
    )


def test_one_discrimination_and_difficulty_by_item_follow_the_scale():
    items, link = some_bank(), Link("any", 1.3, -0.4, 20)
    moved = transformed(items, link)
    np.testing.assert_allclose(discriminations(moved), discriminations(items) / 1.3)
    np.testing.assert_allclose(locations(moved), 1.3 * locations(items) - 0.4)


def test_standard_errors_follow_the_scale():
    a, b, c, d = np.full((4, 2), 0.1)
    found = transformed_errors(
        StandardErrors(a, b, c, d, np.full((2, 3), 0.1)), Link("any", 2.0, 9.0, 5)
    )
    assert (found.a[0], found.b[0], found.c[0], found.thresholds[0, 0]) == (0.05, 0.2, 0.1, 0.2)


def test_rasch_items_keep_their_name_only_on_a_scale_of_the_same_unit():
    items = item_parameters(["i1", "i2"], ["rasch", "pcm"], a=1.0, b=[-1.0, np.nan],
                            thresholds=[[-1.0, np.nan], [0.0, 1.0]])  # fmt: skip
    assert transformed(items, Link("any", 1.0, 0.5, 2)).model == ("rasch", "pcm")
    assert transformed(items, Link("any", 1.2, 0.5, 2)).model == ("2pl", "gpcm")


@pytest.mark.parametrize("method", METHODS)
def test_between_rasch_scales_only_the_origin_is_free(method):
    rng = np.random.default_rng(5)
    old = item_parameters([f"i{k}" for k in range(8)], "rasch", b=rng.normal(size=8), a=1.0)
    noisy = item_parameters(old.item, "rasch", b=1.1 * old.b - 0.5, a=1.0)
    link = linked(method, noisy, old)
    assert link.A == 1.0
    assert pytest.approx(0.5, abs=0.1) == link.B


def test_one_parameter_items_have_a_unit_of_their_own():
    old = item_parameters(["i1", "i2", "i3"], "1pl", a=0.8, b=[-1.0, 0.0, 1.5])
    new = transformed(old, Link("known", 0.5, 0.2, 3))
    link = mean_mean(new, old)
    assert pytest.approx((2.0, -0.4)) == (link.A, link.B)
    assert new.model == ("1pl",) * 3


def test_difficulties_that_do_not_differ_give_no_unit_by_their_spread():
    items = item_parameters(["i1", "i2"], "2pl", a=1.0, b=0.5)
    with pytest.raises(InputError, match="different difficulties"):
        mean_sigma(items, items)
    assert pytest.approx(1.0) == stocking_lord(items, items).A


def test_what_cannot_be_linked_is_refused():
    items = some_bank()
    with pytest.raises(InputError, match="stocking-lord or haebara or mean-sigma or mean-mean"):
        linked("equipercentile", items, items)
    with pytest.raises(InputError, match="normal or uniform"):
        linked("haebara", items, items, weights="beta")
    with pytest.raises(InputError, match="item i15 of model nrm"):
        linked("mean-mean", items, items)
    with pytest.raises(InputError, match="the same anchors"):
        linked("haebara", items, items.subset([0, 1]))
    none = items.subset(np.zeros(len(items), dtype=bool))
    with pytest.raises(InputError, match="at least one anchor"):
        linked("haebara", none, none)
