"""What axe-core finds on a page against WCAG 2.2 A and AA, and whether a page scrolls sideways."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES | {"resultTypes": ["violations"]})
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    return wide > screen
