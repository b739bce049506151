"""LaTeX formulas as MathML, which browsers show and screen readers read without a script. Pure.

Called by `markdown`. A formula that would come out mutilated is refused, not guessed at.
"""

from __future__ import annotations

import functools
import html
import re
from xml.etree.ElementTree import Element, tostring

from latex2mathml.converter import convert_to_element

from engine.errors import InputError

MAX_LENGTH = 2000
_CHILDREN = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
"""How many parts an element must have; an unfinished command leaves it with fewer."""
_BRACE = re.compile(r"\\.|([{}])", re.DOTALL)


@functools.lru_cache(maxsize=4096)
def mathml(latex: str, *, display: bool = False) -> str:
    """Turn a formula into a MathML element.

    Raises
    ------
    InputError
        When it is empty, too long, unfinished, or holds a command that is not known.
    """
    expected = "a formula in LaTeX"
    if not latex.strip() or len(latex) > MAX_LENGTH:
        raise InputError(f"{expected} of 1 to {MAX_LENGTH} characters", f"{len(latex)} characters")
    if not _is_balanced(latex):
        raise InputError(f"{expected} whose braces are closed", repr(latex))
    try:
        element = convert_to_element(latex, display="block" if display else "inline")
    except Exception as error:  # noqa: BLE001 - the converter has many, and bare ones among them
        raise InputError(expected, f"{latex!r} ({type(error).__name__})") from None
    for part in element.iter():
        _check(part, latex)
    return tostring(element, encoding="unicode", short_empty_elements=False)


def _is_balanced(latex: str) -> bool:
    depth = 0
    for brace in _BRACE.findall(latex):
        depth += {"{": 1, "}": -1, "": 0}[brace]
        if depth < 0:
            return False
    return depth == 0


def _check(part: Element, latex: str) -> None:
    """Refuse what the converter did not understand, and undo its escapes of characters."""
    if part.text:
        part.text = html.unescape(part.text)
        if "\\" in part.text or (part.tag == "mi" and part.text == "&"):
            raise InputError("a formula of known LaTeX commands", f"{part.text!r} in {latex!r}")
    if len(part) != _CHILDREN.get(part.tag, len(part)):
        raise InputError("a finished formula in LaTeX", repr(latex))
