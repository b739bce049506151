"""What the database counts is what numpy counts, on SQLite and on PostgreSQL."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from support.cohort_data import FIRST, add_outcomes, add_usage
from support.corrections import WORDS, put_in_force, somebody
from support.sittings import begin, finish

from engine.results.classification_accuracy import levels_at
from engine.results.decisions import ReportingScale
from item_bank.exams.designs import apply_exam, exam_source
from item_bank.items.releases import release_items
from item_bank.results.cohorts.alarms import alarms
from item_bank.results.cohorts.cohort import UNKNOWN, Wanted
from item_bank.results.cohorts.exactness import exactness
from item_bank.results.cohorts.frames import frame
from item_bank.results.cohorts.groups import Group, groups, withheld
from item_bank.results.cohorts.item_use import bank_use
from item_bank.results.cohorts.scores import bin_width, scores
from item_bank.results.cohorts.sums import Moments
from item_bank.results.cohorts.times import NEAR, times
from item_bank.results.corrections.proposing import propose_cuts
from item_bank.results.studies import NewStudy, record_study
from item_bank.store.clock import DAY, SECOND
from item_bank.store.tables.items import Item, ItemHold
from item_bank.store.tables.outcomes import Outcome

N = 700


@pytest.fixture
def made(hall):
    """Seven hundred outcomes of the hall's exam, as arrays."""
    return add_outcomes(hall.db, hall.exam, N, simulated=0.3)


def look(hall, **wanted):
    return frame(hall.db, "sums", Wanted(**wanted), organisation_id=hall.alice.organisation_id)


def valid(made):
    return made["state"] != "invalidated"


def values(made, name, where):
    found = made[name][where]
    return found[[one is not None for one in found]].astype(float)


FILTERS = {
    "everything": ({}, valid),
    "language": ({"language": "ru"}, lambda m: valid(m) & (m["language"] == "ru")),
    "country": ({"country": "TJ"}, lambda m: valid(m) & (m["country"] == "TJ")),
    "no country": ({"country": UNKNOWN}, lambda m: valid(m) & (m["country"] == None)),  # noqa: E711
    "centre": ({"centre": "Centre 03"}, lambda m: valid(m) & (m["centre"] == "Centre 03")),
    "first": ({"attempts": "first"}, lambda m: valid(m) & (m["attempt"] == 1)),
    "real": ({"sittings": "real"}, lambda m: valid(m) & ~m["simulated"].astype(bool)),
    "simulated": ({"sittings": "simulated"}, lambda m: valid(m) & m["simulated"].astype(bool)),
    "held": ({"state": "held"}, lambda m: m["state"] == "held"),
    "any state": ({"state": "any"}, lambda m: m["state"] != ""),
    "version": ({"version": 1}, valid),
    "no such version": ({"version": 9}, lambda m: m["state"] == ""),
    "dates": (
        {"since": FIRST + 100 * DAY, "until": FIRST + 200 * DAY},
        lambda m: (
            valid(m)
            & (m["finished_at"] >= FIRST + 100 * DAY)
            & (m["finished_at"] < FIRST + 200 * DAY)
        ),
    ),
}


def test_scores_are_those_of_numpy_under_every_filter(hall, made):
    for name, (wanted, of) in FILTERS.items():
        where = of(made)
        found = scores(hall.db, look(hall, **wanted))
        own = values(made, "score", where)

        assert found.n == where.sum(), name
        assert found.scores.n == len(own), name
        if not len(own):
            assert found.scores.mean is found.passed is None
            assert found.bins == found.months == ()
            continue
        assert found.scores.mean == pytest.approx(own.mean()), name
        assert found.scores.sd == pytest.approx(own.std(ddof=1)), name
        passed = values(made, "passed", where)
        assert (found.passed.count, found.passed.n) == (passed.sum(), len(passed)), name
        assert sum(one.n for one in found.months) == found.n
        assert sum(one.share.count for one in found.levels) == len(passed)
        edges = [one.low for one in found.bins] + [found.bins[-1].high + 1e-9]
        counts, _ = np.histogram(own, edges)
        assert [one.n for one in found.bins] == counts.tolist(), name


def test_months_are_those_in_which_sittings_ended(hall, made):
    found = scores(hall.db, look(hall, state="any")).months

    months = (made["finished_at"].astype("int64") // SECOND).astype("datetime64[s]")
    names, counts = np.unique(months.astype("datetime64[M]").astype(str), return_counts=True)
    assert {one.name: one.n for one in found} == dict(zip(names, counts, strict=True))
    assert [one.name for one in found] == sorted(names)


@pytest.mark.parametrize("by", ["language", "country", "centre"])
def test_groups_are_those_of_numpy(hall, made, by):
    found = groups(hall.db, look(hall), by)

    assert [one.n for one in found] == sorted((one.n for one in found), reverse=True)
    for group in found:
        name = None if group.name == UNKNOWN else group.name
        where = valid(made) & (made[by] == name)
        passed = values(made, "passed", where)
        assert group.n == where.sum()
        assert group.scores.mean == pytest.approx(values(made, "score", where).mean())
        low, high = binomtest(int(passed.sum()), len(passed)).proportion_ci(method="wilson")
        assert group.passed.low == pytest.approx(low)
        assert group.passed.high == pytest.approx(high)
        assert group.mean_seconds == pytest.approx(values(made, "seconds", where).mean())
        assert group.is_small == (where.sum() < 10)


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [((50, 40, 30), set()), ((50, 40, 3), {"c", "b"}), ((50, 9, 8), {"b", "c"}), ((5,), {"a"})],
)
def test_small_groups_are_withheld_with_what_would_give_them_away(sizes, kept):
    found = [
        Group(name, n, Moments(n), None, 0.0, 0.0) for name, n in zip("abc", sizes, strict=False)
    ]

    assert withheld(found) == kept


