"""Many candidates on a server that is killed again and again, and one sitting on two servers."""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select
from support.candidates import AWAY, Candidate, Fields, Form, Reply
from support.fault_sites import Site, serve_site
from support.processes import Server

from item_bank.exams.candidate_views import exams_of_candidate
from item_bank.exams.replay import replay
from item_bank.exams.results import result_of
from item_bank.exams.signing_in import candidate_by_code
from item_bank.exams.sittings import keep_sitting, new_sitting
from item_bank.exams.snapshots import read_snapshot
from item_bank.exams.steps import first_item, keep_first
from item_bank.store.schema import organisation
from item_bank.store.tables.exams import Registration
from item_bank.store.tables.sittings import PresentedItem, Response, Sitting
from tarozu import main

AT_ONCE = 12


class Patient(Candidate):
    """A candidate whose page sends everything again until the server has taken it."""

    patience = 180.0

    def __init__(self, address: str, code: str, thinks: float) -> None:
        super().__init__(address)
        self.code, self.thinks = code, thinks
        self.acknowledged: dict[int, str] = {}

    def send(
        self, method: str, path: str, fields: Fields | None, headers: Fields | None = None
    ) -> Reply:
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            try:
                reply = super().send(method, path, fields, headers)
            except AWAY:
                time.sleep(0.1)
                continue
            if reply.status < 500:
                return reply
            time.sleep(0.2)
        raise AssertionError(f"{method} {path} was not served within {self.patience} s")

    def sit(self) -> None:
        """Sign in, answer every question, and keep a list of what the server acknowledged."""
        chance = random.Random(self.code)
        self.sign_in(self.code)
        self.begin()
        while self.page.has_question:
            time.sleep(chance.random() * self.thinks)
            form = self.form
            reply = self.say(form.filled(chance.randrange(4)))
            assert reply.status in {200, 303}, reply.text
            self.acknowledged[form.position] = form.hidden["key"]
            self.follow(reply)


@dataclass
class Killer:
    """Kills a server and starts it again, at random moments, until told to stop."""

    server: Server
    uptime: tuple[float, float]
    most: int
    kills: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        chance = random.Random(20_261_123)
        while self.kills < self.most and not self.stop.wait(chance.uniform(*self.uptime)):
            self.server.kill()
            self.kills += 1
            self.server.start()


@contextmanager
def killing(killer: Killer) -> Iterator[Killer]:
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(killer.run)
        try:
            yield killer
        finally:
            killer.stop.set()
            done.result(120)


def campaign(site: Site, n: int, killer: Killer, thinks: float) -> None:
    """Let n candidates sit while the server dies; hold the database against what they were told."""
    people = [Patient(site.server.address, site.codes.pop(), thinks) for _ in range(n)]
    with killing(killer), ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(Patient.sit, people))
    told = {(one.sitting, place, key) for one in people for place, key in one.acknowledged.items()}
    mine = {one.sitting for one in people}
    with site.db.read() as session:
        kept = session.execute(
            select(Response.sitting_id, Response.position, Response.idempotency_key)
        ).all()
        shown = session.execute(
            select(PresentedItem.sitting_id, func.count()).group_by(PresentedItem.sitting_id)
        ).all()
        ended = session.scalars(select(Sitting.id).where(Sitting.status == "finished")).all()
    kept = [tuple(row) for row in kept if row[0] in mine]
    assert len(mine) == n
    assert len(kept) == len(told)  # nothing doubled
    assert set(kept) == told  # nothing lost
    assert mine <= set(ended)
    assert all(dict(shown)[one.sitting] == len(one.acknowledged) for one in people)


def audited(site: Site, monkeypatch) -> None:
    """Every sitting replays and every chain verifies, by the commands."""
    monkeypatch.setenv("TAROZU_SECRETS", str(site.folder / "secrets"))
    for command in (["sitting", "replay", "--all"], ["audit", "verify"]):
        with pytest.raises(SystemExit) as stopped:
            main(["--database", site.url, *command])
        assert not stopped.value.code


