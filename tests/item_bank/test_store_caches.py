"""Caches: what never changes is made once, and what there is ever more of is kept within bounds."""

from __future__ import annotations

import pytest

from item_bank.store import caches
from item_bank.store.database import open_database


@pytest.fixture
def db(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'never-made.db'}")
    yield database
    database.close()


def test_a_value_is_made_once(db):
    made = [caches.once(db, ("a",), object) for _ in range(3)]

    assert len(set(map(id, made))) == 1


def test_of_what_there_is_ever_more_of_the_last_are_kept(db, monkeypatch):
    monkeypatch.setattr(caches, "RECENT", 3)
    made = []

    def ask(key):
        return caches.lately(db, key, lambda: made.append(key) or key)

    assert [ask(key) for key in "abcabcdd"] == list("abcabcdd")
    assert made == list("abcd")
    assert ask("b") == "b"
    assert ask("a") == "a"  # the oldest had to go
    assert made == list("abcda")
    assert len(caches._recent[db.engine]) == 3
