"""Candidates over HTTP, as their pages would: each with a connection and a session of its own."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from html import unescape

import aiohttp

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]*)"')
CHOICE = re.compile(r'type="(radio|checkbox)"[^>]* name="choice" value="(\w+)"')
SELECT = re.compile(r'<select[^>]* name="(at\.[^"]+)".*?</select>', re.DOTALL)
OPTION = re.compile(r'<option[^>]* value="([^"]+)"')
TYPED = re.compile(r'<input[^>]* name="(text|number)"')
QUESTION = re.compile(r'name="position" value="')
PATIENCE = aiohttp.ClientTimeout(total=60)


@dataclass
class Tally:
    """What happened in one phase."""

    seconds: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    finished: int = 0


class Candidate:
    """One candidate's browser."""

    def __init__(self, address: str, code: str, number: int) -> None:
        self.address, self.code = address, code
        self.random = random.Random(number)
        self.sitting: str | None = None
        self.page = self.token = ""
        self.done = self.without = False

    async def open(self) -> None:
        self.browser = aiohttp.ClientSession(
            self.address,
            connector=aiohttp.TCPConnector(limit=2, keepalive_timeout=60),
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # of an address without a name
            timeout=PATIENCE,
        )

    async def close(self) -> None:
        await self.browser.close()

    async def begin(self) -> None:
        """Sign in and start the exam."""
        await self._get("/")
        home = await self._post("/", {"code": self.code})
        start = re.search(r'href="(/start/\w+)"', home)
        assert start, home[:500]
        await self._get(start[1])
        await self._post(start[1], {"language": "en", "consent": "1", "identity": "1"})
        sitting = re.search(r"/sitting/(\w+)/answer", self.page)
        assert sitting, self.page[:500]
        self.sitting = sitting[1]

    async def answer(self, tally: Tally) -> None:
        """Answer the question on the page, and take the next one."""
        form = self._filled()
        begun = time.perf_counter()
        try:
            status, text = await self._send(f"/sitting/{self.sitting}/answer", form)
        except (aiohttp.ClientError, TimeoutError) as error:
            tally.failed[type(error).__name__] += 1
            return
        tally.seconds.append(time.perf_counter() - begun)
        if status == 204:
            self.done, tally.finished = True, tally.finished + 1
        elif status == 422 and ("without", "1") not in form:  # it asks for more, as it may
            self.page, self.without = text, True
        elif status != 200 or not QUESTION.search(text):
            tally.failed[f"status {status}"] += 1
        else:
            self.page = text

    def _filled(self) -> list[tuple[str, str]]:
        """Return the question's form as somebody in a hurry would send it."""
        form = [(unescape(name), unescape(value)) for name, value in HIDDEN.findall(self.page)]
        form += [("csrf_token", self.token)]
        if self.without:
            self.without = False
            return [*form, ("without", "1")]
        choices = CHOICE.findall(self.page)
        if choices:
            several = choices[0][0] == "checkbox"
            chosen = self.random.sample(choices, min(2 if several else 1, len(choices)))
            form += [("choice", value) for _, value in chosen]
        for place, found in enumerate(SELECT.finditer(self.page)):
            options = OPTION.findall(found[0]) or [""]
            form += [(found[1], options[place % len(options)])]
        return form + [(name, "1") for name in TYPED.findall(self.page)]

    async def ask_clock(self, tally: Tally) -> None:
        """Ask how much time is left, as the page's script does."""
        try:
            async with self.browser.get(f"/sitting/{self.sitting}/clock") as answer:
                await answer.read()
                if answer.status != 200:
                    tally.failed[f"clock {answer.status}"] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            tally.failed[f"clock {type(error).__name__}"] += 1

    async def _send(self, path: str, form: list[tuple[str, str]]) -> tuple[int, str]:
        headers = {"HX-Request": "true", "HX-Current-URL": f"{self.address}{path}"}
        async with self.browser.post(path, data=form, headers=headers) as answer:
            return answer.status, await answer.text()

    async def _get(self, path: str) -> str:
        async with self.browser.get(path) as answer:
            return self._keep(await answer.text())

    async def _post(self, path: str, form: dict[str, str]) -> str:
        async with self.browser.post(path, data={"csrf_token": self.token} | form) as answer:
            return self._keep(await answer.text())

    def _keep(self, page: str) -> str:
        self.page = page
        found = TOKEN.search(page)
        self.token = unescape(found[1]) if found else self.token
        return page


async def think(one: Candidate, seconds: float, end: float) -> bool:
    """Wait as long as somebody thinks; False when the phase is over before that."""
    wanted = seconds * one.random.uniform(0.5, 1.5)
    left = end - time.perf_counter()
    await asyncio.sleep(max(min(wanted, left), 0))
    return wanted < left
