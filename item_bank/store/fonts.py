"""The fonts of this machine that documents are set in, and the packages that bring them.

Called by `doctor` and by `web/documents/typesetting.py`: both ask here, so that they never
disagree. Families are looked for by name, the preferred one first; what is embedded in the
typesetter itself does not count, since it has neither Tajik nor Chinese.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from typst import Fonts


@dataclass(frozen=True)
class Script:
    """Letters that a document may need.

    Parameters
    ----------
    families
        Families that have all of them, the preferred one first.
    package
        The Debian package that brings one.
    """

    name: str
    families: tuple[str, ...]
    package: str


LETTERS = Script(
    "Latin and Cyrillic letters, those of Tajik among them",
    ("Noto Sans", "DejaVu Sans", "Segoe UI", "Helvetica Neue"),
    "fonts-dejavu-core",
)
CHINESE = Script(
    "Chinese characters",
    (
        "Noto Sans CJK SC",
        "Noto Sans SC",
        "Source Han Sans SC",
        "PingFang SC",
        "Hiragino Sans GB",
        "Microsoft YaHei",
        "WenQuanYi Zen Hei",
        "WenQuanYi Micro Hei",
    ),
    "fonts-noto-cjk",
)
SCRIPTS = (LETTERS, CHINESE)


@cache
def system_fonts() -> Fonts:
    """Return the fonts of this machine; looked for once in a process, which takes 0.1 s."""
    return Fonts(include_system_fonts=True, include_embedded_fonts=False)


def family(script: Script, fonts: Fonts) -> str | None:
    """Return the family that a script is set in, or None where there is none."""
    there = set(fonts.families())
    return next((name for name in script.families if name in there), None)


def families(first: Script, fonts: Fonts) -> list[str]:
    """Return the families to set a text in: those of one script, then those of the others."""
    ordered = [first, *(script for script in SCRIPTS if script is not first)]
    return [found for script in ordered if (found := family(script, fonts)) is not None]


def script_of(letters: Sequence[str]) -> Script | None:
    """Return the script whose fonts would have some letters; None for those that neither has."""
    found = {CHINESE if _is_chinese(ord(letter)) else _alphabet(ord(letter)) for letter in letters}
    return found.pop() if len(found) == 1 else None


def _is_chinese(code: int) -> bool:
    """Whether a code point is an ideograph or stands in Chinese punctuation."""
    return 0x2E80 <= code <= 0x9FFF or 0xF900 <= code <= 0xFFEF or 0x20000 <= code <= 0x3FFFF


def _alphabet(code: int) -> Script | None:
    return LETTERS if code <= 0x052F or 0x1E00 <= code <= 0x1EFF else None