def test_times_are_those_of_numpy(hall, made):
    found = times(hall.db, look(hall))
    where = valid(made)
    seconds, lengths = (values(made, name, where) for name in ("seconds", "n_items"))
    left = values(made, "deadline_at", where) - values(made, "finished_at", where)
    whole = values(made, "deadline_at", where) - values(made, "started_at", where)

    assert found.n == found.limited == where.sum()
    assert found.mean_seconds == pytest.approx(seconds.mean())
    assert found.mean_items == pytest.approx(lengths.mean())
    assert found.near.count == (left < NEAR * whole).sum()
    assert found.out_of_time.count == (made["stop_reason"][where] == "time").sum()
    assert dict(found.reasons)["se"] == (made["stop_reason"][where] == "se").sum()
    assert {one.low: one.n for one in found.lengths} == {
        k: (lengths == k).sum() for k in np.unique(lengths)
    }
    assert sum(one.n for one in found.minutes) == where.sum()
    assert found.percentiles[50] == np.floor(np.quantile(seconds, 0.5, method="higher") / 60) + 1


def test_precision_is_that_of_the_estimates(hall, made):
    found = exactness(hall.db, look(hall))
    theta, se = (values(made, name, valid(made)) for name in ("theta", "se"))
    variance, error = theta.var(ddof=1), (se**2).mean()

    assert found.theta.mean == pytest.approx(theta.mean())
    assert found.mean_error_variance == pytest.approx(error)
    assert found.reliability == pytest.approx(variance / (variance + error))
    assert found.study is None
    assert [cut.csem for cut in found.cuts] == [None]
    near = np.abs(theta - (499.5 - 500) / 50) <= 0.25
    assert found.cuts[0].posterior_se == pytest.approx(
        50 * np.sqrt((se[near] ** 2).mean()), rel=0.02
    )
    assert sum(band.n for band in found.bands) == len(theta)
    assert found.rates.accuracy == found.cuts[0].cohort.accuracy


def test_decisions_of_the_cohort_are_as_right_as_two_sittings_of_each_show(hall):
    rng, n = np.random.default_rng(3), 6000
    add_outcomes(hall.db, hall.exam, n, seed=3)
    items = rng.integers(8, 26, n)
    information, true = 0.55 * items, rng.normal(size=n)
    first, second = (
        (information * true + rng.normal(size=n) * information**0.5) / (information + 1)
        for _ in range(2)
    )
    cut = (499.5 - 500) / 50

    rates = exactness(hall.db, look(hall)).rates

    decided = [levels_at(one, [cut]) for one in (true, first, second)]
    assert rates.accuracy == pytest.approx((decided[0] == decided[1]).mean(), abs=0.02)
    assert rates.consistency == pytest.approx((decided[1] == decided[2]).mean(), abs=0.02)


def test_the_conditional_error_is_the_simulations_and_only_of_its_own_version(hall, made):
    def keep(version, csem):
        rows = [{"theta": t, "csem": csem + t} for t in (-2.0, 0.0, 2.0)]
        summary = {"by_cut": [{"level": "certified", "accuracy": 0.9, "consistency": 0.85}]}
        with hall.db.write() as session:
            new = NewStudy("precision", hall.exam.organisation_id, "worker", summary, rows,
                           {"exam_version": version}, hall.exam.exam_id)  # fmt: skip
            record_study(hall.db, session, new)

    keep(hall.exam.version_id, 15.0)
    hall.clock.pass_seconds(1)
    keep("another", 99.0)
    found = exactness(hall.db, look(hall))

    assert found.cuts[0].csem == pytest.approx(14.99)
    assert found.cuts[0].study["accuracy"] == 0.9
    theta = values(made, "theta", valid(made))
    assert found.cuts[0].within == pytest.approx((abs(theta + 0.01) <= 0.3).sum(), rel=0.1)
    assert {band.csem for band in found.bands if abs(band.score - 500) > 100} == {None}


