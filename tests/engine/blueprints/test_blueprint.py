import json
from dataclasses import replace

import numpy as np
import pytest
from support.blueprint_banks import rich_bank, rich_blueprint

from engine.attributes import item_attributes
from engine.blueprints.blueprint import Bound, blueprint_from_mapping, blueprint_to_mapping
from engine.blueprints.constraints import amounts, broken, constraints_of, minimums_met
from engine.blueprints.look_ahead import eligible
from engine.errors import InputError
from engine.rules.designs import ExamDesign, check_design, design_from_mapping, design_to_mapping
from engine.rules.stopping import StoppingRules


def test_a_blueprint_survives_json():
    design = ExamDesign(stop=StoppingRules(length=30), blueprint=rich_blueprint())
    tables = json.loads(json.dumps(design_to_mapping(design), allow_nan=False))
    assert design_from_mapping(tables) == design
    assert blueprint_from_mapping(blueprint_to_mapping(rich_blueprint())) == rich_blueprint()


def test_shares_are_rounded_towards_each_other():
    assert Bound("A", minimum_share=0.2, maximum_share=0.35).of(12) == (3, 4)
    assert Bound("A", minimum_share=0.25, maximum_share=0.25).of(12) == (3, 3)
    assert Bound("A", maximum=5).of(12) == (-np.inf, 5)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"contents": {}}, "blueprint: expected one of method"),
        ({"method": "magic"}, "blueprint.method: expected one of masks"),
        ({"nodes": 0}, "blueprint.nodes"),
        ({"content": {"A": {}}}, "blueprint.content.A: expected a minimum or a maximum"),
        ({"content": {"A": {"minimum": 1.5}}}, "blueprint.content.A.minimum: expected a whole"),
        ({"content": {"A": {"minimum": 5, "maximum": 4}}}, "a maximum from 5, found 4"),
        ({"content": {"A": {"minimum_share": 1.2}}}, "a share from 0 to 1"),
        ({"content": {"A": {"minimum": 1, "minimum_share": 0.2}}}, "minimum or minimum_share"),
        ({"totals": {"words": {"maximum_share": 0.2}}}, "blueprint.totals.words"),
        ({"sets": {"min_items": 4, "max_items": 3}}, "blueprint.sets"),
        ({"enemies": [["i1"]]}, r"blueprint.enemies\[1\]"),
        ({"excluded": "i1"}, "blueprint.excluded: expected a list"),
    ],
)
def test_wrong_tables_are_refused(table, message):
    with pytest.raises(InputError, match=message):
        blueprint_from_mapping(table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"content": {"logic": {"maximum": 3}}}, "blueprint.content: .*algebra.*found 'logic'"),
        ({"labels": {"colour": {"red": {"maximum": 3}}}}, "blueprint.labels: .*key.*'colour'"),
        ({"labels": {"key": {"E": {"maximum": 3}}}}, "blueprint.labels.key: .*'E'"),
        ({"totals": {"pages": {"maximum": 3}}}, "blueprint.totals: .*words.*'pages'"),
        ({"enemies": [["i1", "i900"]]}, "blueprint.enemies: .*'i900'"),
        ({"excluded": ["i900"]}, "blueprint.excluded"),
    ],
)
def test_what_the_bank_lacks_is_refused(changes, message):
    design = ExamDesign(stop=StoppingRules(length=30), blueprint=rich_blueprint(**changes))
    with pytest.raises(InputError, match=message):
        check_design(design, rich_bank())


def test_a_blueprint_needs_a_length():
    with pytest.raises(InputError, match=r"stopping.length: expected length or max_items"):
        ExamDesign(stop=StoppingRules(se=0.3), blueprint=rich_blueprint())


def test_the_priority_index_takes_information_alone():
    with pytest.raises(InputError, match="max_information alone"):
        ExamDesign(
            criterion="random",
            stop=StoppingRules(length=30),
            blueprint=rich_blueprint(method="priority_index"),
        )


def test_amounts_and_broken_constraints_of_a_test():
    items = rich_bank()
    bound = constraints_of(items, rich_blueprint(), 30)
    rows = np.array([[0, 1, 5, 2, 100, 101, 299, -1]])
    held = amounts(bound, rows)[0]
    assert held[bound.names.index("totals words")] == pytest.approx(
        items.attributes.numbers["words"][[0, 1, 5, 2, 100, 101, 299]].sum()
    )
    names = broken(bound, rows)[0]
    assert {"sets", "enemies", "excluded", "content geometry", "totals seconds"} <= set(names)
    assert not minimums_met(bound, rows)[0]


def test_enemies_named_by_one_side_hold_for_both():
    bound = constraints_of(rich_bank(), rich_blueprint(), 30)
    assert bound.enemies[[0], [1]] == bound.enemies[[1], [0]] == 1
    assert (100, 101, 102) in bound.cliques


def test_masks_bar_enemies_sets_that_were_left_and_excluded_items():
    bound = constraints_of(rich_bank(), rich_blueprint(), 30)
    rows, free = np.array([[100, 10, 11, 12, 60]]), np.ones((1, 300), bool)
    free[0, rows[0]] = False
    mask = eligible(bound, rows, free)[0]
    assert not mask[[101, 102, 120, 13, 14, 299]].any()
    inside = eligible(bound, rows[:, :3], free)[0]
    assert np.flatnonzero(inside).tolist() == [13, 14]


def test_a_set_that_cannot_be_finished_is_not_entered():
    bound = constraints_of(rich_bank(), rich_blueprint(totals={}, labels={}, content={}), 6)
    free = np.ones((1, 300), bool)
    free[0, [200, 201, 203, 205]] = False
    mask = eligible(bound, np.array([[200, 201, 203, 205]]), free)[0]
    assert not mask[:50].any()
    assert mask[50:].any()


def test_attributes_are_checked_and_follow_a_subset():
    with pytest.raises(InputError, match="words: expected a number for every item"):
        item_attributes(2, numbers={"words": [3, np.nan]})
    with pytest.raises(InputError, match="key: expected 2 values"):
        item_attributes(2, labels={"key": ["A"]})
    items = rich_bank()
    some = items.subset([5, 2]).attributes
    assert some.stimulus == ("s1", "s0")
    assert some.labels["key"][1] == items.attributes.labels["key"][2]
    assert replace(items, attributes=items.attributes).attributes is items.attributes
