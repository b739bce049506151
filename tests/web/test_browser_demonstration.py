"""The demonstration's exam as a candidate takes it: adaptive, of every type, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import pytest
from support.browsing import Site, answer_somehow, at_end, browsing, confirm, serve
from support.demo_bank import ITEMS

from item_bank.demo.build import CANDIDATES, build_demo
from item_bank.exams.replay import replay, sitting_ids
from item_bank.exams.snapshots import read_snapshot
from item_bank.items.items import revision
from item_bank.store.database import open_database

pytestmark = pytest.mark.chromium
ON_TRIAL = {item["code"] for item in ITEMS if item.get("status") == "pretest"}


@pytest.fixture
def site(tmp_path, monkeypatch) -> Iterator[Site]:
    """The demonstration without a past."""
    monkeypatch.setenv("TAROZU_SECRETS", str(tmp_path / "secrets"))
    db = open_database(f"sqlite:///{tmp_path / 'demo.db'}")
    build_demo(db, sittings=0)
    yield from serve(db, CANDIDATES[0].secret)
    db.close()


def stimuli_asked(site: Site) -> list[str]:
    """The stimulus of each question that counts, as they came; "" for none."""
    with site.db.read() as session:
        snapshot = read_snapshot(site.db, session, sitting_ids(site.db)[0])
    shown = [revision(site.db, row.revision_id) for row in snapshot.presented]
    return [str(one.about.get("stimulus") or "") for one in shown if one.code not in ON_TRIAL]


@pytest.mark.parametrize("language", ["en", "tg"])
def test_a_candidate_answers_whatever_comes_and_has_a_result(chromium, site, language):
    with browsing(chromium) as (page, record):
        site.begin(page, language)
        while not at_end(page):
            answer_somehow(page)
            confirm(page)

    kept = site.kept()
    assert 14 <= len(kept) <= 27
    assert len({kind for kind, _, _ in kept}) > 3
    assert all(response is not None for _, response, _ in kept)
    runs = [(name, len(list(run))) for name, run in groupby(stimuli_asked(site)) if name]
    assert len({name for name, _ in runs}) == len(runs)
    assert all(2 <= length <= 3 for _, length in runs)
    assert replay(site.db, sitting_ids(site.db)[0]).problems == ()
    assert record.foreign(site) == []
    assert record.complaints == []
