import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference_banks import mixed_bank

from engine.ability.grids import Grid
from engine.errors import InputError
from engine.results.decisions import Level, ReportingScale
from engine.rules.designs import ExamDesign, check_design, design_from_mapping, design_to_mapping
from engine.rules.stopping import StoppingRules
from engine.selection import CRITERIA

FULL = {
    "selection": {
        "criterion": "a_stratified",
        "criterion_grid": [-5, 5, 41],
        "information_interval": 0.3,
        "a_strata": 5,
        "block_by_difficulty": True,
        "randomesque": 4,
        "start_theta": -0.5,
        "content": {"A": 0.4, "B": 0.6},
    },
    "estimation": {
        "interim": "map",
        "final": "wle",
        "prior_mean": 0.2,
        "prior_sd": 1.1,
        "grid": [-5, 5, 51],
    },
    "stopping": {"length": 30, "se": 0.3, "min_items": 5, "max_items": 40},
    "scale": {"slope": 10, "intercept": 50, "minimum": 0, "maximum": 100, "decimals": 1},
    "levels": [{"name": "pass", "minimum": 55}],
}


def test_a_mapping_says_everything_that_a_design_holds():
    assert design_from_mapping(FULL) == ExamDesign(
        criterion="a_stratified",
        criterion_grid=Grid(-5.0, 5.0, 41),
        information_interval=0.3,
        a_strata=5,
        block_by_difficulty=True,
        interim="map",
        final="wle",
        prior_mean=0.2,
        prior_sd=1.1,
        grid=Grid(-5.0, 5.0, 51),
        start_theta=-0.5,
        randomesque=4,
        content_shares=(("A", 0.4), ("B", 0.6)),
        stop=StoppingRules(length=30, se=0.3, min_items=5, max_items=40),
        scale=ReportingScale(10.0, 50.0, 0.0, 100.0, 1),
        levels=(Level("pass", 55.0),),
    )


def test_an_empty_mapping_is_the_default_design():
    assert design_from_mapping({}) == ExamDesign()


@pytest.mark.parametrize("mapping", [FULL, {}])
def test_a_design_survives_json(mapping):
    design = design_from_mapping(mapping)
    assert design_from_mapping(json.loads(json.dumps(design_to_mapping(design)))) == design


@given(
    st.sampled_from([name for name in CRITERIA if name != "a_stratified"]),
    st.sampled_from(["eap", "map", "mle", "wle"]),
    st.floats(-3, 3),
    st.integers(1, 20),
    st.one_of(st.none(), st.floats(0.1, 1)),
    st.integers(0, 10),
)
def test_any_design_survives_its_mapping(criterion, estimator, theta, k, se, fewest):
    design = ExamDesign(
        criterion=criterion,
        interim=estimator,
        start_theta=theta,
        randomesque=k,
        stop=StoppingRules(se=se, min_items=fewest, max_items=50),
    )
    assert design_from_mapping(design_to_mapping(design)) == design


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            {"stoping": {}},
            "stoping: expected one of selection, .*stopping, .*levels",
        ),
        ({"stopping": {"lenght": 3}}, "stopping: expected one of length, se, .*found 'lenght'"),
        ({"stopping": {"length": 3.0}}, "stopping.length: expected a whole number"),
        ({"stopping": {"length": True}}, "stopping.length: expected a whole number"),
        ({"stopping": {"se": "0.3"}}, "stopping.se: expected a number"),
        ({"stopping": []}, r"stopping: expected a table \[stopping\]"),
        ({"selection": {"criterion": "best"}}, "selection.criterion: expected one of"),
        ({"selection": {"criterion": 3}}, "selection.criterion: expected a text"),
        ({"selection": {"a_strata": 2.5}}, "selection.a_strata: expected a whole number"),
        ({"selection": {"a_strata": 1}}, "selection.a_strata: expected at least 2 strata"),
        ({"selection": {"information_interval": 0}}, "selection.information_interval"),
        ({"selection": {"block_by_difficulty": 1}}, "block_by_difficulty: expected true or false"),
        ({"selection": {"criterion_grid": [4, -4, 9]}}, "a grid from low to high"),
        (
            {"selection": {"criterion": "mpwi", "criterion_grid": [-4, 4, 4]}},
            "selection.criterion_grid: expected grid points at most",
        ),
        ({"selection": {"criterion": "a_stratified"}}, "stopping.length: expected length or max"),
        ({"selection": {"content": [0.5]}}, "selection.content: expected a table"),
        ({"selection": {"content": {"A": "x"}}}, "selection.content.A: expected a number"),
        ({"selection": {"randomesque": 0}}, "selection.randomesque: expected a whole number"),
        ({"selection": {"start_theta": 11}}, "selection.start_theta"),
        ({"estimation": {"interim": "ml"}}, "estimation.interim: expected one of eap"),
        ({"estimation": {"grid": [-4, 4]}}, r"estimation.grid: expected \[low, high, n\]"),
        ({"estimation": {"grid": [-4, 4, 33.5]}}, "estimation.grid: expected a whole number"),
        ({"estimation": {"prior_sd": 0}}, "prior_sd: expected a prior standard deviation"),
        ({"estimation": {"prior_sd": 0.1}}, "estimation.grid: expected grid points at most"),
        ({"estimation": {"prior_mean": 7}}, "estimation.prior_mean: expected a prior mean within"),
        ({"scale": {"slope": -1}}, "scale.slope"),
        ({"levels": [{"name": "a"}]}, r"levels\[1\]: expected name and minimum"),
        ({"levels": "pass"}, "levels: expected a list"),
    ],
)
def test_a_wrong_mapping_is_refused_by_key(mapping, message):
    with pytest.raises(InputError, match=message):
        design_from_mapping(mapping)


def test_a_bank_that_is_too_small_for_the_test_is_refused():
    with pytest.raises(InputError, match="at least 141 items to choose from, found 140"):
        check_design(ExamDesign(stop=StoppingRules(length=141)), mixed_bank())
    shares = (("A", 0.5), ("B", 0.5))
    with pytest.raises(InputError, match="at least 71 items to choose from, found 70"):
        check_design(ExamDesign(stop=StoppingRules(length=71), content_shares=shares), mixed_bank())


def test_a_bank_for_which_the_criterion_is_not_defined_is_refused():
    with pytest.raises(InputError, match=r"selection.criterion: .* item m060 of model grm"):
        check_design(ExamDesign(criterion="urry"), mixed_bank())


def test_usual_options_of_criteria_are_not_written():
    """So that the mapping of an old exam stays what it was."""
    assert set(design_to_mapping(ExamDesign())["selection"]) == {
        "criterion",
        "randomesque",
        "start_theta",
    }
