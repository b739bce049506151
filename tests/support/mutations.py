"""JSON documents with a value replaced by one that nobody expects there."""

from __future__ import annotations

from hypothesis import strategies as st


def mutated(draw, value):
    """Some value of a JSON document replaced by another."""
    strange = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["\ud800", "\0", "=1+1", "x" * 30_000, 10**400, "1e999"]),
        st.lists(st.integers(), max_size=2),
        st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    )
    if draw(st.integers(0, 3)) == 0 or not isinstance(value, dict | list) or not value:
        return draw(strange)
    where = draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    value[where] = mutated(draw, value[where])
    return value
