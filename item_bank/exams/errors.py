"""What can go wrong between people and exams; `web` makes a page of each, commands a line."""

from __future__ import annotations


class NotFound(Exception):  # noqa: N818 - a finding, named as the reader meets it
    """No such record, or not this person's: the two are not told apart."""


class NotAllowed(Exception):  # noqa: N818 - as above
    """The record is there, and its state forbids the act; the message says why."""


class TooManyAttempts(Exception):  # noqa: N818 - as above
    """Too many failed sign-ins; ``seconds`` until the next is heard."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many failed sign-ins; try again in {seconds} s")


class ForeignResponse(Exception):  # noqa: N818 - as above
    """Not a response that the page of this presentation could send."""
