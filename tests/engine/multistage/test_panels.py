"""Panels: assembled by a program, checked against everything that was asked."""

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from support.blueprint_banks import rich_bank, rich_blueprint

from engine.blueprints.blueprint import Blueprint, blueprint_from_mapping
from engine.blueprints.constraints import broken, constraints_of
from engine.errors import AnswerIsNo, InputError
from engine.models import dispatch
from engine.multistage.assembly import Order, assemble_panels
from engine.multistage.plans import PanelPlan, Stage

BANK = rich_bank(300)
THREE = ((-1.0,), (0.0,), (1.0,))
PLAN = PanelPlan((Stage(6, ((0.0,),)), Stage(6, THREE), Stage(6, THREE)))
BLUEPRINT = rich_blueprint(
    content={"algebra": {"minimum": 4, "maximum": 6}, "data": {"minimum": 3}},
    labels={"key": {"*": {"minimum": 2, "maximum_share": 0.4}}},
    totals={"words": {"maximum": 1400}},
    sets={"min_items": 3, "max_items": 4},
)


@cache
def made(seed=1):
    return assemble_panels(BANK, BLUEPRINT, PLAN, Order(2), seed=seed)


def all_paths(panels):
    return [(panel, path) for panel in range(panels.n_panels) for path in panels.plan.paths]


def test_every_path_of_every_panel_keeps_the_blueprint():
    panels = made()
    bound = constraints_of(BANK, BLUEPRINT, 18)
    rows = np.array([panels.path_rows(panel, path) for panel, path in all_paths(panels)])
    assert rows.shape == (2 * 7, 18)
    assert not any(broken(bound, rows))
    assert all(len(set(one)) == 18 for one in rows.tolist())


def test_no_item_stands_in_two_modules_or_two_panels():
    panels = made()
    rows = np.concatenate([module for panel in panels.rows for module in panel])
    assert len(set(rows.tolist())) == len(rows) == 2 * 7 * 6
    assert panels.shared.tolist() == [[42, 0], [0, 42]]


def test_information_is_close_to_the_targets_and_told_as_it_is():
    panels = made()
    for panel in range(2):
        for module, rows in enumerate(panels.rows[panel]):
            points = np.array(PLAN.modules[module].points)
            told = panels.information[panel][module]
            again = dispatch.information(points, BANK)[:, rows].sum(axis=1)
            np.testing.assert_allclose(told, again)
            np.testing.assert_allclose(told, panels.targets[module], rtol=0.05 + 1e-6)


def test_the_harder_module_has_more_information_at_higher_theta():
    panels = made()
    theta = np.array([-2.0, 2.0])
    for panel in panels.rows:
        for stage in (1, 2):
            curves = [
                dispatch.information(theta, BANK)[:, panel[PLAN.at(stage, place)]].sum(axis=1)
                for place in range(3)
            ]
            low, high = np.array(curves).T
            assert low[0] > low[2]
            assert high[2] > high[0]


def test_the_same_seed_gives_the_same_panels_and_another_one_does_not():
    plan = PanelPlan((Stage(5, ((0.0,),)), Stage(5, ((-1.0,), (1.0,)))))
    first, again, other = (
        assemble_panels(BANK, Blueprint(), plan, Order(2), seed=seed).rows for seed in (1, 1, 2)
    )
    modules = [(panel, module) for panel in range(2) for module in range(3)]
    assert all(np.array_equal(first[p][m], again[p][m]) for p, m in modules)
    assert not all(np.array_equal(first[p][m], other[p][m]) for p, m in modules)


def test_panels_share_no_more_items_than_they_may():
    items = BANK.subset(range(50, 120))
    plan = PanelPlan((Stage(5, ((0.0,),)), Stage(5, ((-1.0,), (1.0,)))))
    with pytest.raises(AnswerIsNo):
        assemble_panels(items, Blueprint(), plan, Order(5))
    panels = assemble_panels(items, Blueprint(), plan, Order(5, most_shared=2, tolerance=0.2))
    assert panels.shared.diagonal().tolist() == [15] * 5
    assert max(panels.shared[one, two] for one, two in combinations(range(5), 2)) <= 2
    assert panels.shared.sum() > 75


def test_targets_of_ones_own_are_met():
    plan = PanelPlan((Stage(5, ((-0.5, 0.5),)), Stage(5, ((-1.0,), (1.0,)))))
    targets = ((1.5, 1.5), (1.6,), (1.4,))
    panels = assemble_panels(BANK, Blueprint(), plan, Order(2, targets, 0.03))
    for panel in panels.information:
        for told, target in zip(panel, targets, strict=True):
            np.testing.assert_allclose(told, target, rtol=0.03 + 1e-6)


def test_what_cannot_be_had_is_an_answer_of_no_that_names_the_module():
    targets = ((2.0,), (2.0,), (2.0,), (90.0,), (2.0,), (2.0,), (2.0,))
    with pytest.raises(AnswerIsNo, match=r"no panel 1 of 1: module 2-3: information 90 at theta 1"):
        assemble_panels(BANK, BLUEPRINT, PLAN, Order(1, targets))


def test_a_path_that_lacks_content_is_an_answer_of_no_that_names_it():
    few = BANK.subset([*np.flatnonzero(~BANK.areas["algebra"]), *range(20, 25)])
    few = replace(few, attributes=replace(few.attributes, enemies=((),) * len(few)))
    blueprint = blueprint_from_mapping({"content": {"algebra": {"minimum": 8}}})
    with pytest.raises(AnswerIsNo, match=r"path 1-1 .*: content algebra .*short by"):
        assemble_panels(few, blueprint, PLAN, Order(1))


def test_too_small_a_bank_is_an_answer_of_no():
    with pytest.raises(AnswerIsNo, match=r"no 9 panels: .*module .-.: 6 items \(short by"):
        assemble_panels(BANK, Blueprint(), PLAN, Order(9))


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_panels": 0},
        {"n_panels": 1, "tolerance": 0.0},
        {"n_panels": 1, "most_shared": -1},
        {"n_panels": 1, "targets": [[1.0]]},
    ],
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError) as refused:
        assemble_panels(BANK, Blueprint(), PLAN, Order(**wrong))
    assert refused.value.column in wrong


# --- plans --------------------------------------------------------------------------------------


def test_paths_move_to_neighbours_unless_told_otherwise():
    assert len(PLAN.paths) == 7
    assert (0, 0, 2) not in PLAN.paths
    assert len(replace(PLAN, routes="all").paths) == 9
    four = tuple((theta,) for theta in (-1.5, -0.5, 0.5, 1.5))
    plan = PanelPlan((Stage(5, ((0.0,),)), Stage(5, ((-1.0,), (1.0,))), Stage(5, four)))
    assert plan.reachable(1, 0) == (0, 1, 2)
    assert plan.reachable(1, 1) == (1, 2, 3)


@pytest.mark.parametrize(
    "stages",
    [
        (),
        (Stage(5, THREE),),
        (Stage(0, ((0.0,),)),),
        (Stage(5, ((),)),),
        (Stage(5, ((0.0,),)), Stage(5, ((1.0,), (-1.0,)))),
        (Stage(5, ((float("nan"),),)),),
    ],
)
def test_plans_that_are_none_are_refused(stages):
    with pytest.raises(InputError):
        PanelPlan(stages)


def test_a_plan_has_known_routes_only():
    with pytest.raises(InputError, match="adjacent, all"):
        PanelPlan(PLAN.stages, routes="any")
