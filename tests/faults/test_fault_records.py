"""Records that somebody changed, and a site that was put back to an earlier day: case 36."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from support.sittings import begin, finish, respond

from item_bank.exams.candidate_views import view
from item_bank.exams.upkeep import HANDLERS
from item_bank.store.database import open_database, will_write
from item_bank.store.jobs import run_pending
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import Sitting
from item_bank.store.triggers import drop_triggers

CHANGES = (
    "UPDATE responses SET score = 1 - score WHERE position = 2",
    "UPDATE results SET content = '{}'",
    "DELETE FROM sitting_events WHERE number = 3",
    "UPDATE site_events SET payload = '{}' WHERE number = 2",
    "DELETE FROM responses WHERE position = 2",
)


@pytest.fixture
def sealed(hall):
    """The hall after a sitting that is over and sealed."""
    finish(hall, hall.alice, begin(hall, hall.alice))
    run_pending(hall.db, HANDLERS)
    return hall


@pytest.mark.parametrize("change", CHANGES)
def test_fault_36_a_changed_record_shows(sealed, run_command, change):
    assert run_command("audit", "verify")[0] == 0
    with sealed.db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
        will_write(connection)
        with connection.begin():
            drop_triggers(connection)
            connection.execute(text(change))
    status, said, _ = run_command("--json", "audit", "verify")

    assert status == 1
    assert json.loads(said)["problems"]


def head(run_command) -> str:
    """What an operator writes down: the last link of the site's chain."""
    status, said, _ = run_command("--json", "audit", "verify")
    assert status == 0
    return str(json.loads(said)["head"])


def test_fault_36_an_older_backup_lacks_the_head_that_was_written_down(
    sealed, run_command, tmp_path
):
    file = tmp_path / "site.backup"
    earlier = head(run_command)
    run_command("backup", file)
    finish(sealed, sealed.bob, begin(sealed, sealed.bob, "ru"))
    run_pending(sealed.db, HANDLERS)
    later = head(run_command)
    status, said, error = run_command("audit", "verify", "--expect", earlier)
    assert status == 0, said + error
    assert run_command("audit", "verify", "--expect", later)[0] == 0
    sealed.db.close()
    assert run_command("restore", file, "--force")[0] == 0

    status, said, error = run_command("audit", "verify", "--expect", later)
    assert status == 1
    assert "an older state" in said + error
    status, said, error = run_command("audit", "verify", "--expect", earlier)
    assert status == 0, said + error


def test_fault_36_a_restored_site_gives_no_number_again(
    sealed, run_command, tmp_path, database_url
):
    file = tmp_path / "site.backup"
    run_command("backup", file)
    lost = begin(sealed, sealed.bob, "ru")
    respond(sealed, sealed.bob, lost)
    with sealed.db.read() as session:
        number = session.get_one(Sitting, lost.sitting_id).number
    sealed.db.close()
    run_command("restore", file, "--force")

    db = replace(open_database(database_url), clock=sealed.clock)  # as a server that starts
    again = begin(replace(sealed, db=db), sealed.bob, "ru")
    with db.read() as session:
        kinds = session.scalars(select(SiteEvent.kind)).all()
        given = session.get_one(Sitting, again.sitting_id).number
    assert again.sitting_id != lost.sitting_id
    assert given > number
    assert "restored" in kinds
    assert view(db, sealed.bob, again.sitting_id).position == 1
    db.close()
    assert run_command("audit", "verify")[0] == 0