@pytest.mark.long
def test_fault_08_ten_sittings_lose_and_double_nothing_while_the_server_dies(site, monkeypatch):
    killer = Killer(site.server, (0.5, 1.5), most=1)
    campaign(site, 10, killer, thinks=0.5)
    assert killer.kills == 1
    audited(site, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_fault_08_two_hundred_sittings_lose_and_double_nothing_while_the_server_dies(
    kind, fresh_folder, request, monkeypatch
):
    folder = fresh_folder("campaign")
    url = f"sqlite:///{folder / 'tarozu.db'}"
    if kind == "postgres":
        url = request.getfixturevalue("another_postgres_url")
    with serve_site(url, folder, candidates=200) as site:
        killer = Killer(site.server, (0.5, 4.0), most=60)
        campaign(site, 200, killer, thinks=1.0)
        print(f"{kind}: 200 sittings, {killer.kills} kills")
        assert killer.kills >= 10
        audited(site, monkeypatch)


CHOICE = re.compile(r'name="choice" value="(\w+)".*?class="choice-text">(\d+)<')


def by_pattern(form: Form, page: str) -> Fields:
    """Right at odd positions, the first wrong choice at even ones."""
    first, second = re.findall(r"What is (\d+) \+ (\d+)", page)[0]
    right = {text: token for token, text in CHOICE.findall(page)}.pop(str(int(first) + int(second)))
    wrong = next(token for token, text in CHOICE.findall(page) if token != right)
    return form.hidden | {"choice": right if form.position % 2 else wrong}


def sit(one: Candidate, addresses: list[str]) -> None:
    """Answer to the end; each request goes to the next address."""
    turns = itertools.cycle(addresses)
    one.address = next(turns)
    one.open()
    while one.page.has_question:
        reply = one.say(by_pattern(one.form, one.page.text))
        one.address = next(turns)
        one.follow(reply)


def twin_of(site: Site, sitting: Sitting, code: str) -> str:
    """Another candidate's sitting with the same seed; gives its id."""
    person = candidate_by_code(site.db, code, address="10.0.0.9")
    registration_id = exams_of_candidate(site.db, person)[0].registration_id
    with site.db.read() as session:
        registration = session.get_one(Registration, registration_id)
        version = read_snapshot(site.db, session, sitting.id).exam
        given = {"number": 1, "language": "en", "seed": sitting.seed}
        twin = new_sitting(site.db, session, version, registration, **given)
    step, order = first_item(site.db, twin)
    with site.db.write() as session:
        keep_first(session, keep_sitting(site.db, session, twin), step, order)
    return twin.sitting.id


def outcome(site: Site, sitting_id: str) -> tuple[list[object], dict[str, object]]:
    """The way of a sitting, and what it came to."""
    result = result_of(site.db, sitting_id, organisation_id=organisation(site.db))
    way = [(step["item"], step["score"], step["theta"], step["se"]) for step in result["path"]]
    orders = [tuple(one.choice_order) for one in site.presented(sitting_id)]
    return [way, orders], {name: result[name] for name in ("estimate", "score", "stop_reason")}


@pytest.mark.postgres
def test_a_sitting_on_two_servers_in_turn_is_the_sitting_on_one(postgres_site):
    site = postgres_site
    site.revive()
    second = Server(site.url, site.folder / "secrets", site.folder / "second.log")
    second.start()
    try:
        one = site.begun()
        sit(one, [site.server.address, second.address])
        code = site.codes.pop()
        other = Candidate(site.server.address)
        other.sitting = twin_of(site, site.sitting(one.sitting), code)
        other.sign_in(code)
        other.open()
        other.follow(other.post(f"{other.at}/take-over", other.page.form("/take-over").hidden))
        sit(other, [site.server.address])
    finally:
        second.stop()

    assert outcome(site, one.sitting) == outcome(site, other.sitting)
    assert len(site.responses(one.sitting)) >= 4
    assert replay(site.db, one.sitting).problems == ()
    site.check(other.sitting)
