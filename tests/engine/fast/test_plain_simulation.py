from dataclasses import replace

import numpy as np
import pytest
from support.reference_banks import mixed_bank, reference_bank

from engine.fast.plain_simulation import PERSONS_AT_ONCE, persons_at_once
from engine.items import item_parameters
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.simulation import run as simulation
from engine.simulation.run import simulate

SHARES = (("A", 0.5), ("B", 0.3), ("C", 0.2))
DESIGNS = {
    "length": ExamDesign(stop=StoppingRules(length=20)),
    "randomesque and content": ExamDesign(
        stop=StoppingRules(length=20), randomesque=4, content_shares=SHARES
    ),
    "se": ExamDesign(stop=StoppingRules(se=0.35, max_items=25, min_items=3), final="mle"),
    "information": ExamDesign(stop=StoppingRules(information=6.0, max_items=25)),
    "best information": ExamDesign(stop=StoppingRules(best_information=0.4, length=25)),
    "change": ExamDesign(stop=StoppingRules(theta_change=0.05, max_items=25)),
    "a start that is drawn": ExamDesign(start_range=(-1.0, 1.0), stop=StoppingRules(length=9)),
    "far out": ExamDesign(start_theta=8.0, prior_sd=3.0, stop=StoppingRules(length=20)),
}


def tied_bank():
    items = reference_bank("3pl")
    parts = {name: np.tile(getattr(items, name), 4) for name in ("a", "b", "c")}
    content = ["A", "B", "C"] * 400
    return item_parameters([f"t{k}" for k in range(1200)], "3pl", content=content, **parts)


BANKS = {"mixed": mixed_bank, "tied": tied_bank}


def both_ways(monkeypatch, *arguments, **settings):
    plain = simulate(*arguments, **settings)
    monkeypatch.setattr(simulation, "_plain", lambda _setting: None)
    return plain, simulate(*arguments, **settings)


def assert_the_same(plain, general):
    for name in ("rows", "scores", "length", "stop_code", "area_missing"):
        assert np.array_equal(getattr(plain, name), getattr(general, name)), name
    for name in ("theta", "se", "final_theta", "final_se"):
        expected = getattr(general, name)
        np.testing.assert_allclose(getattr(plain, name), expected, atol=1e-10, err_msg=name)
    for name, counters in vars(general.usage).items():
        assert np.array_equal(getattr(plain.usage, name), counters), name


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("name", DESIGNS)
def test_the_quick_way_decides_as_the_general_one(monkeypatch, name, bank):
    theta = np.random.default_rng(1).normal(scale=1.5, size=250)
    assert DESIGNS[name].is_plain
    assert_the_same(*both_ways(monkeypatch, BANKS[bank](), DESIGNS[name], theta=theta, seed=3))


@pytest.mark.parametrize("name", ["length", "randomesque and content"])
def test_on_recorded_answers_with_gaps_too(monkeypatch, name):
    items, rng = mixed_bank(), np.random.default_rng(2)
    observed = rng.random((120, 140)) < rng.random((120, 1))
    observed[0] = False
    scores = rng.integers(0, 2, observed.shape)
    settings = {"scores": scores, "observed": observed, "seed": 2}
    assert_the_same(*both_ways(monkeypatch, items, DESIGNS[name], **settings))


@pytest.mark.parametrize("design", [ExamDesign(), ExamDesign(content_shares=SHARES)])
def test_until_the_bank_is_exhausted_too(monkeypatch, design):
    items = mixed_bank().subset(np.r_[0:10, 70:80, 110:120])
    theta = np.linspace(-2, 2, 40)
    assert_the_same(*both_ways(monkeypatch, items, design, theta=theta))


def test_answers_that_contradict_each_other_do_not_underflow(monkeypatch):
    """300 sharp items, all right and then all wrong: the likelihood itself would be 0."""
    n = 300
    b = np.repeat([-4.0, 4.0], n // 2)
    items = item_parameters([f"i{k}" for k in range(n)], "2pl", a=9.0, b=b)
    scores = np.repeat([[0, 1]], n // 2, axis=1).reshape(1, n)
    plain, general = both_ways(monkeypatch, items, ExamDesign(), scores=scores)
    assert_the_same(plain, general)
    assert np.isfinite(plain.theta).all()


@pytest.mark.parametrize(
    "change",
    [{"interim": "map"}, {"criterion": "random"}, {"candidate_prior": True}],
    ids=str,
)
def test_designs_that_ask_for_more_are_not_plain(change):
    assert not replace(ExamDesign(), **change).is_plain


def test_blocks_shrink_with_the_bank():
    assert persons_at_once(300) == PERSONS_AT_ONCE
    assert persons_at_once(24_000) < PERSONS_AT_ONCE / 2
    assert persons_at_once(10**9) == 128
