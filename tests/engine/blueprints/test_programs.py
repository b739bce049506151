"""Programs solved on few columns, against HiGHS' own search over all columns."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from engine.blueprints.programs import Limits, Program, solve

LIMITS = Limits(nodes=100_000, seconds=60.0)


def program_of(gain, matrix, lower, upper):
    n = len(gain)
    return Program(
        gain=np.asarray(gain, float),
        least=np.zeros(n),
        most=np.ones(n),
        matrix=sparse.csc_array(np.asarray(matrix, float)),
        lower=np.asarray(lower, float),
        upper=np.asarray(upper, float),
        whole=np.ones(n, bool),
        always=np.zeros(n, bool),
    )


def random_program(seed, n=200, ties=False):
    """A test of 12 items with bounds on six areas and two totals, and pairs of enemies."""
    rng = np.random.default_rng(seed)
    gain = rng.gamma(2.0, 1.0, n)
    if ties:
        gain = np.round(gain, 1)
    areas = np.arange(6)[:, None] == rng.integers(0, 6, n)
    words, seconds = rng.integers(20, 120, n), rng.integers(30, 150, n)
    pairs = np.zeros((8, n))
    for row in pairs:
        row[rng.choice(n, 3, replace=False)] = 1
    rows = np.concatenate([np.ones((1, n)), areas, [words], [seconds], pairs])
    lower = [12, *[1] * 6, rng.integers(600, 760), -np.inf, *[-np.inf] * 8]
    upper = [12, *[3] * 6, 800, rng.integers(700, 1000), *[1] * 8]
    return program_of(gain, rows, lower, upper)


def by_highs(program):
    return milp(
        -program.gain,
        integrality=np.ones(len(program.gain)),
        bounds=Bounds(program.least, program.most),
        constraints=LinearConstraint(program.matrix, program.lower, program.upper),
        options={"mip_rel_gap": 0.0},
    )


def keeps(program, values):
    rows = program.matrix @ values
    return np.all(rows >= program.lower - 1e-6) and np.all(rows <= program.upper + 1e-6)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 100_000), st.booleans())
def test_a_solution_is_as_good_as_that_of_all_columns_at_once(seed, ties):
    program = random_program(seed, ties=ties)
    found, full = solve(program, LIMITS), by_highs(program)
    if full.status == 2:
        assert found.status == "infeasible"
        assert found.values is None
        return
    assert found.status == "optimal"
    assert found.gain == pytest.approx(-full.fun, abs=1e-6)
    assert found.bound == found.gain == pytest.approx(program.gain @ found.values)
    assert set(found.values.tolist()) <= {0.0, 1.0}
    assert keeps(program, found.values)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 100_000))
def test_what_is_known_changes_no_gain_and_the_same_question_has_the_same_answer(seed):
    program = random_program(seed)
    found = solve(program, LIMITS)
    if found.values is None:
        return
    best = np.flatnonzero(found.values)
    poor = solve(random_program(seed, ties=True), LIMITS)
    for at_least, hint in (
        (found.gain, best),
        (found.gain - 1.0, best[:3]),
        (-np.inf, poor_of(poor)),
    ):
        again = solve(program, LIMITS, at_least, hint)
        assert again.gain == pytest.approx(found.gain, abs=1e-6)
        same = solve(program, LIMITS, at_least, hint)
        assert np.array_equal(same.values, again.values)


def poor_of(solution):
    return np.zeros(0, np.int64) if solution.values is None else np.flatnonzero(solution.values)


def test_sums_that_no_tree_settles_are_settled_by_highs():
    """Market split (Cornuejols and Dawande, 1999): feasible sums are hard to hit by branching."""
    rng = np.random.default_rng(4)
    weights = rng.integers(0, 100, (3, 20))
    hit = weights @ rng.integers(0, 2, 20)
    program = program_of(rng.random(20), weights, hit, hit)
    found, full = solve(program, LIMITS), by_highs(program)
    assert found.status == "optimal"
    assert found.nodes > 600
    assert found.gain == pytest.approx(-full.fun, abs=1e-6)
    hurried = solve(program, Limits(nodes=20, seconds=60.0))
    assert hurried.status == "nodes"
    assert hurried.nodes <= 21


def test_a_search_out_of_time_says_so():
    found = solve(random_program(3), Limits(nodes=1000, seconds=1e-9))
    assert (found.status, found.values) == ("clock", None)


def test_columns_that_may_take_larger_numbers_are_rounded_up_and_down():
    """Three sizes of coins make 47 with as few coins as can be: four of 10, one of 5, two of 1."""
    program = program_of([-1.0, -1.0, -1.0], [[10, 5, 1]], [47], [47])
    program.most[:] = np.inf
    program.always[:] = True
    found = solve(program, LIMITS)
    assert found.values.tolist() == [4, 1, 2]


def test_threads_find_what_one_finds():
    programs = [random_program(seed) for seed in range(8)]
    alone = [solve(program, LIMITS).gain for program in programs]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda program: solve(program, LIMITS).gain, programs))
    assert together == alone


def test_solving_prints_nothing():
    code = (
        "import numpy as np; from engine.blueprints.linear import Linear; from scipy import sparse;"
        "one = np.ones(1); linear = Linear(one, one);"
        "linear.add(one, 0 * one, one, sparse.csc_array(np.ones((1, 1))));"
        "assert linear.solve().values == 1"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == ran.stderr == ""
