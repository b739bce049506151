from __future__ import annotations

import shutil

import pytest

from item_bank.store import clock as site_clock
from item_bank.store.audit import append_site_event
from item_bank.store.clock import MINUTE, SECOND, AnchoredClock, boot_time, set_anchor, wall_time
from item_bank.store.database import open_database


@pytest.fixture
def sqlite_db(template_folder, tmp_path):
    """A SQLite file: only there the clock is the host's."""
    shutil.copy(template_folder / "tarozu.db", tmp_path / "clock.db")
    database = open_database(f"sqlite:///{tmp_path / 'clock.db'}")
    yield database
    database.close()


def _now(db, clock) -> int:
    with db.read() as session:
        return clock(session.connection())


def test_the_site_clock_is_near_the_wall_clock_and_never_goes_back(db):
    times = [_now(db, db.clock) for _ in range(20)]

    assert abs(times[0] - wall_time()) < 5 * SECOND
    assert times == sorted(times)


def test_setting_the_host_clock_does_not_move_the_site_clock(sqlite_db, monkeypatch):
    before = _now(sqlite_db, AnchoredClock())
    monkeypatch.setattr(site_clock, "wall_time", lambda: before + 60 * MINUTE)

    assert 0 <= _now(sqlite_db, AnchoredClock()) - before < 5 * SECOND


def test_every_process_of_one_boot_reads_the_same_anchor(sqlite_db):
    one, other = AnchoredClock(), AnchoredClock()
    _now(sqlite_db, one), _now(sqlite_db, other)

    assert one._offset == other._offset


def test_after_a_boot_with_a_wrong_clock_time_goes_on_from_the_last_event(sqlite_db, monkeypatch):
    last = wall_time()
    with sqlite_db.write() as session:
        append_site_event(session, "something", {}, last)
    monkeypatch.setattr(site_clock, "boot_id", lambda: "the next boot")
    monkeypatch.setattr(site_clock, "wall_time", lambda: last - 24 * 60 * MINUTE)
    with sqlite_db.write() as session:
        set_anchor(session.connection())

    assert last < _now(sqlite_db, AnchoredClock()) < last + 5 * SECOND


def test_boot_time_goes_forward():
    assert boot_time() <= boot_time()
