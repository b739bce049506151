"""How others check a result: its code, its address, and the QR code of that address."""

from __future__ import annotations

import io
from dataclasses import dataclass

import segno
from flask_babel import gettext

GROUP = 4


@dataclass(frozen=True)
class Checking:
    """The code of a result, and the page where it can be checked."""

    heading: str
    code: str
    address: str
    sentence: str
    alt: str


def checking(code: str, address: str) -> Checking:
    """Put into words how a result is checked."""
    return Checking(
        str(gettext("Check this result")),
        grouped(code),
        address,
        str(
            gettext(
                "Whoever was given this code can see there whether the result is genuine and "
                "still stands."
            )
        ),
        str(gettext("QR code of the address where this result can be checked")),
    )


def grouped(code: str) -> str:
    """Write a code in groups of four, as it is read aloud."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def qr_code(address: str) -> str:
    """Draw the QR code of an address as SVG, black on white in every theme."""
    drawn = io.BytesIO()
    segno.make_qr(address, error="m").save(
        drawn,
        kind="svg",
        xmldecl=False,
        omitsize=True,
        border=2,
        light="#fff",
        nl=False,
        svgclass=None,
        lineclass=None,
    )
    return drawn.getvalue().decode()
