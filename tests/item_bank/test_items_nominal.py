"""Items of the model nrm in banks: files, releases, comparison, and how a choice is scored."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.banks import small_bank_document

from engine.errors import InputError
from engine.models import dispatch
from item_bank.items.bank_files import BankSource, ItemSource
from item_bank.items.calibrations import DraftRow, save_draft
from item_bank.items.differences import curve_distance, diff
from item_bank.items.formats.csv_file import csv_text, read_csv
from item_bank.items.formats.json_file import bank_document, read_json
from item_bank.items.formats.reading import check_bank_file
from item_bank.items.imports import import_bank
from item_bank.items.overview import bank_overview, bank_source
from item_bank.items.plans import Parameters
from item_bank.items.releases import publish, release_parameters
from item_bank.items.scoring import max_score, points_by_score, score
from item_bank.items.wording import change_row, item_rows, item_shown
from item_bank.store.schema import organisation

NRM = {"model": "nrm", "slopes": [-0.4, 0.3, 1.5], "intercepts": [0.2, -0.1, 0.5]}
CATEGORIES = {"A": 0, "B": 1, "C": 2, "D": 3}
KEY = {"correct": "D", "categories": CATEGORIES, "choices": ["A", "B", "C", "D"]}


def nominal_document(n_items=12, **changes):
    """The small bank with every second item scored by option."""
    document = small_bank_document(n_items)
    for item in document["items"][::2]:
        correct = item["key"]["correct"]
        order = [*(name for name in "ABCD" if name != correct), correct]
        shift = -0.2 * int(item["code"][2:])
        item["key"]["categories"] = {name: place for place, name in enumerate(order)}
        item["parameters"] = {**NRM, "intercepts": [0.2, -0.1, 0.5 + shift], **changes}
    return document


def read(tmp_path, document):
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(document))
    return read_json(path)


def published(db, tmp_path, document):
    home = organisation(db)
    import_bank(db, read(tmp_path, document), organisation_id=home)
    return publish(db, "small", organisation_id=home)


def problems(tmp_path, change):
    document = nominal_document(1)
    change(document["items"][0])
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(document))
    return [str(error).split("item S-01: ")[-1] for error in check_bank_file(path).errors]


def test_a_csv_file_with_nominal_items_is_read_and_written_alike(tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text(
        "item,model,a,b,slope1,slope2,intercept1,intercept2,se_slope1,se_slope2,content\n"
        "N,nrm,,,0.5,1.25,-0.5,0.75,0.1,0.2,x\n"
        "B,2pl,1.5,0.5,,,,,,,x\n"
    )
    source = read_csv(path)
    values = {"slopes": [0.5, 1.25], "intercepts": [-0.5, 0.75]}
    assert source.items[0].parameters[""] == Parameters("nrm", values, {"slopes": [0.1, 0.2]})
    (tmp_path / "again.csv").write_text(csv_text(source.items))
    assert read_csv(tmp_path / "again.csv").items == source.items


def test_a_json_file_with_nominal_items_is_read_and_written_alike(tmp_path):
    source = read(tmp_path, nominal_document(4, se={"slopes": [0.1, 0.1, 0.2]}))
    assert source.items[0].key["categories"]["B"] == 3  # that of the correct choice
    again = read(tmp_path, bank_document(source))
    assert again.items == source.items


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("N,nrm,1,,0.5,,0.5,", "2: a: expected no a, since each category has a slope (model nrm)"),
        ("N,nrm,,0,0.5,,0.5,", "2: b: expected no b, since each category has an intercept"),
        ("N,nrm,,,,,0.5,", "2: slope1: expected a number (model nrm) for item N, found none"),
        ("N,nrm,,,0.5,,,", "2: intercept1: expected a number (model nrm) for item N, found none"),
        ("N,nrm,,,0.5,1,0.5,", "expected as many intercepts as slopes"),
        ("N,nrm,,,0,0,1,1", "a slope other than 0, that of category 0"),
        ("N,nrm,,,,1,,1", "slope1"),
        ("N,2pl,1,0,0.5,,,", "no slopes, which this model lacks (model 2pl)"),
    ],
)
def test_wrong_parameters_of_a_nominal_item_are_refused_by_column(tmp_path, row, problem):
    path = tmp_path / "bank.csv"
    path.write_text(f"item,model,a,b,slope1,slope2,intercept1,intercept2\n{row}\n")
    (found,) = check_bank_file(path).errors
    assert problem in found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda item: item["key"].pop("categories"),
            "parameters.model: expected a model with two categories for single_choice, found nrm",
        ),
        (
            lambda item: item.update(parameters={"model": "2pl", "a": 1, "b": 0}),
            "parameters.model: expected nrm with 3 slopes, one for each category of the key above",
        ),
        (
            lambda item: item["key"]["categories"].pop("A"),
            "key.categories: expected a category for each of A, B, C, D",
        ),
        (
            lambda item: item["key"]["categories"].update(A=7),
            "key.categories: expected categories 0, 1, 2, ... without a gap, found [0, 1, 2, 3, 7]",
        ),
        (
            lambda item: item["key"]["categories"].update(B=0),
            "key.categories.B: expected a category above 0 that only the correct choice has",
        ),
        (
            lambda item: item["key"]["categories"].update(C=3),
            "key.categories.B: expected a category above 0 that only the correct choice has",
        ),
        (
            lambda item: item["key"]["categories"].update(A=0.5),
            "key.categories: expected whole numbers from 0",
        ),
        (
            lambda item: item["key"]["categories"].update(A=10**18),
            "key.categories: expected categories 0, 1, 2, ... without a gap",
        ),
        (
            lambda item: item["key"].update(correct=["B"]),
            'key: expected an object {"correct": choice}',
        ),
        (
            lambda item: item["parameters"].update(model=["nrm"]),
            "parameters.model: expected one of rasch",
        ),
        (
            lambda item: item.update(parameters={**NRM, "slopes": [1], "intercepts": [0]}),
            "parameters.model: expected nrm with 3 slopes",
        ),
    ],
)
def test_a_key_that_does_not_go_with_the_model_is_refused(tmp_path, change, problem):
    assert any(found.startswith(problem) for found in problems(tmp_path, change))


def test_the_category_of_the_choice_is_the_score_and_no_answer_is_category_0():
    chosen = [score("single_choice", KEY, choice) for choice in "ABCD"]
    assert chosen == [0, 1, 2, 3]
    assert score("single_choice", KEY, None) == 0
    assert max_score("single_choice", KEY) == 3
    assert points_by_score(KEY, 3) == [0, 0, 0, 1]


def test_several_choices_may_share_a_category():
    key = {**KEY, "categories": {"A": 0, "B": 1, "C": 1, "D": 2}}
    assert [score("single_choice", key, choice) for choice in "ABCD"] == [0, 1, 1, 2]


def test_an_item_scored_right_or_wrong_is_worth_its_score():
    assert points_by_score({"correct": "A"}, 1) == [0, 1]
    assert points_by_score({}, 3) == [0, 1, 2, 3]


def test_a_release_has_nominal_items_among_others(db, tmp_path):
    published(db, tmp_path, nominal_document())
    release = release_parameters(db, "small", organisation_id=organisation(db))
    items = release.items
    assert items.model[:2] == ("nrm", "2pl")
    np.testing.assert_allclose(items.slopes[0], NRM["slopes"])
    assert np.isnan(items.slopes[1]).all()
    assert release.points[:2] == ((0, 0, 0, 1), (0, 1))
    chances = dispatch.probabilities(np.array([0.3]), items)[0, 0]
    logits = np.array([0.0, *(0.3 * np.array(NRM["slopes"]) + [0.2, -0.1, 0.3])])
    np.testing.assert_allclose(chances, np.exp(logits) / np.exp(logits).sum())


def test_an_export_is_imported_again_without_a_change(db, tmp_path):
    published(db, tmp_path, nominal_document())
    home = organisation(db)
    source = bank_source(db, "small", organisation_id=home)
    report = import_bank(
        db, read(tmp_path, bank_document(source)), organisation_id=home, bank_code="small"
    )
    assert not report.changed


def test_parameters_alone_do_not_make_an_item_nominal(db, tmp_path):
    """A file of parameters keeps the key that there is, by which answers are scored."""
    published(db, tmp_path, small_bank_document())
    values = {name: NRM[name] for name in ("slopes", "intercepts")}
    new = ItemSource("S-01", parameters={"": Parameters("nrm", values, {})})
    with pytest.raises(InputError, match=r"new\.csv: item S-01: model: expected a model with two"):
        import_bank(
            db, BankSource("new.csv", (new,)), organisation_id=organisation(db), bank_code="small"
        )


def test_a_draft_of_another_model_is_not_published(db, tmp_path):
    published(db, tmp_path, nominal_document())
    home = organisation(db)
    release = release_parameters(db, "small", organisation_id=home)
    row = DraftRow(release.revision_ids[0], "", "2pl", {"a": 1.0, "b": 0.0})
    save_draft(
        db,
        organisation_id=home,
        bank_code="small",
        source="test",
        run_id=None,
        base_release_id=release.release_id,
        rows=[row],
    )
    with pytest.raises(InputError, match="item S-01: model: expected nrm with 3 slopes"):
        publish(db, "small", organisation_id=home)


def test_show_and_diff_write_slopes_and_intercepts(db, tmp_path):
    home = organisation(db)
    published(db, tmp_path, nominal_document())
    overview = bank_overview(db, "small", organisation_id=home)
    shown = item_shown(item_rows(overview.items[0])[0])
    assert (shown["a"], shown["b"]) == ("-0.40 0.30 1.50", "0.20 -0.10 0.30")

    other = nominal_document()
    other["items"][0]["parameters"]["slopes"] = [-0.4, 0.3, 1.9]
    import_bank(db, read(tmp_path, other), organisation_id=home)
    (difference,) = diff(db, "small", "1", "draft", organisation_id=home)
    row = change_row(difference)
    assert row["a"] == "-0.400 0.300 1.500 → -0.400 0.300 1.900"
    assert 0.01 < row["distance"] < 0.2


def test_nominal_curves_are_compared_category_by_category():
    def nominal(*slopes):
        return Parameters("nrm", {"slopes": [*slopes], "intercepts": [0.0] * len(slopes)}, {})

    def first(theta, slope):
        return 1 / (2 + np.exp(slope * theta))

    theta = np.linspace(-4, 4, 161)
    swapped = curve_distance(nominal(0.0, 1.0), nominal(1.0, 0.0))
    expected = np.abs(first(theta, 1.0) - np.exp(theta) * first(theta, 1.0)).max()
    assert swapped == pytest.approx(expected)
    assert curve_distance(nominal(1.0), nominal(1.0, 0.5)) is None
    assert curve_distance(nominal(1.0), Parameters("2pl", {"a": 1.0, "b": 0.0}, {})) is None
