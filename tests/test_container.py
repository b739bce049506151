"""The Containerfile says what can be so: files that are there, an account, a command of ours."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click

import tarozu

ROOT = Path(__file__).parents[1]


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Containerfile").read_text(encoding="utf-8"))
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def only(wanted: str) -> str:
    (rest,) = (rest for name, rest in instructions() if name == wanted)
    return rest


def test_what_is_copied_into_the_container_is_there():
    for name, rest in instructions():
        source = rest.split()[0]
        if name == "COPY" and not source.startswith("--from="):
            assert (ROOT / source).exists(), source
            assert not any(source == line for line in ignored())


def ignored() -> list[str]:
    return (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


def test_data_and_secrets_lie_in_the_volume_and_stay_out_of_the_image():
    settings = dict(part.split("=", 1) for part in shlex.split(only("ENV")))

    assert settings["TAROZU_DATABASE_URL"].startswith(f"sqlite:///{only('VOLUME')}/")
    assert settings["TAROZU_SECRETS"].startswith(f"{only('VOLUME')}/")
    assert {"**/*.db", "**/*.db-*", "**/*-secrets", ".git", ".venv"} <= set(ignored())


def test_the_command_of_the_container_is_one_that_tarozu_has():
    program, *none = json.loads(only("ENTRYPOINT"))
    name, *options = json.loads(only("CMD"))
    command = tarozu.cli.get_command(click.Context(tarozu.cli), name)
    given = command.make_context(name, options).params

    assert (program, none) == ("tarozu", [])
    assert str(given["port"]) == only("EXPOSE")
    assert f"127.0.0.1:{given['port']}/healthz" in only("HEALTHCHECK")


def test_it_runs_as_an_account_that_the_container_makes():
    made = next(rest for name, rest in instructions() if name == "RUN" and "useradd" in rest)

    assert re.search(rf"useradd --uid 10001 .* {only('USER')} ", made)
    assert f"-o {only('USER')} -g {only('USER')} -m 700 {only('VOLUME')}" in made
