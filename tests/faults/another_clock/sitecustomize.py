"""A host whose wall clock can be set: Python runs this before the program.

The file that TAROZU_TEST_WALL_CLOCK names says by how many seconds the clock is off, now.
"""

import os
import time
from pathlib import Path

_file = Path(os.environ["TAROZU_TEST_WALL_CLOCK"])
_true = time.time_ns


def _time_ns() -> int:
    return _true() + int(_file.read_text()) * 10**9


time.time_ns = _time_ns
time.time = lambda: _time_ns() / 1e9
