"""Sections of a simulation's report: bounds as they were kept and as they were missed."""

import re

import numpy as np
from support.reference_banks import FOLDER

from calibration.parameter_file import read_parameters
from calibration.simulations.content_section import content_section
from engine.blueprints.blueprint import blueprint_from_mapping
from engine.rules.designs import ExamDesign
from engine.rules.stopping import StoppingRules
from engine.simulation.run import simulate
from engine.simulation.summary import summarise

BLUEPRINT = {"content": {"A": {"minimum": 5, "maximum": 6}, "B": {"minimum_share": 0.2}}}


def section(design, **around):
    bank = read_parameters(FOLDER / "catr_bank_3pl.csv")
    record = simulate(bank, design, theta=np.linspace(-2, 2, 40), seed=3, **around)
    summary = summarise(record)
    return content_section(record, summary.blueprint_events), summary


def rows(text):
    return [
        re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", text)[1:]
    ]


def test_bounds_stand_with_what_the_tests_held():
    blueprint = blueprint_from_mapping(BLUEPRINT)
    text, summary = section(ExamDesign(stop=StoppingRules(length=10), blueprint=blueprint))
    found = {row[0]: row[1:] for row in rows(text)}
    assert summary.blueprint_violations == 0
    assert list(found) == ["content A", "content B"]
    low, high, fewest, mean, most, missed = found["content A"]
    assert (low, high, missed) == ("5", "6", "0")
    assert 5 <= int(fewest) <= float(mean) <= int(most) <= 6
    assert found["content B"][:2] == ["2", ""]


def test_shares_stand_with_the_tests_that_miss_them():
    shares = (("A", 0.5), ("B", 0.3), ("C", 0.2))
    text, _ = section(ExamDesign(stop=StoppingRules(length=10), content_shares=shares))
    assert rows(text) == [
        ["A", "0.500", "5", "5.000", "5", "0"],
        ["B", "0.300", "3", "3.000", "3", "0"],
        ["C", "0.200", "2", "2.000", "2", "0"],
    ]


def test_an_exam_without_content_rules_has_no_such_section():
    assert section(ExamDesign(stop=StoppingRules(length=5)))[0] == ""


def test_what_happened_to_a_blueprint_is_said():
    design = ExamDesign(
        stop=StoppingRules(length=5),
        blueprint=blueprint_from_mapping(BLUEPRINT | {"content": {"A": {"minimum": 2}}}),
    )
    bank = read_parameters(FOLDER / "catr_bank_3pl.csv")
    record = simulate(bank, design, theta=np.zeros(4), seed=1)
    text = content_section(record, {"blueprint_relaxed": 3})
    assert "In 3 of 4 tests a bound of the blueprint had to be left aside at some step." in text
