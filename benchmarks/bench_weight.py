"""What a candidate's line has to carry: compressed bytes of the first question and of each next.

Run it with `python -m benchmarks weight`. An exam with one question of each type is sat by a client
that takes gzip, as browsers do; media are not counted.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from item_bank.store.database import Database, open_database
from item_bank.store.schema import initialise
from web.app import create_app
from web.settings import Settings

FIRST, NEXT = 50_000, 15_000
GZIP = {"Accept-Encoding": "gzip"}


def weights() -> tuple[dict[str, int], dict[str, int]]:
    """Bytes of the files of the first question's page by address, and of each fragment by type."""
    with tempfile.TemporaryDirectory() as folder:
        db = replace(
            open_database(f"sqlite:///{folder}/weight.db"), secrets_folder=Path(folder) / "secrets"
        )
        initialise(db)
        try:
            return _measured(db, Path(folder))
        finally:
            db.close()


def _measured(db: Database, folder: Path) -> tuple[dict[str, int], dict[str, int]]:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.type_exams import open_type_exam  # noqa: PLC0415 - of the tests, as other banks

    code = open_type_exam(db, folder)
    client = create_app(db, Settings(log_level="error")).test_client()
    page = _begin(client, code)
    first = {"page": len(client.get(page, headers=GZIP).data)}
    html = client.get(page).text
    for address in re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js|svg)[^"]*)"', html):
        first[address.split("?")[0]] = len(client.get(address, headers=GZIP).data)
    return first, dict(_sit(client, page, html))


def _begin(client: FlaskClient, code: str) -> str:
    token = _field(client.get("/").text, "csrf_token")
    client.post("/", data={"code": code, "csrf_token": token})
    start = re.search(r'href="(/start/\w+)"', client.get("/home").text)
    assert start
    form = {"csrf_token": _field(client.get(start[1]).text, "csrf_token"), "language": "en"}
    return str(client.post(start[1], data=form).headers["Location"])


def _sit(client: FlaskClient, page: str, html: str) -> Iterator[tuple[str, int]]:
    """Weigh every question as it comes, and leave it."""
    first = client.get(page, headers={**GZIP, "HX-Request": "true"})
    yield _kind(html), len(first.data)
    while True:
        names = ("csrf_token", "position", "epoch", "key")
        form = {name: _field(html, name) for name in names} | {"without": "1"}
        got = client.post(f"{page}/answer", data=form, headers={**GZIP, "HX-Request": "true"})
        html = client.get(page).text
        if "data-type" not in html:
            return
        yield _kind(html), len(got.data)


def _kind(html: str) -> str:
    found = re.search(r'data-type="(\w+)"', html)
    assert found
    return found[1]


def _field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    return found[1] if found else ""


def main() -> None:
    """Print the weights beside their limits."""
    first, following = weights()
    for name, size in first.items():
        print(f"{size:7,}  {name}")
    print(f"{sum(first.values()):7,}  first question in all, of {FIRST:,} allowed")
    for name, size in sorted(following.items()):
        print(f"{size:7,}  next question, {name}, of {NEXT:,} allowed")
