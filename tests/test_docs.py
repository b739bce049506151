"""The documentation against the command: nothing is missing in it, and nothing is invented."""

import importlib
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

import tarozu
from engine.rules.designs import KEYS
from engine.rules.stopping import StopReason
from item_bank.exams import delivery_rules, exam_files, people, records, result_rules
from item_bank.items.formats.reading import check_bank_file
from item_bank.store.secret_keys import NAMES
from web.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE = ROOT / "docs" / "commands.md"
HELP = {"--help", "-h"}


def commands() -> Iterator[tuple[str, click.Command]]:
    for name, place in sorted(tarozu.COMMANDS.items()):
        module, attribute = place.split(":")
        command = getattr(importlib.import_module(module), attribute)
        if isinstance(command, click.Group):
            context = click.Context(command)
            for sub in command.list_commands(context):
                yield f"{name} {sub}", command.get_command(context, sub)
        else:
            yield name, command


COMMANDS = dict(commands())
GROUPS = {path.split()[0] for path in COMMANDS if " " in path}
OPTIONS = [
    (path, parameter)
    for path, command in COMMANDS.items()
    for parameter in command.params
    if isinstance(parameter, click.Option)
]
OPTION_NAMES = [f"{path} {option.opts[0]}" for path, option in OPTIONS]
GLOBAL_OPTIONS = [one for one in tarozu.cli.params if isinstance(one, click.Option)]


def named(options: list[click.Option]) -> set[str]:
    return {name for option in options for name in (*option.opts, *option.secondary_opts)} | HELP


def sections(text: str) -> dict[str, str]:
    """The text below each heading, to the next heading."""
    parts = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return dict(zip((title.strip() for title in parts[1::2]), parts[2::2], strict=True))


REFERENCE_SECTIONS = sections(REFERENCE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_a_section_in_the_reference(path):
    assert f"tarozu {path}" in REFERENCE_SECTIONS


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids=OPTION_NAMES)
def test_every_option_stands_in_the_section_of_its_command(path, option):
    section = REFERENCE_SECTIONS[f"tarozu {path}"]
    for name in (*option.opts, *option.secondary_opts):
        assert re.search(rf"`{re.escape(name)}[ `]", section), f"{name} in {REFERENCE.name}"


@pytest.mark.parametrize("option", GLOBAL_OPTIONS, ids=lambda option: option.opts[0])
def test_every_global_option_stands_in_the_reference(option):
    section = REFERENCE_SECTIONS["Options of every command"]
    assert re.search(rf"`{re.escape(option.opts[0])}[ `]", section)


def test_the_reference_names_no_command_that_does_not_exist():
    titles = [title for title in REFERENCE_SECTIONS if title.startswith("tarozu ")]
    assert {title.removeprefix("tarozu ") for title in titles} - GROUPS == set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_the_reference_names_no_option_that_a_command_lacks(path):
    table = re.findall(r"^\| `(--[a-z-]+)", REFERENCE_SECTIONS[f"tarozu {path}"], re.MULTILINE)
    own = [one for one in COMMANDS[path].params if isinstance(one, click.Option)]
    assert set(table) <= named(own)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_says_what_it_does(path):
    assert COMMANDS[path].help


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids=OPTION_NAMES)
def test_every_option_says_what_it_does(path, option):
    assert option.help, f"{option.opts[0]} of tarozu {path}"


@pytest.mark.parametrize("name", tarozu.COMMANDS)
def test_every_command_and_group_stands_in_the_overview(name):
    assert tarozu.SHORT_HELP[name]


# --- links -------------------------------------------------------------------------------------


def links(page: Path) -> list[str]:
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    plain = re.sub(r"`[^`\n]*`", "", text)
    found = re.findall(r"\]\(([^)\s]+)\)", plain) + re.findall(r'<img src="([^"]+)"', plain)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """The anchors of headings, as GitHub makes them."""
    titles = sections(page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.replace(" ", "-") for title in plain}


LINKS = [(page, link) for page in PAGES for link in links(page)]


@pytest.mark.parametrize(
    ("page", "link"), LINKS, ids=[f"{page.name} {link}" for page, link in LINKS]
)
def test_every_relative_link_leads_somewhere(page, link):
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    assert target.exists(), f"{page.name}: {link}"
    if anchor:
        assert anchor in anchors(target), f"{page.name}: no heading for {link}"


# --- command lines -----------------------------------------------------------------------------


