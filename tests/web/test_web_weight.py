"""A question is light: within what a poor phone line carries, compressed by this server itself."""

from __future__ import annotations

import gzip

from support.visitors import HTMX

from benchmarks.bench_weight import FIRST, NEXT, weights
from item_bank.items.types.catalogue import TYPES

GZIP = {"Accept-Encoding": "gzip, br"}


def test_the_first_question_and_each_next_are_within_their_weight():
    first, following = weights()

    assert sum(first.values()) <= FIRST
    assert set(following) == set(TYPES)
    assert max(following.values()) <= NEXT


def test_a_page_is_compressed_for_who_takes_it_and_only_then(alice):
    sitting = alice.begin()
    address = f"/sitting/{sitting}"
    plain = alice.client.get(address)
    packed = alice.client.get(address, headers=GZIP | HTMX)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert b"Question 1" in gzip.decompress(packed.data)
    assert int(packed.headers["Content-Length"]) == len(packed.data)


def test_static_files_are_compressed_and_kept(visitor):
    packed = visitor.get("/static/css/base.css?v=1", headers=GZIP)
    plain = visitor.get("/static/css/base.css")

    assert gzip.decompress(packed.data) == plain.data
    assert "immutable" in packed.headers["Cache-Control"]
