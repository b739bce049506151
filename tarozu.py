"""The command ``tarozu``: assembles the groups of the packages' ``cli.py`` files, lazily.

Nothing heavy is imported until a command runs. Bad input ends as one line ``error: ...`` and exit
status 2; an answer of no as one line and exit status 1.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from typing import Any

import click

COMMANDS = {
    "assemble": "calibration.assembly.cli:assemble",
    "audit": "item_bank.cli:audit",
    "backup": "item_bank.cli:backup",
    "bank": "item_bank.cli:bank",
    "calibrate": "calibration.cli:calibrate",
    "candidates": "item_bank.exams.personal.cli:candidates",
    "correction": "item_bank.results.corrections.cli:correction",
    "demo": "web.cli:demo",
    "doctor": "item_bank.cli:doctor",
    "exam": "item_bank.exams.cli:exam",
    "export": "item_bank.results.exports.cli:export",
    "init": "item_bank.cli:init",
    "restore": "item_bank.cli:restore",
    "result": "item_bank.results.cli:result",
    "retention": "item_bank.exams.personal.cli:retention",
    "serve": "web.cli:serve",
    "simulate": "calibration.simulations.cli:simulate",
    "sitting": "item_bank.exams.invigilation.cli:sitting",
    "standard": "item_bank.results.standards.cli:standard",
    "user": "web.cli:user",
    "worker": "web.cli:worker",
}
SHORT_HELP = {
    "assemble": "Assemble parallel forms and panels of modules.",
    "audit": "Verify the hash chains.",
    "backup": "Write a backup of the database.",
    "bank": "Item banks: import, check, show, compare, publish.",
    "calibrate": "Calibrate, score and recalibrate items.",
    "candidates": "Rosters, access codes, personal data.",
    "correction": "Correct results: propose, dry run, sign, apply.",
    "demo": "Serve a demonstration with a database of its own.",
    "doctor": "Check database, secrets, clock, disk and worker.",
    "exam": "Exams: apply a TOML file, list, show, open, close.",
    "export": "Write results, responses or research data of an exam.",
    "init": "Create or upgrade the database.",
    "restore": "Restore the database from a backup.",
    "result": "Results: list, show, sign, release, hold, invalidate.",
    "retention": "For how long personal data are kept.",
    "serve": "Serve the site, with a worker.",
    "simulate": "Simulate an adaptive test.",
    "sitting": "Sittings: list, show, export, replay, pause, end.",
    "standard": "Standard setting: panels, rounds, cut scores.",
    "user": "Accounts of staff and candidates.",
    "worker": "Do the work that waits without a request.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module that holds a command."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, SHORT_HELP[name]) for name in self.list_commands(ctx)])


def _version(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"tarozu {importlib.metadata.version('tarozu')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--database",
    metavar="URL",
    envvar="TAROZU_DATABASE_URL",
    help="SQLite or PostgreSQL; a SQLite file in the user data folder where none is given.",
)
@click.option("--quiet", is_flag=True, help="No remarks and no progress.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON on stdout.")
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Print the version.",
)
@click.pass_context
def cli(ctx: click.Context, database: str | None, quiet: bool, as_json: bool) -> None:  # noqa: FBT001
    """Tarozu: adaptive exams from calibrated banks, and the banks from recorded exams."""
    from item_bank.console import Console

    ctx.obj = Console(database_url=database, quiet=quiet, json=as_json)


def _usage(error: click.UsageError) -> str:
    context = error.ctx.command_path if error.ctx else "tarozu"
    return f"{context}: {error.format_message()} (see {context} --help)".replace("\n", " ")


def main(arguments: list[str] | None = None) -> None:
    """Run the command; every failure is one line on stderr and an exit status."""
    from engine.errors import AnswerIsNo, InputError

    try:
        status = cli.main(args=arguments, prog_name="tarozu", standalone_mode=False)
    except InputError as error:
        _stop(f"error: {error}", 2)
    except AnswerIsNo as error:
        _stop(str(error), 1)
    except click.exceptions.NoArgsIsHelpError as error:
        _stop(error.format_message(), 2)
    except click.UsageError as error:
        _stop(f"error: {_usage(error)}", 2)
    except click.ClickException as error:
        _stop(f"error: {error.format_message()}", 2)
    except (click.Abort, KeyboardInterrupt):
        _stop("stopped", 130)
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _stop(message: str, status: int) -> None:
    click.echo(message, err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