def fenced_lines(page: Path) -> list[str]:
    blocks = re.findall(
        r"^```[a-z]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    joined = [re.sub(r"\\\n\s*", " ", block) for block in blocks]
    lines = [line.strip().removeprefix("$ ") for block in joined for line in block.splitlines()]
    return [re.sub(r"^.*?\| (?=tarozu )", "", line) for line in lines]


def spoken_lines(page: Path) -> list[str]:
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return re.findall(r"`(tarozu [^`]+)`", text)


def lines(page: Path) -> list[str]:
    assigned = re.compile(r"^([A-Z_]+=\S* )*(?=(sudo -u \w+ )?tarozu )")
    fenced = (assigned.sub("", line) for line in fenced_lines(page))
    typed = [line for line in fenced if re.match(r"tarozu (-|[a-z]+\b)", line)]
    return [*typed, *spoken_lines(page)]


LINES = [(page, line) for page in PAGES for line in dict.fromkeys(lines(page))]


def words_of(line: str) -> list[str]:
    """The words before a redirection, a pipe or a remark."""
    words = shlex.split(line.replace("[", " ").replace("]", " "), comments=True)
    ends = [k for k, word in enumerate(words) if re.match(r"\d?>|[|&;<]", word)]
    return words[1 : ends[0]] if ends else words[1:]


@pytest.mark.parametrize(
    ("page", "line"), LINES, ids=[f"{page.name} {line}" for page, line in LINES]
)
def test_every_command_line_names_what_exists(page, line):
    words = words_of(line)
    while words and words[0].startswith("-"):
        option = words.pop(0)
        assert option in named(GLOBAL_OPTIONS), f"{page.name}: {option}"
        if option == "--database":
            words.pop(0)
    if not words or words[0].isupper():
        return
    path = " ".join(words[:2]) if words[0] in GROUPS else words[0]
    if words == [words[0]] and words[0] in GROUPS:
        return
    assert path in COMMANDS, f"{page.name}: tarozu {path}"
    own = [one for one in COMMANDS[path].params if isinstance(one, click.Option)]
    given = {word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1}
    assert given <= named(own), f"{page.name}: {line}"


# --- files and settings ------------------------------------------------------------------------


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def block(name: str, kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_exam_file_of_the_documentation_is_right():
    plan = exam_files.read_plan(block("administrator", "toml"), file="administrator.md")
    assert plan.levels
    assert plan.design.stop.max_items


EXAM_KEYS = {key for name in exam_files.ENGINE_TABLES for key in KEYS[name]}


@pytest.mark.parametrize("key", sorted(exam_files.KNOWN | EXAM_KEYS))
def test_every_key_of_an_exam_file_is_explained(key):
    assert re.search(rf"[`\[.]{key}[`\].]", page("administrator"))


@pytest.mark.parametrize("column", people.REQUIRED + people.OPTIONAL)
def test_every_column_of_a_roster_is_explained(column):
    assert f"`{column}`" in page("administrator")


def test_the_bank_file_of_the_documentation_is_right(tmp_path):
    file = tmp_path / "bank.json"
    file.write_text(block("integrator", "json"), encoding="utf-8")
    report = check_bank_file(file)
    assert (report.items, report.errors) == (1, ())
    assert json.loads(file.read_text(encoding="utf-8"))["items"][0]["key"]


@pytest.mark.parametrize("reason", StopReason)
def test_every_stop_reason_is_explained(reason):
    assert f"`{reason}`" in page("examiner")


EVENTS = {value for name, value in vars(records).items() if name.isupper()} - {records.SEALED}


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_every_event_of_a_sitting_is_explained(kind):
    assert f"`{kind}`" in page("examiner")


TABLES = {**delivery_rules.KEYS, **result_rules.KEYS}
TABLE_KEYS = [f"{table}.{key}" for table, keys in TABLES.items() for key in keys]


@pytest.mark.parametrize("key", TABLE_KEYS)
def test_every_key_of_how_a_sitting_is_held_and_what_becomes_of_it_is_explained(key):
    assert f"`{key}`" in page("administrator")


@pytest.mark.parametrize("field", [field.name for field in fields(Settings)])
def test_every_setting_is_explained(field):
    assert f"`{PREFIX}{field.upper()}`" in page("operator")


@pytest.mark.parametrize("name", NAMES)
def test_every_secret_is_explained(name):
    assert f"`{name}`" in page("operator")
    assert f"`TAROZU_SECRET_{name.upper()}`" in page("operator")
