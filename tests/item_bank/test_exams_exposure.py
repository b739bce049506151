"""Exposure control and classification in real sittings: they run, and replay from the log."""

import pytest
from support.sittings import EXAM, begin, finish, open_hall

from engine.errors import InputError
from item_bank.exams.designs import apply_exam
from item_bank.exams.replay import replay
from item_bank.items.releases import release_parameters
from item_bank.store.schema import organisation

CLASSIFYING = '[classification]\nmethod = "glr"\ndelta = 0.6\nalpha = 0.2\nbeta = 0.2\n'
RULES = {
    "progressive": '[exposure]\nmethod = "progressive"\n',
    "proportional": '[exposure]\nmethod = "proportional"\n',
    "sympson_hetter": '[exposure]\nmethod = "sympson_hetter"\nstrata = [0.0]\n[exposure.k]\n',
}


def k_of_all(db):
    items = release_parameters(db, "small", organisation_id=organisation(db)).items
    return "".join(f'"{item}" = [0.6, 0.4]\n' for item in items.item)


@pytest.mark.parametrize("name", RULES)
def test_a_sitting_under_exposure_control_ends_and_replays(db, small_bank, name):
    rules = RULES[name] + (k_of_all(db) if name == "sympson_hetter" else "")
    text = EXAM.replace("[stopping]", f"{rules}{CLASSIFYING}[stopping]")
    hall = open_hall(db, exam=text)
    for candidate, language in ((hall.alice, "en"), (hall.bob, "ru")):
        end = finish(hall, candidate, begin(hall, candidate, language))
        assert end.status == "finished"
        assert replay(hall.db, end.sitting_id).problems == ()


@pytest.mark.parametrize(
    ("rules", "column"),
    [
        ("[exposure]\nceiling = 0.3\n", "exposure.ceiling"),
        ('[exposure]\nmethod = "eligibility"\nmax_rate = 0.3\n', "exposure.method"),
        ("[pretest]\ncount = 1\npositions = [3]\n", "pretest.count"),
        ("[estimation]\ncandidate_prior = true\n", "estimation.candidate_prior"),
    ],
)
def test_rules_that_a_site_cannot_serve_yet_are_refused(db, small_bank, rules, column):
    text = EXAM.replace("[stopping]", f"{rules}[stopping]")
    with pytest.raises(InputError, match=rf"e\.toml: {column}: expected"):
        apply_exam(db, text, organisation_id=organisation(db), file="e.toml")


def test_a_rule_for_time_that_results_do_not_know_is_refused(db, small_bank):
    text = EXAM.replace("[stopping]", '[stopping]\nout_of_time = "no_score"')
    with pytest.raises(InputError, match=r"stopping\.out_of_time"):
        apply_exam(db, text, organisation_id=organisation(db), file="e.toml")
