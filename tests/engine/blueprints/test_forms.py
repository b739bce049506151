import numpy as np
import pytest
from support.blueprint_banks import rich_bank, rich_blueprint

from engine.blueprints.constraints import broken, constraints_of
from engine.blueprints.forms import Band, assemble_forms
from engine.errors import AnswerIsNo, InputError
from engine.models import dispatch

POINTS = np.array([-1.0, 0.0, 1.0])
BAND = Band(POINTS, np.full(3, 3.6), np.full(3, 5.4))
PLAN = rich_blueprint(totals={})


def forms(seed=1, n_forms=6, **changes):
    given = {"length": 30, "n_forms": n_forms, "band": BAND, "most_shared": 6, "seed": seed}
    return assemble_forms(rich_bank(), PLAN, **{**given, **changes})


def test_forms_keep_blueprint_band_and_overlap():
    made = forms()
    assert made.rows.shape == (6, 30)
    assert not any(broken(constraints_of(rich_bank(), PLAN, 30), made.rows))
    information = dispatch.information(POINTS, rich_bank())
    for rows, told in zip(made.rows, made.information, strict=True):
        np.testing.assert_allclose(told, information[:, rows].sum(axis=1))
    assert (made.information >= 3.6 - 1e-6).all()
    assert (made.information <= 5.4 + 1e-6).all()
    assert (np.diag(made.shared) == 30).all()
    assert (made.shared - 30 * np.eye(6)).max() <= 6


def test_the_same_seed_gives_the_same_forms_and_another_one_does_not():
    first, again, other = forms(n_forms=2), forms(n_forms=2), forms(seed=2, n_forms=2)
    assert np.array_equal(first.rows, again.rows)
    assert not np.array_equal(first.rows, other.rows)


def test_forms_that_cannot_be_had_are_an_answer_of_no():
    with pytest.raises(AnswerIsNo, match="no form 1 of 2"):
        forms(n_forms=2, band=Band(POINTS, np.full(3, 50.0), np.full(3, 60.0)))


def test_a_band_that_is_upside_down_is_refused():
    with pytest.raises(InputError, match="in order"):
        Band(POINTS, np.full(3, 5.0), np.full(3, 4.0))
