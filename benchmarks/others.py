"""The same tests by catsim and PyPI's mirt, which ``make bench`` installs.

Each function prepares its work once; what it returns does the work once when called.
"""

# ruff: noqa: PLC0415 - imported only where they are installed

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from engine.arrays import Floats
from engine.items import ItemParameters

Work = Callable[[], object]
LENGTH = 30
NEVER_SO_SMALL = 1e-9
"""A standard error: mirt's compiled simulator asks for such a rule."""


def catsim_sittings(items: ItemParameters, theta: Floats) -> Work:
    """catsim's simulator: maximum information and its numerical search; it has no EAP."""
    import numpy as np
    from catsim.estimation import NumericalSearchEstimator
    from catsim.initialization import FixedPointInitializer
    from catsim.item_bank import ItemBank
    from catsim.selection import MaxInfoSelector
    from catsim.simulation import Simulator
    from catsim.stopping import TestLengthStopper

    table = np.stack([items.a, items.b, items.c, items.d], axis=1)

    def work() -> None:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            simulator = Simulator(
                ItemBank(table.copy()),
                theta,
                FixedPointInitializer(0.0),
                MaxInfoSelector(),
                NumericalSearchEstimator(),
                TestLengthStopper(max_items=LENGTH),
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                simulator.simulate(verbose=False)
        assert all(len(given) == LENGTH for given in simulator.administered_items)

    return work


def mirt_engine(items: ItemParameters) -> Any:
    """mirt's engine on a bank of 3PL items: maximum information, EAP on 61 points."""
    from mirt import ThreeParameterLogistic
    from mirt.cat.stopping import MaxItemsStop

    model = ThreeParameterLogistic(n_items=len(items))
    model.set_parameters(discrimination=items.a, difficulty=items.b, guessing=items.c)
    return _engine(model, MaxItemsStop(LENGTH))


def mirt_two_parameter_engine(items: ItemParameters) -> Any:
    """The same for 2PL items, with the rule that lets it use its compiled simulator."""
    from mirt import TwoParameterLogistic
    from mirt.cat.stopping import StandardErrorStop

    model = TwoParameterLogistic(n_items=len(items))
    model.set_parameters(discrimination=items.a, difficulty=items.b)
    engine = _engine(model, StandardErrorStop(NEVER_SO_SMALL))
    assert engine._can_use_rust_simulation()  # noqa: SLF001 - or else another thing is timed
    return engine


def _engine(model: Any, rule: Any) -> Any:
    from mirt.cat import CATEngine

    model._is_fitted = True  # noqa: SLF001 - its engine takes no bank of known parameters otherwise
    return CATEngine(
        model,
        item_selection="MFI",
        stopping_rule=rule,
        scoring_method="EAP",
        max_items=LENGTH,
        n_quadpts=61,
        theta_bounds=(-6.0, 6.0),
        seed=0,
    )


def mirt_simulation(engine: Any, theta: Floats) -> Work:
    """All examinees in one call, in the quickest way that the engine has for them."""

    def work() -> None:
        found = engine.run_batch_simulation(theta)
        assert all(len(result.items_administered) == LENGTH for result in found)

    return work


def mirt_sittings(items: ItemParameters, n: int) -> Work:
    """Sittings answer by answer, as in a live exam."""
    engine = mirt_engine(items)

    def work() -> None:
        for place in range(n):
            engine.reset()
            state = engine.get_current_state()
            while not state.is_complete:
                state = engine.administer_item((state.next_item + place) % 2)

    return work
