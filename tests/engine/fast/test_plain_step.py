import json

import numpy as np
import pytest
from support.reference_banks import mixed_bank, reference_bank

from engine import session
from engine.fast.plain_step import is_plain, plain_step
from engine.items import item_parameters
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.session import SittingState, next_step, record_response

SHARES = (("A", 0.5), ("B", 0.3), ("C", 0.2))
DESIGNS = {
    "length": ExamDesign(stop=StoppingRules(length=20)),
    "randomesque": ExamDesign(stop=StoppingRules(length=20), randomesque=7),
    "content": ExamDesign(stop=StoppingRules(length=20), content_shares=SHARES, randomesque=3),
    "se": ExamDesign(stop=StoppingRules(se=0.35, max_items=25, min_items=3)),
    "information": ExamDesign(stop=StoppingRules(information=6.0, max_items=25)),
    "best information": ExamDesign(stop=StoppingRules(best_information=0.4, length=25)),
    "change": ExamDesign(stop=StoppingRules(theta_change=0.05, max_items=25)),
    "a start that is drawn": ExamDesign(start_range=(-1.0, 1.0), stop=StoppingRules(length=9)),
    "far out": ExamDesign(start_theta=8.0, prior_sd=3.0, stop=StoppingRules(length=9)),
}


def tied_bank():
    """Every item four times, and a fifth time a hair more discriminating."""
    items = reference_bank("3pl")
    parts = {name: np.tile(getattr(items, name), 5) for name in ("a", "b", "c")}
    parts["a"][-300:] *= 1 + 1e-12
    content = ["A", "B", "C", "D", "A"] * 300
    return item_parameters([f"t{k}" for k in range(1500)], "3pl", content=content, **parts)


BANKS = {"tied": tied_bank(), "mixed": mixed_bank()}


@pytest.fixture
def general(monkeypatch):
    """The general way, for plain exams too."""
    monkeypatch.setattr(session, "is_plain", lambda *_: False)
    return session.next_step


def random_states(items, design, rng, n):
    """Sittings somewhere on their way, with items held at random; some with few left."""
    for _ in range(n):
        length = int(rng.integers(0, 30))
        rows = rng.permutation(len(items))
        given = tuple(int(row) for row in rows[:length])
        scores = tuple(int(rng.integers(items.n_categories[row])) for row in given)
        n_held = int(rng.choice([0, 5, len(items) // 2, len(items) - 3, len(items)]))
        held = frozenset(int(row) for row in rng.permutation(len(items))[:n_held])
        yield SittingState(int(rng.integers(2**62)), given, scores, held)


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("name", DESIGNS)
def test_thousands_of_random_states_give_the_same_step_with_the_same_trace(general, name, bank):
    items, design, rng = BANKS[bank], DESIGNS[name], np.random.default_rng(4)
    assert design.is_plain
    for state in random_states(items, design, rng, 120):
        assert plain_step(state, items, design) == general(state, items, design)


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("name", DESIGNS)
def test_whole_sittings_give_the_same_steps(general, name, bank):
    items, design = BANKS[bank], DESIGNS[name]
    state = SittingState(11)
    while True:
        step = general(state, items, design)
        assert plain_step(state, items, design) == step
        json.dumps(step.trace, allow_nan=False)
        if step.next_item is None:
            break
        score = (step.next_item + state.n) % items.n_categories[step.next_item]
        state = record_response(state, step.next_item, int(score))


def test_the_session_takes_the_quick_way_where_it_can_and_only_there():
    items, design = BANKS["tied"], DESIGNS["length"]
    assert is_plain(SittingState(1, held=frozenset({3})), items, design)
    assert not is_plain(SittingState(1, excluded=frozenset({3})), items, design)
    assert not is_plain(SittingState(1, form=(1, 2)), items, design)
    assert not is_plain(SittingState(1), items, ExamDesign(interim="map"))
    assert next_step(SittingState(1), items, design) == plain_step(SittingState(1), items, design)
