"""Exports: rows as they stand, types, filters, formulas, bounded memory; de-identified research."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from support.cohort_data import add_outcomes
from support.sittings import begin, finish

from calibration.response_file import read_responses
from engine.errors import AnswerIsNo, InputError
from item_bank.exams.actors import Actor, command_line
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.outcomes import STATES
from item_bank.results.exports import archive, making, research
from item_bank.results.exports.choices import Choices, selection
from item_bank.results.exports.deidentification import NAMES, SUPPRESSED, coarsen
from item_bank.results.exports.sittings import COLUMNS, columns_with
from item_bank.results.exports.tables import CsvTable
from item_bank.results.handlers import LONG
from item_bank.store.clock import DAY
from item_bank.store.documents import document_parts, documents_of
from item_bank.store.long_work import run_long
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import CandidateDetails
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import Sitting


@pytest.fixture
def sat(hall):
    """The hall after Alice and Bob have each sat the exam."""
    for candidate, language in ((hall.alice, "en"), (hall.bob, "ru")):
        finish(hall, candidate, begin(hall, candidate, language))
        hall.clock.at += DAY
    return hall


def home(hall):
    return hall.alice.organisation_id


def written(hall, what="results", **chosen) -> bytes:
    file = io.BytesIO()
    found = selection(hall.db, Choices("sums", **chosen), home(hall))
    making.write_export(hall.db, found, what, file, lambda *_: None)
    return file.getvalue()


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_results_have_a_row_for_each_sitting_as_its_outcome_stands(sat):
    first, second = rows(written(sat))

    with sat.db.read() as session:
        outcome = session.get_one(Outcome, first["sitting"])
    assert list(first) == [column.name for column in COLUMNS]
    assert (first["exam"], first["version"], first["release"]) == ("sums", "1", "1")
    assert (first["language"], second["language"]) == ("en", "ru")
    assert float(first["score"]) == outcome.score
    assert float(first["theta"]) == outcome.theta
    assert float(first["band_low"]) < outcome.score < float(first["band_high"])
    assert first["passed"] in {"true", "false"}
    assert re.fullmatch(r"2027-01-15T08:0\d:\d\dZ", first["finished_at"])
    assert first["candidate"] == sat.alice.candidate_id
    assert second["candidate"] == sat.bob.candidate_id
    assert b"Alice" not in written(sat)


def test_parquet_has_types_and_says_what_it_is(sat):
    table = pq.read_table(io.BytesIO(written(sat, format="parquet")))

    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds["score"] == "double"
    assert kinds["finished_at"] == "timestamp[us, tz=UTC]"
    assert kinds["passed"] == "bool"
    assert kinds["version"] == "int64"
    about = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert about["exam"] == "sums"
    assert about["software"].startswith("tarozu ")
    assert table.schema.field("theta").metadata[b"meaning"].startswith(b"The final estimate")
    as_text = rows(written(sat))
    assert table.column("sitting").to_pylist() == [row["sitting"] for row in as_text]


def test_names_are_there_only_when_asked_for(sat):
    named = rows(written(sat, names=True))

    assert [row["name"] for row in named] == ["Alice", "Bob"]
    assert list(named[0])[:4] == ["sitting", "candidate", "roster_id", "name"]


@pytest.mark.parametrize(
    ("chosen", "n"),
    [
        ({"language": "ru"}, 1),
        ({"since": "2027-01-16"}, 1),
        ({"until": "2027-01-15"}, 1),
        ({"since": "2027-01-15", "until": "2027-01-16"}, 2),
        ({"state": "released"}, 2),
    ],
)
def test_filters_narrow(sat, chosen, n):
    assert len(rows(written(sat, **chosen))) == n


@pytest.mark.parametrize("chosen", [{"country": "TJ"}, {"state": "held"}, {"simulated": "only"}])
def test_nothing_to_export_is_an_answer(sat, chosen):
    with pytest.raises(AnswerIsNo, match="no sitting"):
        written(sat, **chosen)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"format": "xls"}, "format: expected one of csv, parquet, found 'xls'"),
        ({"since": "yesterday"}, "since: expected a day as YYYY-MM-DD"),
        ({"state": "lost"}, "state: expected one of"),
        ({"centre": "x" * 201}, "centre: expected at most 200 characters"),
    ],
)
def test_a_wrong_choice_is_named(chosen, said):
    with pytest.raises(InputError, match=re.escape(said)):
        Choices("sums", **chosen)


def test_an_unknown_exam_and_one_of_others_are_not_found(sat):
    for code, organisation in (("none", home(sat)), ("sums", "0" * 32)):
        with pytest.raises(NotFound):
            selection(sat.db, Choices(code), organisation)


def test_states_are_those_of_outcomes():
    assert next(c for c in COLUMNS if c.name == "state").values == ", ".join(STATES)


def test_responses_are_read_by_calibrate_as_adaptive_data(sat, tmp_path):
    for form in ("csv", "parquet"):
        file = tmp_path / f"responses.{form}"
        file.write_bytes(written(sat, "responses", format=form))

        matrix = read_responses(file)

        assert matrix.routed
        assert matrix.n_persons == 2
    first = rows(written(sat, "responses"))[0]
    assert (first["position"], first["seconds"], first["status"]) == ("1", "20.0", "operational")


def test_invalidated_results_give_no_responses_unless_asked_for(sat):
    with sat.db.write() as session:
        session.execute(update(Outcome).values(state="invalidated"))

    assert rows(written(sat, "responses")) == []
    assert len(rows(written(sat, "responses", state="invalidated"))) > 4
    assert {row["state"] for row in rows(written(sat))} == {"invalidated"}


def test_cells_hold_no_formula_and_a_mark_may_lead(sat):
    with sat.db.write() as session:
        session.execute(update(CandidateDetails).values(name='=HYPERLINK("http://x")'))
        session.execute(update(Outcome).values(centre="@SUM(1)"))

    content = written(sat, names=True, mark=True)

    assert content.startswith(b"\xef\xbb\xbf")
    assert {row["name"][:2] for row in rows(content)} == {"'="}
    assert {row["centre"] for row in rows(content)} == {"'@SUM(1)"}


@given(st.lists(st.text(), min_size=len(columns_with(names=True))))
def test_whatever_a_text_is_it_comes_back_from_csv(texts):
    columns = columns_with(names=True)[:1]
    file = io.BytesIO()
    table = CsvTable(file, columns)
    lines = [(text.replace("\r", "").replace("\0", ""),) for text in texts]
    table.write(lines)

    read = list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))[1:]
    for (text,), line in zip(lines, read, strict=True):
        assert (line or [""])[0].removeprefix("'") == text.removeprefix("'")


# --- jobs and the chain ------------------------------------------------------------------------


def test_a_job_makes_one_document_and_the_chain_names_it(sat):
    actor = command_line(home(sat))
    job = making.ask_for_export(sat.db, actor, "results", Choices("sums"))

    assert run_long(sat.db, LONG) == 1

    (document,) = documents_of(sat.db, job, home(sat))
    assert document.file_name == "sums-results.csv"
    assert document.about["rows"] == 2
    assert rows(b"".join(document_parts(sat.db, document.id))) == rows(written(sat))
    with sat.db.read() as session:
        event = session.scalars(select(SiteEvent).where(SiteEvent.kind == "exported")).one()
    assert event.payload["sha256"] == document.sha256
    assert event.payload["what"] == "results"
    assert event.payload["by"] == "command line"


@pytest.mark.parametrize("role", ["examiner", "author", "invigilator"])
def test_other_roles_may_not_export(sat, role):
    with pytest.raises(NotAllowed):
        making.ask_for_export(sat.db, Actor(None, home(sat), role, "E"), "results", Choices("sums"))


def test_only_administrators_export_names(sat):
    actor = Actor(None, home(sat), "psychometrician", "P")
    with pytest.raises(NotAllowed, match="names"):
        making.ask_for_export(sat.db, actor, "results", Choices("sums", names=True))


def test_the_command_writes_a_file_whole_or_not_at_all(sat, run_command, tmp_path):
    out = tmp_path / "results.csv"
    options = ("--exam", "sums", "--out", out)

    status, said, _ = run_command("--json", "export", "results", *options)
    assert (status, json.loads(said)["rows"]) == (0, 2)
    assert len(rows(out.read_bytes())) == 2
    status, _, problem = run_command("export", "results", *options)
    assert (status, "--force" in problem) == (2, True)
    status, _, problem = run_command("export", "responses", *options, "--force", "--country", "XX")
    assert (status, problem) == (1, "no sitting that has ended fits these choices\n")
    assert len(rows(out.read_bytes())) == 2
    assert list(tmp_path.glob("*.part")) == []
    status, _, problem = run_command("export", "results", "--exam", "none", "--out", tmp_path / "x")
    assert (status, "tarozu exam list" in problem) == (2, True)


# --- memory ------------------------------------------------------------------------------------


def _peak(hall, form: str) -> int:
    class Nowhere(io.RawIOBase):
        def writable(self):
            return True

        def write(self, content):
            return len(bytes(content))

    found = selection(hall.db, Choices("sums", format=form), home(hall))
    tracemalloc.start()
    making.write_export(hall.db, found, "results", Nowhere(), lambda *_: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_memory_does_not_grow_with_the_exam(sat):
    add_outcomes(sat.db, sat.exam, 2_000, days=30)
    small = {form: _peak(sat, form) for form in ("csv", "parquet")}
    add_outcomes(sat.db, sat.exam, 18_000, seed=2, days=30)

    assert len(rows(written(sat))) == 20_002
    for form, peak in small.items():
        assert _peak(sat, form) < 1.3 * peak, form


# --- de-identification -------------------------------------------------------------------------

CASES = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 30), min_size=n, max_size=n),
        st.lists(
            st.tuples(
                st.sampled_from(["TJ", "RU", "CN", ""]),
                st.sampled_from(["north", "south", ""]),
                st.sampled_from(["en", "tg"]),
                st.sampled_from(["2027-01", "2027-02"]),
            ),
            min_size=n,
            max_size=n,
        ),
        st.integers(2, 8),
    )
)


@given(CASES)
def test_every_published_combination_is_shared_by_k_people(case):
    people, combinations, k = case
    known = sorted(set(combinations))
    index = np.array([known.index(one) for one in combinations])

    coarse = coarsen(np.array(people), index, known, k)

    groups: dict[tuple[str, ...], set[int]] = {}
    for person, one in zip(people, combinations, strict=True):
        groups.setdefault(coarse.published[one], set()).add(person)
    told = {key: who for key, who in groups.items() if set(key) != {SUPPRESSED}}
    assert all(len(who) >= k for who in told.values())
    assert coarse.smallest == min(map(len, told.values()), default=0)
    for n, name in enumerate(NAMES):
        hidden = sum(coarse.published[one][n] == SUPPRESSED for one in combinations)
        assert coarse.suppressed[name] == hidden


def test_rare_values_become_other_and_rare_combinations_lose_the_centre_first():
    rows_of = [("TJ", "north", "en", "2027-01")] * 5 + [("TJ", "south", "en", "2027-01")] * 4
    rows_of += [("RU", "north", "en", "2027-01"), ("CN", "north", "en", "2027-01")] * 2
    known = sorted(set(rows_of))
    index = np.array([known.index(one) for one in rows_of])

    coarse = coarsen(np.arange(len(rows_of)), index, known, 4)

    assert coarse.merged == {"country": 2, "centre": 0, "language": 0}
    assert coarse.published["RU", "north", "en", "2027-01"] == ("other", "north", "en", "2027-01")
    assert coarse.published["TJ", "south", "en", "2027-01"] == ("TJ", "south", "en", "2027-01")
    fewer = coarsen(np.arange(len(rows_of)), index, known, 5)
    assert fewer.published["TJ", "south", "en", "2027-01"] == ("TJ", "other", "en", "2027-01") or (
        fewer.published["TJ", "south", "en", "2027-01"][1] in {"other", SUPPRESSED}
    )


def test_a_person_who_sits_often_counts_once():
    known = [("TJ", "north", "en", "2027-01")]

    coarse = coarsen(np.zeros(20, dtype=int), np.zeros(20, dtype=int), known, 2)

    assert coarse.published[known[0]] == (SUPPRESSED,) * 4


@pytest.fixture
def shared(sat, monkeypatch):
    """The hall with k = 2, consent not asked for: an export of two people."""
    monkeypatch.setattr(research, "LEAST_K", 1)
    with sat.db.write() as session:
        session.execute(update(Outcome).values(country="TJ", centre="north"))
    return sat


def packed(hall, **chosen) -> zipfile.ZipFile:
    said = {"k": 2, "consented": False, "licence": "CC0", "basis": "approval 7"} | chosen
    choices = research.ResearchChoices("sums", **said)
    found = research.research_selection(hall.db, choices, home(hall))
    file = io.BytesIO()
    archive.write_archive(hall.db, choices, found, file, lambda *_: None)
    return zipfile.ZipFile(file)


def test_a_research_export_names_nobody_and_joins_to_nothing(shared):
    one, other = packed(shared), packed(shared)

    assert sorted(one.namelist()) == [
        *("README.md", "codebook.csv", "codebook.md", "items.csv", "items.parquet"),
        *("responses.csv", "responses.parquet", "sittings.csv", "sittings.parquet"),
    ]
    everything = b"".join(one.read(name) for name in one.namelist())
    with shared.db.read() as session:
        secret = [*session.scalars(select(Sitting.id)), shared.alice.candidate_id, "Alice"]
    assert not any(text.encode() in everything for text in secret)
    first, second = (
        {row[key] for row in rows(z.read("sittings.csv")) for key in ("sitting", "person")}
        for z in (one, other)
    )
    assert not first & second
    (sitting, _) = rows(one.read("sittings.csv"))
    assert (sitting["country"], sitting["language"], sitting["month"]) == (
        *("TJ", "other"),
        "2027-01",
    )
    readme = one.read("README.md").decode()
    assert "2 sittings of 2 people" in readme
    assert "approval 7" in readme


def test_tables_of_a_research_export_join_and_are_in_the_codebook(shared, tmp_path):
    z = packed(shared, parameters=True, codes=True)
    tables = {name: rows(z.read(f"{name}.csv")) for name in ("sittings", "responses", "items")}

    assert {r["sitting"] for r in tables["responses"]} == {r["sitting"] for r in tables["sittings"]}
    assert {r["item"] for r in tables["responses"]} <= {r["item"] for r in tables["items"]}
    for name, table in tables.items():
        in_book = [r["variable"] for r in rows(z.read("codebook.csv")) if r["file"] == name]
        assert list(table[0]) == in_book
        parquet = pq.read_table(io.BytesIO(z.read(f"{name}.parquet")))
        assert parquet.column_names == in_book
        assert len(parquet) == len(table)
    assert float(tables["items"][0]["a"]) > 0
    file = tmp_path / "responses.csv"
    file.write_bytes(z.read("responses.csv"))
    assert read_responses(file).n_persons == 2
    assert "parameters" not in packed(shared).read("items.csv").decode()
    assert [c.name for c in archive.tables_of(research.ResearchChoices("sums"))["items"]][-1] == (
        "model"
    )


def test_what_may_not_be_shared_is_left_out_and_said(shared):
    def left_out(**chosen):
        choices = research.ResearchChoices("sums", k=1, **chosen)
        found = research.research_selection(shared.db, choices, home(shared))
        return dict(research.look(shared.db, choices, found, lambda *_: None).left_out)

    assert left_out(consented=False) == {}
    assert left_out() == {"without consent": 2}
    with shared.db.write() as session:
        session.execute(update(Outcome).where(Outcome.language == "en").values(state="invalidated"))
        session.execute(update(Outcome).where(Outcome.language == "ru").values(simulated=True))
    assert left_out(consented=False) == {"invalidated": 1, "simulated": 1}
    assert left_out(simulated=True) == {"invalidated": 1}


def test_fewer_people_than_k_are_not_exported(shared):
    with pytest.raises(AnswerIsNo, match="2 people are left, fewer than k = 5"):
        packed(shared, k=5)


@pytest.mark.parametrize(
    ("chosen", "said"), [({"licence": " "}, "licence"), ({"basis": ""}, "basis")]
)
def test_licence_and_basis_are_asked_for(shared, chosen, said):
    with pytest.raises(InputError, match=said):
        packed(shared, **chosen)


def test_k_is_at_least_five():
    with pytest.raises(InputError, match="5 to 1000 people"):
        research.ResearchChoices("sums", k=4)


def test_a_research_export_by_command_and_by_job_is_in_the_chain(shared, run_command, tmp_path):
    out = tmp_path / "research.zip"
    options = ("--exam", "sums", "--out", out, "--k", "2", "--without-consent")
    status, said, _ = run_command("export", "research", *options, "--dry-run")
    assert status == 0
    assert "people: 2" in said
    assert not out.exists()
    status, _, problem = run_command("export", "research", *options)
    assert (status, "licence" in problem, out.exists()) == (2, True, False)
    rest = ("--licence", "CC BY 4.0", "--basis", "approval 7")
    assert run_command("export", "research", *options, *rest)[0] == 0
    choices = research.ResearchChoices(
        "sums", k=2, consented=False, licence="CC0", basis="approval 7"
    )
    job = archive.ask_for_research(shared.db, command_line(home(shared)), choices)
    assert run_long(shared.db, LONG) == 1
    (document,) = documents_of(shared.db, job, home(shared))
    with shared.db.read() as session:
        events = session.scalars(
            select(SiteEvent).where(SiteEvent.kind == "exported").order_by(SiteEvent.number)
        ).all()
    assert [event.payload["what"] for event in events] == ["research"] * 2
    assert events[1].payload["sha256"] == document.sha256
    assert events[1].payload["people"] == 2
