"""The parts of a report that are only words: shown as they are by pages and templates."""

from __future__ import annotations

from dataclasses import dataclass


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
