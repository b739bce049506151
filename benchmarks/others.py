"""The same tests by catsim and PyPI's mirt, where ``pip install tarozu[bench]`` put them.

Each function gives examinees per CPU second.
"""

# ruff: noqa: PLC0415 - imported only where they are installed

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.items import ItemParameters

Timed = Callable[[Callable[[], object]], float]
LENGTH = 30


def is_installed(name: str) -> bool:
    if importlib.util.find_spec(name) is not None:
        return True
    print(f"{name} is not installed: pip install tarozu[bench]")
    return False


def catsim_sittings(items: ItemParameters, theta: Floats, timed: Timed) -> float:
    """catsim's simulator: maximum information and its own numerical search, no EAP."""
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
            simulator.simulate(verbose=False)
        assert all(len(given) == LENGTH for given in simulator.administered_items)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return len(theta) / timed(work)


def mirt_engine(items: ItemParameters, seed: int = 0) -> Any:
    from mirt import ThreeParameterLogistic
    from mirt.cat import CATEngine
    from mirt.cat.stopping import MaxItemsStop

    model = ThreeParameterLogistic(n_items=len(items))
    model.set_parameters(discrimination=items.a, difficulty=items.b, guessing=items.c)
    model._is_fitted = True  # noqa: SLF001 - its engine takes no bank of known parameters otherwise
    return CATEngine(
        model,
        item_selection="MFI",
        stopping_rule=MaxItemsStop(LENGTH),
        scoring_method="EAP",
        max_items=LENGTH,
        n_quadpts=61,
        theta_bounds=(-6.0, 6.0),
        seed=seed,
    )


def mirt_simulation(items: ItemParameters, theta: Floats, timed: Timed) -> float:
    """mirt's batch simulation: lock step over examinees, maximum information, EAP."""
    engine = mirt_engine(items)

    def work() -> None:
        found = engine.run_batch_simulation(theta)
        assert all(len(result.items_administered) == LENGTH for result in found)

    return len(theta) / timed(work)


def mirt_sittings(items: ItemParameters, theta: Floats, timed: Timed) -> float:
    """mirt's engine answer by answer: maximum information, EAP."""
    engine = mirt_engine(items)

    def work() -> None:
        for place in range(len(theta)):
            engine.reset()
            state = engine.get_current_state()
            while not state.is_complete:
                state = engine.administer_item((state.next_item + place) % 2)

    return len(theta) / timed(work)
