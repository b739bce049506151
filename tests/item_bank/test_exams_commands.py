from __future__ import annotations

import csv
import io
import json

import pytest
from support.sittings import EXAM, begin, finish, open_hall


@pytest.fixture
def exam_file(tmp_path):
    path = tmp_path / "sums.toml"
    path.write_text(EXAM, encoding="utf-8")
    return path


@pytest.fixture
def roster(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text("roster_id,name,language\nA,Alice,en\nB,Bob,ru\n", encoding="utf-8-sig")
    return path


def test_an_exam_is_applied_listed_shown_closed_and_opened(small_bank, run_command, exam_file):
    assert run_command("exam", "list")[:2] == (
        0,
        "No exam yet. Write one as a TOML file and run: tarozu exam apply FILE\n",
    )
    status, out, _ = run_command("exam", "apply", exam_file, "--dry-run")
    assert (status, out) == (0, "sums: the file is right; it would use release 1.\n")
    status, out, _ = run_command("exam", "apply", exam_file)
    assert (status, out) == (
        0,
        "sums: version 1 is now in use, on release 1 of bank small.\n",
    )
    assert "unchanged" in run_command("exam", "apply", exam_file)[1]
    assert (
        run_command("exam", "show", "sums")[1]
        == exam_file.read_text(encoding="utf-8").rstrip("\n") + "\n"
    )
    assert run_command("exam", "close", "sums")[:2] == (0, "sums is closed.\n")
    assert run_command("exam", "open", "sums")[:2] == (0, "sums is open.\n")
    status, out, _ = run_command("--json", "exam", "list")
    assert json.loads(out)[0]["release"] == 1


def test_a_roster_gives_codes_once(small_bank, run_command, exam_file, roster):
    run_command("exam", "apply", exam_file)

    assert (
        "2 persons" in run_command("candidates", "import", roster, "--exam", "sums", "--dry-run")[1]
    )
    first = json.loads(run_command("--json", "candidates", "import", roster, "--exam", "sums")[1])
    again = json.loads(run_command("--json", "candidates", "import", roster, "--exam", "sums")[1])
    fresh = json.loads(
        run_command("--json", "candidates", "import", roster, "--exam", "sums", "--reissue")[1]
    )
    assert all(row["code"] for row in first + fresh)
    assert [row["code"] for row in again] == [None, None]


def test_sittings_are_listed_shown_exported_and_replayed(db, small_bank, run_command):
    assert "No sitting yet" in run_command("sitting", "list")[1]
    hall = open_hall(db)
    end = finish(hall, hall.alice, begin(hall, hall.alice))

    listed = json.loads(run_command("--json", "sitting", "list")[1])
    assert [row["id"] for row in listed["sittings"]] == [end.sitting_id]
    assert "finished" in run_command("sitting", "list", "--status", "finished")[1]
    shown = json.loads(run_command("--json", "sitting", "show", end.sitting_id)[1])
    rows = list(csv.DictReader(io.StringIO(run_command("sitting", "export", "--bank", "small")[1])))
    assert [row["item"] for row in rows] == [step["item"] for step in shown["result"]["path"]]
    assert {row["person"] for row in rows} == {hall.alice.candidate_id}
    status, out, _ = run_command("sitting", "replay", "--all")
    assert (status, out) == (0, f"Sittings that replay exactly: 1, with {len(rows)} steps.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["exam", "apply", "missing.toml"], "missing.toml: expected a file that can be read"),
        (["exam", "show", "nothing"], "expected the code of an exam"),
        (["exam", "close", "nothing"], "expected the code of an exam"),
        (["candidates", "import", "missing.csv", "--exam", "sums"], "missing.csv: expected a file"),
        (["candidates", "import", "x.csv"], "Missing option '--exam'"),
        (["sitting", "show", "nothing"], "expected the id of a sitting"),
        (["sitting", "replay"], "expected the id of a sitting, or --all"),
        (["sitting", "replay", "nothing"], "expected the id of a sitting"),
        (["sitting", "export", "--bank", "none"], "expected one of the banks"),
        (["sitting", "export", "--bank", "small", "--since", "soon"], "a day as YYYY-MM-DD"),
        (["sitting", "list", "--status", "lost"], "--status"),
    ],
)
def test_bad_input_is_one_line_and_exit_status_2(small_bank, run_command, arguments, message):
    status, out, err = run_command(*arguments)

    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_an_export_of_nothing_is_an_answer_of_no(small_bank, run_command):
    status, out, err = run_command("sitting", "export", "--bank", "small")

    assert (status, out, err) == (1, "", "no recorded response to export\n")


def test_a_running_sitting_is_paused_resumed_granted_time_written_to_and_ended(
    db, small_bank, run_command
):
    hall = open_hall(db)
    now = begin(hall, hall.alice)

    def act(*arguments):
        status, out, err = run_command("--json", "sitting", *arguments)
        assert status == 0, err
        return json.loads(out)

    # The command goes by the real clock, which is behind the hall's: the deadline is far away.
    assert act("pause", now.sitting_id, "--reason", "alarm")["pause"] == "invigilator"
    status, _, err = run_command("sitting", "pause", now.sitting_id)
    assert (status, "paused already" in err) == (1, True)
    assert act("resume", now.sitting_id)["pause"] is None
    before = act("message", now.sitting_id, "Five minutes more.")
    after = act("grant", now.sitting_id, "--minutes", "5", "--reason", "line")
    assert len(before["message"]) == 32
    assert after["deadline_at"] - before["deadline_at"] == 300_000_000
    act("release", now.sitting_id)
    assert act("terminate", now.sitting_id, "--reason", "left")["status"] == "finished"
    status, _, err = run_command("sitting", "resume", now.sitting_id)
    assert (status, "has ended" in err) == (1, True)
    status, _, err = run_command("sitting", "grant", "0" * 32, "--minutes", "1", "--reason", "x")
    assert (status, "the id of a sitting" in err) == (2, True)
    assert run_command("sitting", "grant", now.sitting_id, "--minutes", "0")[0] == 2
    assert run_command("sitting", "replay", now.sitting_id)[0] == 0
    assert run_command("audit", "verify")[0] == 0
