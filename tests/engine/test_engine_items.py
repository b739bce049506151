import numpy as np
import pytest
from support.reference_banks import mixed_bank

from engine.errors import InputError
from engine.items import item_parameters


def bank(**changes):
    given = {"a": [1.0, 1.2], "b": [0.0, 0.5], "c": [np.nan, 0.2]} | changes
    return item_parameters(["x", "y"], ["2pl", "3pl"], **given)


def test_lacking_asymptotes_are_0_and_1():
    assert bank().c.tolist() == [0.0, 0.2]
    assert bank().d.tolist() == [1.0, 1.0]


def test_the_first_threshold_of_a_dichotomous_item_is_its_b():
    assert bank().thresholds.tolist() == [[0.0], [0.5]]


def test_parameters_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        bank().a[0] = 2.0


def test_row_and_identifier_name_the_same_item():
    assert [mixed_bank().row(name) for name in mixed_bank().item] == list(range(140))


def test_a_row_of_an_unknown_item_is_refused():
    with pytest.raises(InputError, match="2 items of the bank, found 'z'"):
        bank().row("z")


def test_categories_are_one_more_than_thresholds():
    items = item_parameters(
        ["p", "q"],
        ["grm", "rasch"],
        a=1.0,
        b=[np.nan, 0.3],
        thresholds=[[-1.0, 0.0, 1.0], [np.nan] * 3],
    )
    assert items.n_categories.tolist() == [4, 2]
    assert items.max_categories == 4


def test_parts_cover_the_bank_once():
    items = mixed_bank()
    rows = np.concatenate([part.rows for part in items.parts])
    assert sorted(rows.tolist()) == list(range(len(items)))
    assert [part.family for part in items.parts] == ["logistic", "graded", "partial_credit"]
    for code, part in enumerate(items.parts):
        assert (items.family_codes[part.rows] == code).all()


def test_a_subset_keeps_order_and_parameters():
    some = mixed_bank().subset([70, 3])
    assert some.item == ("m070", "m003")
    assert some.a.tolist() == mixed_bank().a[[70, 3]].tolist()
    assert some.content == ("C", "D")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"a": [1.0, 0.0]}, "item y: a: expected a number above 0"),
        ({"a": [1.0, -1.0]}, "item y: a"),
        ({"a": [np.nan, 1.0]}, "item x: a"),
        ({"a": [1.0, np.inf]}, "item y: a"),
        ({"b": [0.0, np.nan]}, "item y: b: expected a number"),
        ({"c": [0.1, 0.2]}, "item x: c: expected no c"),
        ({"c": [np.nan, np.nan]}, "item y: c: expected a number from 0"),
        ({"c": [np.nan, 1.0]}, "item y: c"),
        ({"c": [np.nan, -0.1]}, "item y: c"),
        ({"d": [1.0, 0.9]}, "item y: d: expected no d"),
        ({"a": [1.0]}, "a: expected 2 values"),
        ({"content": ["A"]}, "content: expected 2 content areas"),
        ({"thresholds": [[0.1], [0.5]]}, "item x: thresholds: expected no thresholds"),
        ({"thresholds": [[0.0]]}, "thresholds: expected shape"),
    ],
)
def test_wrong_parameters_are_refused_with_item_field_and_value(changes, message):
    with pytest.raises(InputError, match=message):
        bank(**changes)


def test_an_upper_asymptote_must_lie_above_the_lower():
    with pytest.raises(InputError, match="item x: d: expected a number above c"):
        item_parameters(["x"], "4pl", a=1.0, b=0.0, c=0.4, d=0.3)


@pytest.mark.parametrize(
    ("model", "steps", "message"),
    [
        ("grm", [0.5, 0.1], "ascending thresholds"),
        ("grm", [0.5, 0.5], "ascending thresholds"),
        ("gpcm", [0.5, np.nan, 0.7], "no gap"),
        ("gpcm", [np.nan, 0.5], "at least b1"),
        ("gpcm", [0.1, np.inf], "finite numbers"),
        ("pcm", [np.nan, np.nan], "at least b1"),
    ],
)
def test_wrong_thresholds_are_refused(model, steps, message):
    with pytest.raises(InputError, match=message):
        item_parameters(["x"], model, a=1.0, thresholds=[steps])


def test_partial_credit_thresholds_may_be_out_of_order():
    items = item_parameters(["x"], "gpcm", a=1.0, thresholds=[[0.5, 0.1]])
    assert items.n_categories.tolist() == [3]


def test_a_polytomous_item_has_no_b():
    with pytest.raises(InputError, match="no b, since the model has thresholds"):
        item_parameters(["x"], "grm", a=1.0, b=0.0, thresholds=[[0.5]])


@pytest.mark.parametrize(
    ("names", "model", "message"),
    [
        ([], "2pl", "at least one item"),
        (["x", "x"], "2pl", "identifiers that occur once"),
        ([""], "2pl", "identifiers that occur once"),
        (["x"], "5pl", "one of rasch, 1pl"),
        (["x"], ["2pl", "2pl"], "1 models"),
    ],
)
def test_wrong_names_and_models_are_refused(names, model, message):
    with pytest.raises(InputError, match=message):
        item_parameters(names, model, a=1.0, b=0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"a": 1.0}, "item x: a: expected no a"),
        ({"b": 0.0}, "item x: b: expected no b"),
        ({"c": 0.1}, "item x: c: expected no c"),
        ({"slopes": None}, "item x: slopes: expected at least slope1"),
        ({"intercepts": None}, "item x: intercepts: expected at least intercept1"),
        ({"slopes": [[np.nan, 0.5]]}, "item x: slopes: expected at least slope1"),
        ({"slopes": [[0.5, np.nan, 1.0]]}, "item x: slopes: expected no gap"),
        ({"slopes": [[0.5, np.inf]]}, "item x: slopes: expected finite numbers"),
        ({"slopes": [[0.5]]}, "item x: intercepts: expected as many intercepts as slopes"),
        ({"slopes": [[0.0, 0.0]]}, "item x: slopes: expected a slope other than 0"),
        ({"thresholds": [[0.5]]}, "item x: thresholds: expected no thresholds"),
        ({"slopes": [0.5, 1.0]}, "slopes: expected shape"),
    ],
)
def test_wrong_parameters_of_a_nominal_item_are_refused(changes, message):
    known = {"slopes": [[0.5, 1.0]], "intercepts": [[0.1, -0.2]]}
    with pytest.raises(InputError, match=message):
        item_parameters(["x"], "nrm", **(known | changes))


def test_other_models_have_no_slopes():
    with pytest.raises(InputError, match="item y: slopes: expected no slopes"):
        bank(slopes=[[np.nan], [0.5]])


def test_a_nominal_item_has_a_category_more_than_slopes():
    items = item_parameters(
        ["p", "q"],
        ["nrm", "2pl"],
        a=[np.nan, 1.0],
        b=[np.nan, 0.3],
        slopes=[[0.4, -1.0, np.nan], [np.nan] * 3],
        intercepts=[[0.0, 0.2, np.nan], [np.nan] * 3],
    )
    assert items.n_categories.tolist() == [3, 2]
    assert items.max_categories == 3
    assert items.subset([1]).n_categories.tolist() == [2]
