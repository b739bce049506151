import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.linking import Link, mean_shift, mean_sigma, stocking_lord, transformed
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch

REFERENCE = Path(__file__).parents[1] / "reference"


def anchors(model):
    facts = json.loads((REFERENCE / "linking.json").read_text())[model]
    rows = facts["anchors"]
    names = [row[0] for row in rows]
    old, new = (
        item_parameters(
            names,
            model.lower(),
            a=[row[k] for row in rows],
            b=[row[k + 1] for row in rows],
            c=[row[k + 2] for row in rows],
        )
        for k in (1, 4)
    )
    return new, old, facts


@pytest.mark.parametrize("model", ["2PL", "3PL"])
def test_constants_agree_with_direct_optimisation_in_r(model):
    new, old, facts = anchors(model)
    link = stocking_lord(new, old)
    assert pytest.approx(facts["stocking_lord"], abs=2e-5) == (link.A, link.B)
    link = mean_sigma(new, old)
    assert pytest.approx(facts["mean_sigma"], abs=1e-10) == (link.A, link.B)


def some_bank():
    rng = np.random.default_rng(2)
    steps = np.full((10, 2), np.nan)
    steps[:5, 0] = rng.normal(size=5)
    steps[5:] = np.sort(rng.normal(size=(5, 2)), axis=1)
    return item_parameters(
        [f"i{k}" for k in range(10)],
        ["2pl"] * 5 + ["gpcm"] * 5,
        a=rng.lognormal(0, 0.3, 10),
        b=np.where(np.arange(10) < 5, steps[:, 0], np.nan),
        thresholds=steps,
    )


@given(st.floats(0.4, 2.5), st.floats(-2, 2))
def test_every_method_finds_a_scale_that_was_changed_on_purpose(scale, shift):
    old = some_bank()
    new = transformed(old, Link("inverse", 1 / scale, -shift / scale, 10))
    for method in (mean_sigma, stocking_lord):
        link = method(new, old)
        assert pytest.approx((scale, shift), abs=1e-5) == (link.A, link.B)


def test_items_expect_the_same_scores_of_the_same_persons_on_either_scale():
    items, link = some_bank(), Link("any", 1.3, -0.4, 10)
    theta = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(
        dispatch.expected_score(link.A * theta + link.B, transformed(items, link)),
        dispatch.expected_score(theta, items),
    )


def test_rasch_items_keep_their_name_only_on_a_scale_of_the_same_unit():
    items = item_parameters(["i1", "i2"], ["rasch", "rasch"], a=1.0, b=[-1.0, 1.0])
    assert transformed(items, Link("shift", 1.0, 0.5, 2)).model == ("rasch", "rasch")
    assert transformed(items, Link("any", 1.2, 0.5, 2)).model == ("2pl", "2pl")
    shifted = transformed(items, Link("shift", 1.0, 0.5, 2))
    assert pytest.approx(0.5) == mean_shift(items, shifted).B


def test_difficulties_that_do_not_differ_give_no_unit():
    items = item_parameters(["i1", "i2"], "2pl", a=1.0, b=0.5)
    with pytest.raises(InputError, match="different difficulties"):
        mean_sigma(items, items)
