import csv
import json

import numpy as np
import pytest

from calibration.leaks.watch import (
    Answers,
    cusum,
    expectations,
    leaks,
    standardised,
    trend,
)
from engine.items import item_parameters

N_ITEMS, LENGTH, LEAKED = 30, 8, (2, 9)


def adaptive(rng, *, sittings, shift=0.0, mean=0.0, from_start=False):
    """Sittings of an adaptive test; the leaked items get easier by ``shift`` half-way."""
    items = item_parameters(
        [f"i{k:02d}" for k in range(N_ITEMS)],
        "2pl",
        a=rng.lognormal(0.1, 0.2, N_ITEMS),
        b=rng.normal(0, 0.8, N_ITEMS),
    )
    theta = rng.normal(mean, 1.0, sittings)
    grid = np.linspace(-4, 4, 33)
    chance = 1 / (1 + np.exp(-items.a * (grid[:, None] - items.b)))
    posterior = np.tile(-0.5 * grid**2, (sittings, 1))
    rows, scores = np.zeros((2, sittings, LENGTH), dtype=np.int64)
    seen = np.zeros((sittings, N_ITEMS), dtype=bool)
    late = np.arange(sittings) >= (0 if from_start else sittings // 2)
    easier = np.where(np.isin(np.arange(N_ITEMS), LEAKED), shift, 0.0)
    for k in range(LENGTH):
        weights = np.exp(posterior - posterior.max(axis=1, keepdims=True))
        estimate = weights @ grid / weights.sum(axis=1)
        distance = np.abs(estimate[:, None] - items.b) + rng.uniform(0, 0.5, seen.shape)
        row = np.argmin(np.where(seen, np.inf, distance), axis=1)
        seen[np.arange(sittings), row] = True
        b = items.b[row] - easier[row] * late
        score = rng.random(sittings) < 1 / (1 + np.exp(-items.a[row] * (theta - b)))
        posterior += np.log(np.where(score, chance[:, row], 1 - chance[:, row])).T
        rows[:, k], scores[:, k] = row, score
    return items, rows, scores


def answers_of(items, rows, scores, mean=0.0):
    chances = np.vstack(list(expectations(list(rows), list(scores), items, mean=mean)))
    return Answers(rows.ravel(), scores.ravel(), chances, np.arange(rows.size))


def watched(seed, **how):
    items, rows, scores = adaptive(np.random.default_rng(seed), **how)
    answers = answers_of(items, rows, scores, how.get("mean", 0.0))
    return leaks(answers, items.item, replications=500)


def test_residuals_against_the_answers_before_have_mean_zero_in_an_adaptive_test():
    items, rows, scores = adaptive(np.random.default_rng(1), sittings=4000)
    answers = answers_of(items, rows, scores)
    z = standardised(answers.score[:, None].astype(float), answers.chances)[:, 0]
    by_place = z.reshape(rows.shape).mean(axis=0) * np.sqrt(len(rows))
    assert np.abs(by_place).max() < 3.2
    by_item = np.array([z[answers.row == k].sum() for k in range(N_ITEMS)])
    counts = np.bincount(answers.row, minlength=N_ITEMS)
    assert (by_item / np.sqrt(counts)).std() == pytest.approx(1.0, abs=0.3)


def test_sound_items_raise_an_alarm_as_seldom_as_was_asked():
    found = [watched(seed, sittings=500) for seed in range(12)]
    alarms = sum(int((one.alarm_at > 0).sum()) for one in found)
    n = sum(int((one.n >= 30).sum()) for one in found)
    assert n > 300
    assert alarms / n < 0.025
    p = np.concatenate([one.p[one.n >= 30] for one in found])
    assert np.mean(p < 0.1) == pytest.approx(0.1, abs=0.05)


def test_a_stronger_population_is_no_leak():
    found = watched(3, sittings=1500, mean=0.8)
    assert (found.alarm_at > 0).mean() < 0.07


def test_items_that_get_easier_half_way_are_found_and_no_others():
    hits, others = 0, 0
    for seed in range(4):
        found = watched(seed, sittings=1600, shift=1.5)
        flagged = {k for k, flag in enumerate(found.flags) if flag}
        hits += len(flagged & set(LEAKED))
        others += len(flagged - set(LEAKED))
        for k in flagged & set(LEAKED):
            assert found.alarm_at[k] > 0.4 * found.n[k]
            assert found.flags[k] == "leak"
    assert hits == 8
    assert others <= 3


def test_an_item_that_was_always_easier_than_its_parameters_is_no_leak():
    found = watched(5, sittings=1600, shift=1.2, from_start=True)
    assert all(found.flags[k] == "easier" for k in LEAKED)


def test_items_with_few_answers_are_not_watched():
    found = watched(1, sittings=20)
    assert set(found.flags) == {""}
    assert np.isnan(found.cusum[found.n < 30]).all()


def test_the_first_answer_is_expected_by_the_population_and_later_ones_by_what_went_before():
    items = item_parameters(["e", "h"], "2pl", a=1.0, b=[0.0, 0.0])
    (first,) = expectations([np.array([0, 1])], [np.array([1, 0])], items)
    assert first[0, 1] == pytest.approx(0.5)
    assert first[1, 1] > 0.55
    (strong,) = expectations([np.array([0, 1])], [np.array([1, 0])], items, mean=1.0)
    assert strong[0, 1] > 0.6


def test_polytomous_answers_are_watched_by_their_expected_score():
    items = item_parameters(["x"], "gpcm", a=1.0, thresholds=[[-0.5, 0.5]])
    rng = np.random.default_rng(2)
    (chance,) = expectations([np.array([0])], [np.array([1])], items)
    chances = np.repeat(chance, 400, axis=0)
    sound = rng.choice(3, size=400, p=chance[0])
    leaked = np.where(np.arange(400) < 200, sound, 2)
    at, rows = np.arange(400), np.zeros(400, dtype=int)
    assert leaks(Answers(rows, sound, chances, at), ["x"]).flags == ("",)
    assert leaks(Answers(rows, leaked, chances, at), ["x"]).flags == ("leak",)


def test_the_cusum_is_that_of_its_recursion():
    z = np.random.default_rng(0).normal(size=50)
    expected, last = [], 0.0
    for value in z:
        last = max(0.0, last + value - 0.2)
        expected.append(last)
    np.testing.assert_allclose(cusum(z[:, None])[:, 0], expected, atol=1e-12)


def test_a_constant_shift_is_no_trend_and_trends_are_standard_normal():
    rng = np.random.default_rng(0)
    series = rng.normal(size=(2000, 60))
    found = np.array([trend(row) for row in series])
    assert (found.mean(), found.std()) == (
        pytest.approx(0, abs=0.06),
        pytest.approx(1, abs=0.06),
    )
    assert trend(series[0] + 5.0) == pytest.approx(trend(series[0]))
    assert trend(np.ones(40)) == 0.0


def test_answers_count_in_the_order_of_presentation_whatever_their_place():
    items, rows, scores = adaptive(np.random.default_rng(1), sittings=300)
    answers = answers_of(items, rows, scores)
    mixed = np.random.default_rng(2).permutation(rows.size)
    other = Answers(*(getattr(answers, name)[mixed] for name in ("row", "score", "chances", "at")))
    here, there = (leaks(one, items.item, replications=100) for one in (answers, other))
    np.testing.assert_array_equal(here.cusum, there.cusum)
    np.testing.assert_array_equal(here.alarm_at, there.alarm_at)


def test_the_command_watches_recorded_sittings(demonstration, run_command, tmp_path):
    url = f"sqlite:///{demonstration}"
    command = ("--json", "--database", url, "calibrate", "leaks", "--bank", "low-altitude")
    status, said, err = run_command(*command, "--out", tmp_path / "leaks.csv")
    found = json.loads(said)
    assert status == 0
    assert found["n_items"] == 125
    assert 0 < found["n_watched"] < 125
    assert "false alarms are to be expected" in err
    with (tmp_path / "leaks.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 125


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--release", "7"], 2, "a release from 1 to"),
        (["--false-alarms", "0"], 2, "--false-alarms: expected a share from 0.0005 to 0.5"),
        (["--seed", "-1"], 2, "--seed: expected a seed from 0"),
        (["--since", "2100-01-01"], 1, "no recorded sittings"),
    ],
)
def test_what_cannot_be_watched_is_said(demonstration, run_command, options, status, message):
    url = f"sqlite:///{demonstration}"
    found, said, err = run_command(
        "--database", url, "calibrate", "leaks", "--bank", "low-altitude", *options
    )
    assert (found, said, err.count("\n")) == (status, "", 1)
    assert message in err
