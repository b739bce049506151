import json

import numpy as np
import pytest

from calibration.matrix import response_matrix_from_codes
from calibration.recalibration import recalibrate
from calibration.recalibrations.gates import Gates
from calibration.recalibrations.judgements import judge
from calibration.recalibrations.plans import make_plan
from calibration.recalibrations.time_parameters import (
    time_parameters,
    time_rows,
    time_summary,
    time_values,
)
from engine.errors import AnswerIsNo, InputError
from engine.items import item_parameters
from engine.models import dispatch

N_ITEMS, N_OLD, DRIFTED = 48, 40, "i05"
STATUSES = ("operational",) * N_OLD + ("pretest",) * (N_ITEMS - N_OLD)


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(21)
    return item_parameters(
        [f"i{k:02d}" for k in range(N_ITEMS)],
        "2pl",
        a=rng.lognormal(0.2, 0.2, N_ITEMS),
        b=rng.normal(0, 0.9, N_ITEMS),
    )


@pytest.fixture(scope="module")
def release(truth):
    """As published: one operational item was harder then, and pretest items have a guess."""
    a, b = np.array(truth.a), np.array(truth.b)
    a[N_OLD:], b[N_OLD:] = 1.0, 0.0
    b[truth.row(DRIFTED)] += 1.0
    return item_parameters(truth.item, "2pl", a=a, b=b)


@pytest.fixture(scope="module")
def sittings(truth, adaptive):
    rng = np.random.default_rng(22)
    return adaptive(truth, N_OLD, rng.normal(0.4, 1.1, 4000), rng, length=12, n_new=2)


def counts_of(matrix):
    return dict(zip(matrix.item, matrix.item_counts().tolist(), strict=True))


@pytest.fixture(scope="module")
def linked(release, sittings):
    plan = make_plan(release, STATUSES, counts_of(sittings), "pretest", "link")
    return recalibrate(sittings, release, plan)


def test_link_brings_pretest_items_onto_the_scale_and_lists_the_anchor_that_drifted(linked, truth):
    items = linked.calibration.fit.items
    assert linked.plan.way == "link"
    assert linked.plan.free == truth.item[N_OLD:]
    assert list(linked.scale.dropped) == [DRIFTED]
    assert linked.link.n_anchors == N_OLD - 1
    assert np.sqrt(np.mean((items.b - truth.b)[N_OLD:] ** 2)) < 0.15
    assert pytest.approx((1.1, 0.4), abs=0.08) == (linked.link.A, linked.link.B)
    assert f"drifted and do not link: {DRIFTED} (easier" in " ".join(linked.calibration.remarks)


def test_operational_items_keep_the_release_under_link(linked, release):
    items = linked.calibration.fit.items
    np.testing.assert_array_equal(items.b[:N_OLD], release.b[:N_OLD])
    assert np.isnan(linked.calibration.errors.b[:N_OLD]).all()
    assert np.isfinite(linked.calibration.errors.b[N_OLD:]).all()


def test_unscreened_all_anchors_link(release, sittings):
    plan = make_plan(release, STATUSES, counts_of(sittings), "all", "link")
    found = recalibrate(sittings, release, plan, limit=None)
    assert found.link.n_anchors == N_OLD
    assert found.scale.dropped == {}


def test_a_chain_and_gates_are_kept_as_plain_data(linked):
    gates = Gates(min_n=700)
    before = {
        "base_release": 1, "n_links": 2,
        "scale": {"se_A": 0.1, "se_B": 0.2, "covariance": 0.0},
    }  # fmt: skip
    found = judge(linked, STATUSES, [], (3, before), gates)
    figures = json.loads(json.dumps(found.figures))
    assert figures["link"]["chain"]["n_links"] == 3
    assert figures["link"]["chain"]["se_B"] > 0.2
    assert figures["link"]["dropped"] == linked.scale.dropped
    assert figures["gates"]["min_n"] == 700
    assert set(figures["promoted"]) | set(figures["stay_pretest"]) == set(linked.plan.free)
    for name, reasons in figures["stay_pretest"].items():
        assert reasons
        assert found.about(name)["gate"] == {
            "passed": False, "reasons": reasons, "unchecked": ["DIF"],
        }  # fmt: skip
    assert "passed the gates" in " ".join(found.remarks)
    html = "".join(text for _heading, text in found.sections)
    assert DRIFTED in html
    assert "Response times" not in dict(found.sections)


