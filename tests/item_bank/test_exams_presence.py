from __future__ import annotations

from support.sittings import begin, open_hall

from item_bank.exams.actors import command_line
from item_bank.exams.presence import Heard, note_presence
from item_bank.exams.rooms import sitting_in_room
from item_bank.store.tables.sittings import Presence


def test_a_page_that_was_heard_from_twice_is_one_row_with_the_last_word(db, small_bank):
    hall = open_hall(db)
    now, home = begin(hall, hall.alice), hall.alice.organisation_id
    first = hall.clock.at
    note_presence(hall.db, [])
    note_presence(hall.db, [Heard(now.sitting_id, home, "10.0.0.1", "Firefox" * 50)])
    hall.clock.pass_seconds(2)
    note_presence(hall.db, [Heard(now.sitting_id, home, "10.0.0.2", "Firefox")])

    with hall.db.read() as session:
        row = session.get_one(Presence, now.sitting_id)
    assert (row.first_seen_at, row.seen_at) == (first, hall.clock.at)
    assert (row.address, row.agent) == ("10.0.0.2", "Firefox")
    seen = sitting_in_room(hall.db, command_line(home), now.sitting_id)
    assert (seen.seen_at, seen.address) == (hall.clock.at, "10.0.0.2")
