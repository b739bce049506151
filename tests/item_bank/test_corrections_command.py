"""`tarozu correction`, from the proposal to the amended result."""

from __future__ import annotations

import json

import pytest
from support.corrections import PASSWORD, person, sit, standing, wrong_key


@pytest.fixture
def code(hall):
    """An item that somebody met."""
    return standing(hall, sit(hall, hall.alice))["path"][0]["item"]


def test_a_key_is_corrected_by_commands(hall, code, run_command):
    key = json.dumps(wrong_key(code))
    propose = ("correction", "propose", f"small/{code}", "--key", key, "--reason", "Mistyped.")
    status, out, err = run_command(*propose)
    assert (status, err) == (0, "")
    assert "Correction 1 is proposed" in out
    status, out, _ = run_command("--json", "correction", "dry-run", 1)
    said = json.loads(out)
    assert (status, said["changed"]) == (0, 1)
    for name in ("nora", "omar"):
        person(hall, name)
        sign = ("correction", "sign", 1, "--account", f"{name}@staff.example", "--password-stdin")
        status, out, err = run_command(*sign, "--effect", said["effect_hash"], stdin=PASSWORD)
        assert (status, err) == (0, "")
    assert run_command("correction", "apply", 1)[:2] == (
        0,
        "Correction 1 is applied: 1 results amended.\n",
    )
    _, out, _ = run_command("--json", "correction", "show", 1, "--changes")
    shown = json.loads(out)
    assert (shown["status"], len(shown["signatures"]), len(shown["changes"])) == ("applied", 2, 1)
    _, out, _ = run_command("--json", "audit", "verify")
    assert json.loads(out)["amended_results"] == 1
    assert "would undo correction 1" in run_command("correction", "undo", 1)[1]
    assert run_command("correction", "withdraw", 2)[0] == 0
    assert "withdrawn" in run_command("correction", "list")[1]


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (("propose", "small/S-01", "--reason", "x"), 2, "one of --key, --drop and --cut"),
        (("propose", "small", "--drop", "--reason", "x"), 2, "BANK/ITEM"),
        (("propose", "small/S-99", "--drop", "--reason", "x"), 2, "an item of bank small"),
        (("propose", "small/S-01", "--key", "{", "--reason", "x"), 2, "a key in JSON"),
        (("propose", "sums", "--cut", "gold", "500", "--reason", "x"), 2, "one of the levels"),
        (("propose", "small/S-01", "--drop", "--reason", " "), 2, "a reason of 1"),
        (("dry-run", "7"), 2, "the number of a correction"),
        (("show", "7"), 2, "the number of a correction"),
        (("apply", "7"), 2, "the number of a correction"),
        (("list", "--status", "gone"), 2, "one of proposed"),
    ],
)
def test_what_is_wrong_is_one_line(hall, run_command, arguments, status, expected):
    found, out, err = run_command("correction", *arguments)
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert expected in err


def test_a_wrong_password_does_not_sign(hall, code, run_command):
    run_command("correction", "propose", f"small/{code}", "--drop", "--reason", "Faulty.")
    run_command("correction", "dry-run", 1)
    person(hall, "nora")
    status, _, err = run_command(
        "correction", "sign", 1, "--account", "nora@staff.example", "--effect", "x",
        "--password-stdin", stdin="nothing of the sort",
    )  # fmt: skip
    assert (status, err) == (1, "this e-mail and password do not belong together\n")
