"""A visitor of the site without scripts: follows links and posts the forms that pages show."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

HTMX = {"HX-Request": "true"}


class Visitor:
    """One browser: keeps its cookies and the last page that it saw."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.page = ""
        self._token = ""

    def get(self, address: str, **options: Any) -> TestResponse:
        return self._keep(self.client.get(address, **options))

    def post(self, address: str, form: dict[str, str] | None = None, **options: Any):
        """Post with the token of the last page."""
        token = {"csrf_token": self.field("csrf_token")}
        return self._keep(self.client.post(address, data=token | (form or {}), **options))

    def sign_in(self, code: str) -> TestResponse:
        self.get("/")
        return self.post("/", {"code": code}, follow_redirects=True)

    def sign_in_staff(self, email: str, password: str) -> TestResponse:
        self.get("/staff")
        return self.post("/staff", {"email": email, "password": password}, follow_redirects=True)

    def begin(self, language: str = "en") -> str:
        """Start the first exam of the list and return the sitting's id."""
        self.get("/home")
        address = re.search(r'href="(/start/\w+)"', self.page)
        assert address
        self.get(address[1])
        self.post(address[1], {"language": language}, follow_redirects=True)
        sitting = re.search(r"/sitting/(\w+)/answer", self.page)
        assert sitting
        return sitting[1]

    def token(self) -> str:
        """The token that the last whole page gave its scripts."""
        assert self._token
        return self._token

    def field(self, name: str) -> str:
        """The value of the first hidden field of that name on the last page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return unescape(found[1]) if found else ""

    def choices(self) -> list[str]:
        return re.findall(r'name="choice" value="(\w+)"', self.page)

    def form(self, **changes: str) -> dict[str, str]:
        """The question form as the page would send it, with the first choice."""
        fields = {name: self.field(name) for name in ("position", "epoch", "key")}
        return fields | {"choice": self.choices()[0]} | changes

    def answer(self, sitting: str, **changes: Any) -> TestResponse:
        options = {"headers": changes.pop("headers", None)}
        form = self.form(**changes)
        return self.post(f"/sitting/{sitting}/answer", form, **options)

    def finish(self, sitting: str) -> None:
        """Answer with the first choice to the end, and look at the result."""
        for _ in range(100):
            if f"/sitting/{sitting}/answer" not in self.page:
                self.get(f"/sitting/{sitting}/result")
                return
            response = self.answer(sitting)
            if response.status_code == 303:
                self.get(response.headers["Location"])
        raise AssertionError("the exam does not end")

    def _keep(self, response: TestResponse) -> TestResponse:
        response.get_data()
        response.close()  # a file that was sent stays open until then
        if response.mimetype == "text/html" and response.status_code not in {303, 308}:
            self.page = response.text
            found = re.search(r'"X-CSRFToken": "([^"]*)"', self.page)
            self._token = found[1] if found else self._token
        return response
