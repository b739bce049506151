import numpy as np
import pytest
from support.reference_banks import mixed_bank, reference_bank

from engine.aberrance.person_fit_limits import person_fit_flags, person_fit_limits, simulated_fit
from engine.errors import InputError
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.simulation.run import simulate

DESIGN = ExamDesign(stop=StoppingRules(length=20), final="wle")
STATISTICS = ("lz", "lz_star", "infit", "outfit", "cusum")


@pytest.mark.parametrize("bank", ["3pl", "mixed"])
def test_as_many_fitting_examinees_are_flagged_as_the_level_says(bank):
    items = reference_bank("3pl") if bank == "3pl" else mixed_bank()
    limits = person_fit_limits(items, DESIGN, 0.05, seed=1, n=2500)
    others = simulate(items, DESIGN, theta=np.random.default_rng(2).normal(size=2000), seed=3)
    flags = person_fit_flags(simulated_fit(others), limits)
    for name in STATISTICS:
        assert getattr(flags, name).mean() == pytest.approx(0.05, abs=0.02), name


def test_the_normal_table_would_flag_another_share_of_an_adaptive_test():
    """Why the limits are simulated: adaptive items leave lz little to vary with."""
    limits = person_fit_limits(reference_bank("3pl"), DESIGN, 0.05, n=4000)
    assert abs(limits.lz - -1.6448536) > 0.1


def test_guessing_from_the_tenth_item_on_is_flagged():
    """Recorded scores: the model's for the first half of the bank, chance for all the rest."""
    items, rng = reference_bank("3pl"), np.random.default_rng(5)
    design = ExamDesign(stop=StoppingRules(length=30), final="wle")
    limits = person_fit_limits(items, design, 0.05, n=4000)
    scores = (rng.random((400, len(items))) < 0.25).astype(np.int64)
    easy = items.b < 0.0
    scores[:, easy] = rng.random((400, int(easy.sum()))) < 0.55
    flags = person_fit_flags(simulated_fit(simulate(items, design, scores=scores)), limits)
    fitting = person_fit_flags(
        simulated_fit(simulate(items, design, theta=rng.normal(size=400))), limits
    )
    assert flags.lz_star.mean() > 3 * fitting.lz_star.mean()


def test_the_same_seed_gives_the_same_limits():
    first, again, other = (
        person_fit_limits(reference_bank("3pl"), DESIGN, 0.1, seed=seed, n=1000)
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("level", "n", "message"),
    [(0.0, 5000, "a level above 0"), (0.6, 5000, "at most 0.5"), (0.01, 1000, "4000 examinees")],
)
def test_levels_out_of_reach_are_refused(level, n, message):
    with pytest.raises(InputError, match=message):
        person_fit_limits(reference_bank("3pl"), DESIGN, level, n=n)
