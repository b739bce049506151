"""Choosing the items that a panel sees, and reading who sits on it."""

import numpy as np

from engine.items import item_parameters
from item_bank.results.standards.acts import NewMember
from item_bank.results.standards.plans import ItemChoice, chosen_rows
from item_bank.results.standards.rating_files import read_panel


def test_a_form_covers_areas_in_proportion_and_the_range_of_difficulties():
    bank = item_parameters(
        [f"i{n}" for n in range(30)], "rasch", a=1.0, b=np.linspace(-3, 3, 30),
        content=["one"] * 20 + ["two"] * 10,
    )  # fmt: skip

    rows = chosen_rows(bank, np.ones(30, dtype=bool), ItemChoice("form", 9))

    areas = [bank.content[row] for row in rows]
    assert (areas.count("one"), areas.count("two")) == (6, 3)
    assert bank.b[rows].min() < -2
    assert bank.b[rows].max() > 2
    assert np.diff(bank.b[rows]).max() < 1.2


def test_a_panel_is_read_with_accounts_and_tables():
    text = "panellist;name;table;account\nP1;Ann;A;ann@example.org\nP2;Ben;;\n"

    found = read_panel(text, file="p.csv")

    assert found == [NewMember("P1", "Ann", "ann@example.org", "A"), NewMember("P2", "Ben")]
