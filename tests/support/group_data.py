"""Responses of two groups, with or without items that one group meets differently."""

import numpy as np

from calibration.matrix import from_dense, numbered, response_matrix_from_codes


def drawn(rng, theta, a, b):
    """Scores of a 2PL; b has one row for all persons, or one for each."""
    return (rng.random((theta.size, len(a))) < 1 / (1 + np.exp(-a * (theta[:, None] - b)))).astype(
        int
    )


def two_groups(rng, n, n_items, *, impact=0.0, shift=0.0, studied=0):
    """A fixed form; `shift` makes the studied item harder for group B."""
    a, b = rng.uniform(0.8, 1.6, n_items), rng.normal(0, 0.8, n_items)
    focal = np.arange(n) % 2 == 1
    theta = rng.normal(size=n) + impact * focal
    hard = np.tile(b, (n, 1))
    hard[focal, studied] += shift
    return from_dense(drawn(rng, theta, a, hard), group=np.where(focal, "B", "A").tolist())


def joined(first, second):
    """Two routed matrices with the same items, as groups A and B."""
    n = first.n_persons + second.n_persons
    rows = np.concatenate((first.rows(), second.rows() + first.n_persons))
    codes = (
        rows,
        np.concatenate((first.column, second.column)),
        np.concatenate((first.score, second.score)),
    )
    group = ("A",) * first.n_persons + ("B",) * second.n_persons
    return response_matrix_from_codes(numbered(n), first.item, codes, group=group, routed=True)
