from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import click
import pytest

import tarozu

HEAVY = ("numpy", "scipy", "sqlalchemy", "flask", "rich", "pyarrow", "altair", "engine.session")


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_help_imports_nothing_heavy_so_that_it_answers_at_once():
    code = (
        "import sys, tarozu\n"
        "try:\n    tarozu.main(['--help'])\n"
        f"finally:\n    sys.stderr.write(' '.join(m for m in {HEAVY} if m in sys.modules))"
    )
    done = _python(code)

    assert "Commands:" in done.stdout
    assert done.stderr == ""


def test_the_module_runs_as_a_script():
    done = subprocess.run(
        [sys.executable, "-m", "tarozu", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"tarozu {importlib.metadata.version('tarozu')}\n"


@pytest.mark.parametrize("name", tarozu.COMMANDS)
def test_every_command_loads_and_says_what_it_does(name):
    command = tarozu.cli.get_command(click.Context(tarozu.cli), name)

    assert command is not None
    assert command.help
    assert tarozu.SHORT_HELP[name].endswith(".")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["weigh"], "No such command 'weigh'."),
        (["--colour"], "No such option '--colour'."),
        (["--database", "oracle://x", "exam", "list"], "expected a SQLite or PostgreSQL URL"),
        (["--database", "nonsense", "exam", "list"], "expected a database URL"),
    ],
)
def test_a_mistyped_command_is_one_line_and_exit_status_2(run_command, arguments, message):
    status, out, err = run_command(*arguments)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    assert message in err


def test_a_database_that_is_not_there_is_refused_with_the_way_out(run_command, tmp_path):
    status, _, err = run_command("--database", f"sqlite:///{tmp_path / 'no.db'}", "exam", "list")

    assert status == 2
    assert "tarozu init" in err
    assert not (tmp_path / "no.db").exists()
