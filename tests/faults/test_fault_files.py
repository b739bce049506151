"""Tables that come in spoiled and go out to spreadsheets: cases 29 and 30."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import func, select
from support.sittings import begin, finish

from calibration.tables import read_text_table
from item_bank.store.tables.items import Bank, Item
from item_bank.store.tables.people import Candidate

HEAD = "item,model,a,b,c\n"
SPOILED_BANKS = {
    "NUL": ("item,model,a,b,c\nA,2pl,\x001,0,\n", ":2:", "NUL"),
    "a of zero": (HEAD + "A,2pl,1,0,\nB,2pl,0,0,\n", ":3: a:", "0"),
    "a below zero": (HEAD + "A,2pl,-1,0,\n", ":2: a:", "-1"),
    "c above a half": (HEAD + "A,3pl,1,0,0.7\n", ":2: c:", "0.7"),
    "NaN": (HEAD + "A,2pl,1,NaN,\n", ":2: b:", "NaN"),
    "infinity": (HEAD + "A,2pl,inf,0,\n", ":2: a:", "inf"),
    "the same item twice": (HEAD + "A,2pl,1,0,\nA,2pl,1,1,\n", ":3: item:", "A"),
    "a decimal comma among commas": (HEAD + 'A,2pl,"1,5",0,\n', ":2: a:", "1,5"),
    "a cell too many": (HEAD + "A,2pl,1,0,,9\n", ":2:", "6"),
    "a formula": (HEAD + "=1+1,2pl,1,0,\n", ":2: item:", "=1+1"),
    "Latin 1": (b"item,model,a,b\nA\xe9,2pl,1,0\n", ":2:", "0xe9"),
}


def rows_of(db) -> list[int]:
    with db.read() as session:
        tables = (Bank, Item, Candidate)
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]


@pytest.mark.parametrize("name", SPOILED_BANKS)
def test_fault_29_a_spoiled_bank_file_is_refused_by_line_and_column(
    db, run_command, tmp_path, name
):
    text, place, found = SPOILED_BANKS[name]
    file = tmp_path / "bank.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    for command in (("bank", "check"), ("bank", "import")):
        options = () if command[1] == "check" else ("--bank", "spoiled")
        status, said, error = run_command(*command, file, *options)
        assert status in {1, 2}
        assert "Traceback" not in error
        assert place in said + error, said + error
        assert found in said + error
    assert rows_of(db) == [0, 0, 0]


SPOILED_ROSTERS = {
    "twice": ("roster_id,name\nA,Alice\nA,Another\n", "A"),
    "a missing name": ("roster_id,name\nA,Alice\nB,\n", ":3: name"),
    "not a number": ("roster_id,name,extra_time\nA,Alice,NaN\n", ":2: extra_time"),
    "an infinite number": ("roster_id,name,extra_time\nA,Alice,inf\n", ":2: extra_time"),
    "an open quote": ('roster_id,name\nA,"Alice\n', "r.csv"),
    "NUL": ("roster_id,name\nA,Al\x00ice\n", ":2"),
    "UTF-16 without a mark": ("roster_id,name\nA,Alice\n".encode("utf-16-le"), "r.csv"),
}


@pytest.mark.parametrize("name", SPOILED_ROSTERS)
def test_fault_29_a_spoiled_roster_is_refused_and_registers_nobody(
    hall, run_command, tmp_path, name
):
    text, place = SPOILED_ROSTERS[name]
    file = tmp_path / "r.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = rows_of(hall.db)
    for options in (("--dry-run",), ()):
        status, _, error = run_command("candidates", "import", file, "--exam", "sums", *options)
        assert status == 2, error
        assert error.count("\n") == 1
        assert place in error, error
    assert rows_of(hall.db) == before


WAYS_TO_SAVE = {
    "a mark": "\ufeffitem,model,a,b\nA,2pl,1.5,-0.25\n".encode(),
    "UTF-16": "item,model,a,b\nA,2pl,1.5,-0.25\n".encode("utf-16"),
    "semicolons and decimal commas": b"item;model;a;b\r\nA;2pl;1,5;-0,25\r\n",
}


@pytest.mark.parametrize("way", WAYS_TO_SAVE)
def test_fault_29_what_spreadsheets_save_is_read_as_it_was_meant(db, run_command, tmp_path, way):
    file = tmp_path / "bank.csv"
    file.write_bytes(WAYS_TO_SAVE[way])
    assert run_command("bank", "import", file, "--bank", "saved", "--dry-run")[0] == 0
    assert rows_of(db) == [0, 0, 0]
    assert run_command("bank", "import", file, "--bank", "saved")[0] == 0
    assert run_command("bank", "export", "saved", tmp_path / "again.csv")[0] == 0

    (item,) = csv.DictReader(io.StringIO((tmp_path / "again.csv").read_text()))
    assert (item["item"], float(item["a"]), float(item["b"])) == ("A", 1.5, -0.25)


SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")


def formulas(text: str) -> list[str]:
    """Cells that a spreadsheet would compute."""
    return [
        cell
        for row in csv.reader(io.StringIO(text))
        for cell in row
        if cell.startswith(SPREADSHEET) and not is_number(cell)
    ]


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_fault_30_no_export_holds_a_formula(hall, run_command, tmp_path):
    file = tmp_path / "r.csv"
    file.write_text('roster_id,name\n"=1+1","=HYPERLINK(""http://evil.example"")"\n@x,-2+3\n')
    run_command("candidates", "import", file, "--exam", "sums")
    finish(hall, hall.alice, begin(hall, hall.alice))

    run_command("bank", "export", "small", tmp_path / "bank.csv")
    run_command("sitting", "export", "--bank", "small", "--out", tmp_path / "sittings.csv")

    texts = [(tmp_path / name).read_text() for name in ("bank.csv", "sittings.csv")]
    assert all(text.count("\n") > 3 for text in texts)
    assert [formulas(text) for text in texts] == [[], []]


def test_fault_30_names_from_a_response_file_come_out_as_text(run_command, tmp_path):
    items = "".join(f",I{n}" for n in range(4))
    rows = "".join(f"=p{n}+1,{n % 2},{n // 2 % 2},{n // 4 % 2},1\n" for n in range(40))
    (tmp_path / "x.csv").write_text(f"person{items}\n{rows}")
    parameters = "".join(f"I{n},2pl,1,{n / 4}\n" for n in range(4))
    (tmp_path / "p.csv").write_text("item,model,a,b\n" + parameters)
    out = tmp_path / "scores.csv"
    status, _, error = run_command(
        "calibrate", "score", tmp_path / "x.csv", tmp_path / "p.csv", "--out", out
    )

    assert status == 0, error
    assert formulas(out.read_text()) == []
    assert out.read_text().count("'=p") == 40
    assert read_text_table(out).cells("person")[0] == "=p0+1"  # and reads back as it was
