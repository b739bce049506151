from __future__ import annotations

from collections import Counter
from itertools import groupby

import numpy as np
import pytest
from sqlalchemy import and_, func, select

from item_bank.demo.build import CANDIDATES, STAFF, build_demo
from item_bank.exams.exam_reviews import exam_overview
from item_bank.exams.replay import replay, sitting_ids
from item_bank.exams.reviews import search_sittings
from item_bank.exams.signing_in import candidate_by_code, staff_by_password
from item_bank.items.scoring import max_score
from item_bank.items.types.catalogue import TYPES
from item_bank.store.clock import wall_time
from item_bank.store.database import open_database
from item_bank.store.schema import organisation, site_kind
from item_bank.store.tables.items import Item, ItemRevision
from item_bank.store.tables.sittings import PresentedItem, Response, Sitting

SITTINGS = 40


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    db = open_database(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}")
    build_demo(db, sittings=SITTINGS)
    yield db
    db.close()


def test_the_demonstration_says_what_it_is(demo):
    assert site_kind(demo) == "demonstration"


def test_every_past_sitting_is_finished_marked_as_simulated_and_replays(demo):
    ids = sitting_ids(demo)

    assert len(ids) == SITTINGS
    assert [replay(demo, sitting).problems for sitting in ids] == [()] * SITTINGS
    with demo.read() as session:
        assert session.scalar(select(func.count()).where(Sitting.simulated)) == SITTINGS
        assert session.scalar(select(func.max(Sitting.finished_at))) < wall_time()
        assert session.scalar(select(func.count()).where(Sitting.sealed_at.is_(None))) == 0


def test_candidates_answer_by_the_model_so_about_half_is_right(demo):
    same_place = and_(
        PresentedItem.sitting_id == Response.sitting_id,
        PresentedItem.position == Response.position,
    )
    asked = (
        select(Response.score, ItemRevision.type, ItemRevision.key)
        .join(PresentedItem, same_place)
        .join(ItemRevision, ItemRevision.id == PresentedItem.revision_id)
    )
    with demo.read() as session:
        earned = [row.score / max_score(row.type, row.key) for row in session.execute(asked)]

    assert 0.45 < np.mean(earned) < 0.75


def test_most_types_are_met_and_no_stimulus_is_torn(demo):
    asked = (
        select(PresentedItem.sitting_id, ItemRevision.type, ItemRevision.stimulus_revision_id)
        .join(ItemRevision, ItemRevision.id == PresentedItem.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(Item.status != "pretest")
        .order_by(PresentedItem.sitting_id, PresentedItem.position)
    )
    with demo.read() as session:
        rows = session.execute(asked).all()

    runs = [key for key, _ in groupby(rows, lambda row: (row[0], row[2])) if key[1]]
    together = Counter((row[0], row[2]) for row in rows if row[2])
    assert {row.type for row in rows} == set(TYPES)
    assert len(runs) == len(set(runs)) == len(together) > 0
    assert set(together.values()) <= {2, 3}


def test_the_log_ins_that_are_printed_work(demo):
    for login in STAFF:
        found = staff_by_password(demo, login.name, login.secret, address="x")
        assert (found.role, found.email) == (login.role, login.name)
    for login in CANDIDATES:
        assert candidate_by_code(demo, login.secret, address="x").name == login.name


def test_the_reports_have_something_to_show(demo):
    home = organisation(demo)

    overview = exam_overview(demo, organisation_id=home)[0]
    assert overview.finished == SITTINGS
    assert 12 <= overview.mean_items <= 25
    assert 0 < overview.passed < SITTINGS
    assert search_sittings(demo, organisation_id=home, text="P-0001").total == 1
