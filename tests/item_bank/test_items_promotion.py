"""Drafts with gates: what publishing makes of pretest items, and the links behind releases."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from item_bank.items.calibrations import DraftRow, record_run, save_draft, scale_chain
from item_bank.items.differences import diff
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.overview import bank_overview, bank_source
from item_bank.items.releases import publish, release_parameters
from item_bank.items.wording import link_text, releases_text
from item_bank.store.schema import organisation
from item_bank.store.tables.records import SiteEvent

CHAIN = {
    "base_release": 1, "n_links": 1, "A": 0.95, "B": 0.1, "se_A": 0.02, "se_B": 0.03,
    "covariance": 0.0, "scale": {"se_A": 0.02, "se_B": 0.03, "covariance": 0.0},
    "se_at": {"-2": 0.05, "0": 0.03, "2": 0.05},
}  # fmt: skip
LINK = {
    "method": "stocking-lord", "A": 0.95, "B": 0.1, "n_anchors": 8, "release": 1,
    "se": {"A": 0.02, "B": 0.03, "covariance": 0.0, "draws": 200},
    "dropped": {"i": "easier"}, "chain": CHAIN,
}  # fmt: skip


@pytest.fixture
def pretest_bank(db, small_bank_file):
    """The small bank with its first two items on trial, as release 1."""
    document = json.loads(small_bank_file.read_text())
    for item in document["items"][:2]:
        item["status"] = "pretest"
    small_bank_file.write_text(json.dumps(document))
    home = organisation(db)
    import_bank(db, read_json(small_bank_file), organisation_id=home)
    publish(db, "small", organisation_id=home)
    return release_parameters(db, "small", organisation_id=home)


def drafted(db, release, gates, link=LINK):
    """A run with a link, and a draft of the first items with these gates."""
    home = organisation(db)
    run = record_run(
        db, organisation_id=home, bank_code="small", base_release_id=release.release_id,
        data_hash="0" * 64, settings={}, summary={"link": link, "converged": True},
    )  # fmt: skip
    rows = [
        DraftRow(
            release.revision_ids[k], "", "2pl", {"a": 1.0, "b": 0.25}, {"a": 0.1, "b": 0.1},
            {"run": run, "gate": {"passed": not why, "reasons": why, "unchecked": []}},
        )
        for k, why in enumerate(gates)
    ]  # fmt: skip
    save_draft(
        db, organisation_id=home, bank_code="small", source="calibration", run_id=run,
        base_release_id=release.release_id, rows=rows,
    )  # fmt: skip


def test_items_that_passed_count_from_the_next_release_and_others_stay(db, pretest_bank):
    home, (first, second) = organisation(db), pretest_bank.items.item[:2]
    drafted(db, pretest_bank, [[], ["3 responses, fewer than 200"]])
    changes = {d.code: d for d in diff(db, "small", 1, "draft", organisation_id=home)}
    assert changes[first].new_status == "operational"
    assert changes[second].new_status == "pretest"
    assert changes[second].gate.reasons == ("3 responses, fewer than 200",)
    exported = {i.code: i.status for i in bank_source(db, "small", organisation_id=home).items}
    assert (exported[first], exported[second]) == ("operational", "pretest")
    publish(db, "small", organisation_id=home)
    release = release_parameters(db, "small", organisation_id=home)
    statuses = dict(zip(release.items.item, release.statuses, strict=True))
    assert (statuses[first], statuses[second]) == ("operational", "pretest")
    assert release.items.b[:2].tolist() == [0.25, 0.25]
    shown = {
        item.code: item.status for item in bank_overview(db, "small", organisation_id=home).items
    }
    assert (shown[first], shown[second]) == ("operational", "pretest")
    with db.read() as session:
        events = session.scalars(select(SiteEvent).where(SiteEvent.kind == "release_published"))
        assert list(events)[-1].payload["promoted"] == [first]


def test_an_import_without_gates_promotes_nothing(db, pretest_bank, small_bank_file):
    home = organisation(db)
    document = json.loads(small_bank_file.read_text())
    document["items"][0]["parameters"]["b"] = 0.75
    small_bank_file.write_text(json.dumps(document))
    import_bank(db, read_json(small_bank_file), organisation_id=home)
    publish(db, "small", organisation_id=home)
    release = release_parameters(db, "small", organisation_id=home)
    assert release.statuses[:2] == ("pretest", "pretest")


def test_a_release_says_how_its_scale_was_found_and_later_ones_stand_on_it(db, pretest_bank):
    home = organisation(db)
    assert scale_chain(db, pretest_bank.release_id) is None
    drafted(db, pretest_bank, [[]])
    second = publish(db, "small", organisation_id=home)
    assert scale_chain(db, second.id) == CHAIN
    overview = bank_overview(db, "small", organisation_id=home)
    assert overview.links == {2: LINK}
    text = releases_text(overview)
    assert "linked to release 1 by stocking-lord over 8 anchors, 1 dropped" in text
    assert "A 0.9500±0.0200, B 0.1000±0.0300" in text
    assert "SE at theta -2: 0.050, 0: 0.030, 2: 0.050" in text


def test_held_items_are_said_to_hold_the_scale():
    link = {**LINK, "method": "fixed", "n_anchors": 10, "se": None, "dropped": {}}
    assert link_text({**link, "chain": {**CHAIN, "n_links": 0}}) == "scale held by 10 fixed items"
    assert "over 1 link: A" in link_text(link)
