"""A candidate's browser without scripts, over HTTP: it posts what the pages' own forms hold."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

Fields = dict[str, str]
LEADS_ON = (301, 302, 303, 307, 308)
AWAY = (OSError, http.client.HTTPException)
"""What a browser meets while the server is away."""


@dataclass(frozen=True)
class Reply:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def forms(self) -> list[Form]:
        reader = _Forms()
        reader.feed(self.text)
        return reader.forms

    def form(self, action: str) -> Form:
        """The first form whose address ends so."""
        found = next((one for one in self.forms if one.action.endswith(action)), None)
        assert found, f"no form for {action} in a page of status {self.status}: {self.text[:2000]}"
        return found

    @property
    def question(self) -> Form:
        return self.form("/answer")

    @property
    def has_question(self) -> bool:
        return any(one.action.endswith("/answer") for one in self.forms)

    def says(self, words: str) -> bool:
        plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.text))
        return words in plain


class Form:
    """A form of a page: what is hidden in it, and what can be chosen."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.hidden: Fields = {}
        self.options: dict[str, list[str]] = {}
        self.typed: list[str] = []

    def filled(self, choice: int = 0) -> Fields:
        """The form as a person would send it, with the n-th of each thing to choose."""
        chosen = {name: values[choice % len(values)] for name, values in self.options.items()}
        return self.hidden | chosen | dict.fromkeys(self.typed, "1")

    @property
    def position(self) -> int:
        return int(self.hidden["position"])


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "form":
            self._form = Form(said.get("action") or "")
            self.forms.append(self._form)
        elif tag == "input" and self._form is not None and said.get("name"):
            self._field(str(said["name"]), said.get("value") or "", said.get("type"))

    def _field(self, name: str, value: str, kind: str | None) -> None:
        assert self._form
        if kind == "hidden":
            self._form.hidden[name] = value
        elif kind in {"radio", "checkbox"}:
            self._form.options.setdefault(name, []).append(value or "on")
        else:
            self._form.typed.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


class Browser:
    """Keeps cookies and the last page; each request has a connection of its own."""

    def __init__(self, address: str, *, agent: str = "Tarozu tests", timeout: float = 60) -> None:
        self.address, self.agent, self.timeout = address, agent, timeout
        self.cookies: Fields = {}
        self.page = Reply(0, {}, "")

    def get(self, path: str, headers: Fields | None = None) -> Reply:
        return self._keep(self.send("GET", path, None, headers))

    def post(self, path: str, fields: Fields, headers: Fields | None = None) -> Reply:
        return self._keep(self.send("POST", path, fields, headers))

    def follow(self, reply: Reply) -> Reply:
        """Go where a reply leads."""
        for _ in range(10):
            if reply.status not in LEADS_ON:
                return reply
            reply = self.get(reply.location)
        raise AssertionError(f"redirects without end, at last to {reply.location}")

    def send(
        self, method: str, path: str, fields: Fields | None, headers: Fields | None = None
    ) -> Reply:
        """One request and its reply; cookies are kept, the page is not."""
        connection = self.connect()
        try:
            body = None if fields is None else urlencode(fields, doseq=True)
            connection.request(method, path, body, self._headers(fields) | (headers or {}))
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            self._eat(answer.headers.get_all("Set-Cookie") or [])
            return Reply(answer.status, dict(answer.headers.items()), text)
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        """A new connection to the site."""
        site = urlsplit(self.address)
        return http.client.HTTPConnection(str(site.hostname), site.port, timeout=self.timeout)

    def _headers(self, fields: Fields | None) -> Fields:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        said = {"User-Agent": self.agent, "Connection": "close", "Accept-Language": "en"}
        said |= {"Cookie": cookies} if cookies else {}
        if fields is not None:
            said["Content-Type"] = "application/x-www-form-urlencoded"
        return said

    def _eat(self, given: list[str]) -> None:
        for line in given:
            for name, one in SimpleCookie(line).items():
                self.cookies[name] = one.value

    def _keep(self, reply: Reply) -> Reply:
        if "text/html" in reply.headers.get("Content-Type", "") and reply.status not in LEADS_ON:
            self.page = reply
        return reply


class Candidate(Browser):
    """A candidate who signs in with a code and sits the first exam of the list."""

    sitting = ""

    def sign_in(self, code: str) -> Reply:
        form = self.get("/").form("/")
        return self.follow(self.post("/", form.hidden | {"code": code}))

    def begin(self, language: str = "en") -> Reply:
        """Start the exam, confirming whatever the page before it asks."""
        address = re.search(r'href="(/start/\w+)"', self.get("/home").text)
        assert address, self.page.text[-3000:]
        form = self.get(address[1]).form(address[1])
        self.follow(self.post(address[1], form.filled() | {"language": language}))
        self.sitting = self.page.question.action.split("/")[2]
        return self.page

    @property
    def at(self) -> str:
        return f"/sitting/{self.sitting}"

    @property
    def form(self) -> Form:
        """The question's form on the last page."""
        return self.page.question

    def open(self) -> Reply:
        """Load the sitting's page."""
        return self.follow(self.get(self.at))

    def say(self, fields: Fields, headers: Fields | None = None) -> Reply:
        """Post an answer, and look at nothing but the reply."""
        return self.post(f"{self.at}/answer", fields, headers)

    def answer(self, choice: int = 0) -> Reply:
        """Answer the question and go where that leads."""
        return self.follow(self.say(self.form.filled(choice)))

    def persist(self, fields: Fields, seconds: float = 60) -> Reply:
        """Post the same answer again and again, until the server takes it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                reply = self.say(fields)
            except AWAY:
                reply = None
            if reply is not None and reply.status < 500:
                return reply
            time.sleep(0.1)
        raise AssertionError(f"the server did not take an answer within {seconds} s")

    def finish(self, choice: int = 0) -> Reply:
        """Answer until there is a result."""
        for _ in range(100):
            if not self.page.has_question:
                return self.page
            self.answer(choice)
        raise AssertionError("the exam does not end")
