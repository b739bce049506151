"""Rows of a bank as named values, and rows of several banks in one."""

import numpy as np
from support.reference_banks import every_model_bank, mixed_bank, nominal_bank

from calibration.bank_rows import error_values, joined_rows, parameter_values, same_parameters
from calibration.parameter_file import no_errors
from engine.models import dispatch


def test_every_model_keeps_its_own_parameters_by_name():
    items = every_model_bank()
    found = {items.model[row]: set(parameter_values(items, row)) for row in range(len(items))}
    assert found == {
        "4pl": {"a", "b", "c", "d"},
        "3pl": {"a", "b", "c"},
        "grm": {"a", "thresholds"},
        "gpcm": {"a", "thresholds"},
        "nrm": {"slopes", "intercepts"},
    }


def test_rows_of_several_banks_are_joined_as_they_were():
    banks = [(nominal_bank(), 3), (mixed_bank(), 2), (mixed_bank(), 70), (nominal_bank(), 0)]
    joined = joined_rows([(f"j{k}", items, row) for k, (items, row) in enumerate(banks)])
    for place, (items, row) in enumerate(banks):
        assert same_parameters([(joined, place), (items, row)])
        own = dispatch.probabilities(0.4, items)[0, row]
        here = dispatch.probabilities(0.4, joined)[0, place]
        assert here[here > 0].tolist() == own[own > 0].tolist()
    assert not same_parameters([(joined, 0), (joined, 3)])


def test_standard_errors_that_are_not_known_are_left_out():
    errors, values = no_errors(2, 2, 2), {"slopes": [1.0, 2.0], "intercepts": [0.0, 1.0]}
    assert error_values(errors, 0, values) == {}
    errors.slopes[1], errors.intercepts[1] = [0.1, 0.2], [0.3, np.nan]
    assert error_values(errors, 1, values) == {"slopes": [0.1, 0.2]}
