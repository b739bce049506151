"""The parts of a report that are only words: shown as they are by pages and templates."""

from __future__ import annotations

from dataclasses import dataclass

from web.language import page_language


@dataclass(frozen=True)
class Notice:
    """What somebody must know before anything else."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; `key` is its id on a page."""

    key: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    bullets: tuple[str, ...] = ()


def run_on(*sentences: str) -> str:
    """Put sentences one after the other; Chinese has no space between them."""
    return ("" if page_language() == "zh" else " ").join(filter(None, sentences))
