"""Anderson acceleration of a fixed-point iteration, with a memory that can be cleared.

Called by ``mml``. Imports numpy only. Source: Walker and Ni (2011).
"""

from __future__ import annotations

from collections import deque

import numpy as np

from engine.arrays import Floats


class Anderson:
    """Extrapolates from the last points and their images; knows nothing of what they mean."""

    def __init__(self, depth: int = 5) -> None:
        self._points: deque[Floats] = deque(maxlen=depth + 1)
        self._images: deque[Floats] = deque(maxlen=depth + 1)

    def clear(self) -> None:
        """Forget every point."""
        self._points.clear()
        self._images.clear()

    def propose(self, point: Floats, image: Floats) -> Floats:
        """Propose the next point.

        With residuals f = image - point, the combination of the last images whose residuals
        cancel best, in least squares with a small ridge; the image itself when there is no past.
        """
        self._points.append(point)
        self._images.append(image)
        if len(self._points) < 2:
            return image
        images = np.array(self._images)
        residuals = images - np.array(self._points)
        moves, change = np.diff(images, axis=0), np.diff(residuals, axis=0)
        gram = change @ change.T
        ridge = 1e-12 * np.trace(gram) + np.finfo(float).tiny
        weights = np.linalg.solve(gram + ridge * np.eye(len(gram)), change @ residuals[-1])
        return np.asarray(image - weights @ moves)
