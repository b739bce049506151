"""Every address of the application with its methods and audience, from its URL map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask

from web.access import PUBLIC, audience_of

UNKNOWN = {"step": 1, "name": "shapes.svg", "sha256": "0" * 64, "filename": "css/base.css",
           "language": "en", "code": "none", "number": 1, "place": 1}  # fmt: skip
"""What an argument is where the record does not matter; ids are zeros."""


@dataclass(frozen=True)
class Route:
    """One address and method."""

    endpoint: str
    method: str
    arguments: frozenset[str]
    audience: frozenset[str]
    app: Flask

    @property
    def is_public(self) -> bool:
        return PUBLIC in self.audience

    def address(self, **values: Any) -> str:
        """The address with these arguments, and unknown ones for the rest."""
        given = {name: values.get(name, UNKNOWN.get(name, "0" * 32)) for name in self.arguments}
        with self.app.test_request_context():
            return self.app.url_map.bind("localhost").build(self.endpoint, given)


def routes(app: Flask) -> list[Route]:
    """Every route, sorted."""
    return sorted(_routes(app), key=lambda one: (one.endpoint, one.method))


def _routes(app: Flask) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            audience = audience_of(app, rule.endpoint)
            yield Route(rule.endpoint, method, frozenset(rule.arguments), audience, app)