def test_cut_scores_that_a_correction_put_in_force_are_those_of_the_cohort(hall):
    done = finish(hall, hall.alice, begin(hall, hall.alice))
    number = propose_cuts(hall.db, somebody(hall), "sums", {"certified": 650}, (), WORDS)
    assert [level.minimum for level in look(hall).levels_with_cut] == [500]

    put_in_force(hall, number)

    own = look(hall)
    assert [level.minimum for level in own.levels_with_cut] == [650]
    level = next(one for one in scores(hall.db, own).levels if one.share.count)
    with hall.db.read() as session:
        assert session.get_one(Outcome, done.sitting_id).level == level.level.code
    rows = [{"level": "certified", "minimum": 500.0, "accuracy": 0.9, "consistency": 0.8}]
    with hall.db.write() as session:
        new = NewStudy("precision", hall.exam.organisation_id, "worker", {"by_cut": rows}, [],
                       {"exam_version": hall.exam.version_id}, hall.exam.exam_id)  # fmt: skip
        record_study(hall.db, session, new)
    found = exactness(hall.db, own)
    assert found.study is not None
    assert found.simulated == {}


def test_versions_on_another_scale_are_named(hall, made):
    text = _text(hall).replace("slope = 50", "slope = 40")
    other, is_new = apply_exam(hall.db, text, organisation_id=hall.alice.organisation_id)
    assert is_new
    assert look(hall).version.number == 1  # nobody sat the other yet
    add_outcomes(hall.db, other, 5)

    both = look(hall)

    assert (both.version.number, both.unlike) == (2, (1,))
    assert look(hall, version=1).unlike == ()
    assert look(hall, version=1).version.plan.design.scale.slope == 50


def _text(hall):
    return exam_source(hall.db, hall.exam.version_id)


def test_how_items_were_used(hall, made):
    release = release_items(hall.db, hall.exam.release_id, "en")
    codes = list(release.items.item)
    add_usage(hall.db, hall.exam, codes, 100)
    with hall.db.write() as session:
        for code, compromised in ((codes[0], True), (codes[1], False)):
            item = session.query(Item).where(Item.code == code).one()
            session.add(ItemHold(organisation_id=item.organisation_id, item_id=item.id, reason="r",
                                 compromised=compromised, placed_at=1))  # fmt: skip

    found = bank_use(hall.db, look(hall))

    assert found.sittings == 100
    assert found.items[0].given == 60
    assert found.items[0].rate == pytest.approx(0.6)
    assert (found.never, found.above, found.held, found.compromised) == (1, 2, 2, 1)
    assert [one.hold for one in found.items[:3]] == ["compromised", "held", ""]
    assert sum(one.n for one in found.supply) == len(values(made, "theta", valid(made)))
    assert all(one.best <= one.bank + 1e-9 for one in found.supply)


def test_real_sittings_are_counted_with_their_items(hall):
    done = finish(hall, hall.alice, begin(hall, hall.alice))

    found = bank_use(hall.db, look(hall))

    assert found.sittings == 1
    assert sum(one.given for one in found.items) == done.answered
    assert scores(hall.db, look(hall)).n == 1


def test_alarms_say_what_was_flagged_and_what_to_do(hall):
    home = hall.alice.organisation_id
    rows = [
        {"item": "S-01", "flag": "harder;curve", "d_b": 0.61, "d_a": -0.2},
        {"item": "S-02", "flag": "", "d_b": 0.0, "d_a": 0.0},
    ]
    dif = [
        {"item": "S-01", "flagged": 1, "group": "ru", "reference": "en", "ets_class": "C",
         "effect": -1.7, "p_adjusted": 0.0001},
        {"item": "S-09", "flagged": 1, "group": "ru", "reference": "en", "ets_class": None,
         "effect": 0.2, "p_adjusted": 0.02},
    ]  # fmt: skip
    with hall.db.write() as session:
        for kind, found in (("drift", rows), ("dif", dif)):
            new = NewStudy(kind, home, "command line", {}, found, bank_id=hall.exam.bank_id)
            record_study(hall.db, session, new)

    found = alarms(hall.db, hall.exam.bank_id, organisation_id=home)

    (moved,) = found["drift"].alarms
    assert moved.found == "harder, curve, b +0.61, a \u22120.20"
    assert "has become harder" in moved.advice
    first, second = found["dif"].alarms
    assert first.found == "ru against en, class C, effect \u22121.70, adjusted p below 0.001"
    assert first.advice.endswith("Hold the item while that is found out.")
    assert second.found == "ru against en, effect +0.20, adjusted p 0.020"
    assert found["dif"].items == 2


def test_without_a_study_there_is_none_to_show(hall):
    found = alarms(hall.db, hall.exam.bank_id, organisation_id=hall.alice.organisation_id)

    assert [one.study for one in found.values()] == [None, None]


@pytest.mark.parametrize(
    ("low", "high", "decimals", "width"),
    [(300, 700, 0, 10), (200, 800, 0, 20), (0, 10, 0, 1), (0, 10, 1, 0.5), (0, 100, 0, 5)],
)
def test_bins_of_scores_are_round(low, high, decimals, width):
    assert bin_width(ReportingScale(1, 0, low, high, decimals)) == pytest.approx(width)