def test_items_whose_gate_is_out_of_reach_stay_pretest(linked):
    found = judge(linked, STATUSES, [], (1, None), Gates(min_n=10**6))
    assert found.figures["promoted"] == []
    assert f"{len(linked.plan.free)} pretest items failed a gate" in " ".join(found.remarks)


def test_held_items_have_no_constants_to_estimate(release, sittings):
    plan = make_plan(release, STATUSES, counts_of(sittings), "pretest")
    found = judge(recalibrate(sittings, release, plan), STATUSES, [], (1, None), Gates())
    assert found.link["method"] == "fixed"
    assert found.link["n_anchors"] == N_OLD
    assert found.link["chain"]["n_links"] == 0


def test_nothing_links_through_fewer_than_two_items(release):
    few = dict.fromkeys(release.item[N_OLD - 1 :], 100)
    with pytest.raises(AnswerIsNo, match="1 operational items have 30 responses"):
        make_plan(release, STATUSES, few, "pretest", "link")
    with pytest.raises(InputError, match="--strategy: expected fixed or link"):
        make_plan(release, STATUSES, few, "pretest", "free")


def test_all_codes_can_be_asked_for_where_items_link(release, sittings):
    codes = ",".join(release.item)
    plan = make_plan(release, STATUSES, counts_of(sittings), codes, "link")
    assert plan.way == "link"
    with pytest.raises(InputError, match="some items to hold the scale"):
        make_plan(release, STATUSES, counts_of(sittings), codes)


def test_nominal_items_come_onto_the_scale_too():
    rng = np.random.default_rng(4)
    n, persons = 12, 3000
    slopes, intercepts = np.full((2, n, 2), np.nan)
    slopes[8:], intercepts[8:] = [0.8, 1.6], [0.3, -0.2]
    a = np.where(np.arange(n) < 8, 1.2, np.nan)
    b = np.where(np.arange(n) < 8, np.linspace(-1.5, 1.5, n), np.nan)
    bank = item_parameters(
        [f"i{k}" for k in range(n)], ["2pl"] * 8 + ["nrm"] * 4, a=a, b=b,
        slopes=slopes, intercepts=intercepts,
    )  # fmt: skip
    chance = dispatch.probabilities(rng.normal(0.5, 1.0, persons), bank).cumsum(axis=2)
    scores = (rng.random((persons, n, 1)) > chance[:, :, :-1]).sum(axis=2)
    rows, columns = np.indices(scores.shape).reshape(2, -1)
    matrix = response_matrix_from_codes(
        [f"p{k}" for k in range(persons)], bank.item, (rows, columns, scores.ravel()), routed=True
    )
    plan = make_plan(bank, ("operational",) * n, counts_of(matrix), "all")
    found = recalibrate(matrix, bank, plan).calibration.fit
    assert found.latent_mean[0] == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(found.items.slopes[8:], slopes[8:], atol=0.3)


def timed(n_persons=400, n_items=6, seed=0):
    rng = np.random.default_rng(seed)
    intensity = np.linspace(3.0, 4.5, n_items)
    speed = rng.normal(0, 0.3, n_persons)
    return intensity, [
        (f"p{p}", f"i{k}", float(np.exp(intensity[k] - speed[p] + rng.normal(0, 0.5))))
        for p in range(n_persons)
        for k in range(n_items)
    ]


def test_time_parameters_are_those_that_made_the_times():
    intensity, rows = timed()
    found = time_parameters([*rows, ("p1", "i0", 0.0)], [f"i{k}" for k in range(7)])
    np.testing.assert_allclose(found.model.intensity[:6], intensity, atol=0.08)
    np.testing.assert_allclose(found.model.discrimination[:6], 2.0, rtol=0.12)
    assert found.model.speed_sd == pytest.approx(0.3, abs=0.05)
    assert time_values(found, 0)["n"] == 400
    assert time_values(found, 6) is None
    assert time_rows(found)[0][-1] == pytest.approx(np.exp(found.model.intensity[0]))
    assert time_summary(found)["dropped"] == 1
    assert time_summary(found)["n_items"] == 6


def test_without_times_there_is_no_model():
    assert time_parameters([("p", "i0", 0.0)], ["i0"]) is None
    assert time_summary(None) is None
