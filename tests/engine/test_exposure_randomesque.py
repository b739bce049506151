import numpy as np

from engine.exposure.randomesque import draw
from engine.randomness import sitting_seeds


def test_one_candidate_is_taken_as_it_is():
    assert draw(np.array([[4], [-1]]), sitting_seeds(0, 2), 0).tolist() == [4, -1]


def test_every_candidate_is_drawn_equally_often():
    seeds = sitting_seeds(0, 40_000)
    drawn = draw(np.tile([3, 8, 5, 1], (len(seeds), 1)), seeds, 2)
    counts = [int((drawn == row).sum()) for row in (3, 8, 5, 1)]
    assert sum(counts) == len(seeds)
    assert max(abs(count - 10_000) for count in counts) < 400


def test_empty_places_are_never_drawn():
    seeds = sitting_seeds(0, 1000)
    drawn = draw(np.tile([3, 8, -1, -1], (len(seeds), 1)), seeds, 0)
    assert set(drawn.tolist()) == {3, 8}


def test_without_candidates_nothing_is_drawn():
    assert draw(np.full((1, 3), -1), sitting_seeds(0, 1), 0).tolist() == [-1]
