"""The life cycle where a file comes in: the state of its items, and its sign-offs. Pure.

A bank that demands reviews takes new items as drafts and lets no file move the others, unless who
imports says that the texts were reviewed elsewhere. Called by `imports`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.errors import InputError
from item_bank.items.life_cycle import UNRELEASED_TEXT, Actor, State


@dataclass(frozen=True)
class Terms:
    """How a file comes in.

    Parameters
    ----------
    status
        State of new items that the file says none of.
    editor
        Who wrote its texts; nobody known for an actor without an account.
    signed_off
        Whether its texts were reviewed elsewhere, so that the import stands for their sign-offs.
    """

    status: str | None = None
    editor: Actor = field(default_factory=Actor)
    signed_off: bool = False


@dataclass(frozen=True)
class Arrival:
    """An item of a file: the state it has and the one that the file says, None where it does not.

    ``before`` is None for a new item.
    """

    code: str
    before: str | None
    says: str | None
    has_parameters: bool
    revised: bool


def state_after(arrival: Arrival, terms: Terms, *, review_required: bool) -> str:
    """Return the state of an item after the import.

    Raises
    ------
    InputError
        When the file says a state that the bank does not let a file give.
    """
    guarded = review_required and not terms.signed_off
    if arrival.before is None:
        return _guarded_new(arrival, terms) if guarded else _new(arrival, terms)
    return _guarded_old(arrival) if guarded else _old(arrival)


def _new(arrival: Arrival, terms: Terms) -> str:
    by_parameters = State.OPERATIONAL if arrival.has_parameters else State.DRAFT
    return arrival.says or terms.status or by_parameters


def _guarded_new(arrival: Arrival, terms: Terms) -> str:
    says = arrival.says or terms.status or State.DRAFT
    if says != State.DRAFT:
        expected = "draft, as the bank demands reviews (--signed-off: they were made elsewhere)"
        raise InputError(expected, says, column=f"item {arrival.code}: status")
    return State.DRAFT


def _guarded_old(arrival: Arrival) -> str:
    before = str(arrival.before)
    if arrival.says not in {None, before}:
        expected = f"{before}, as the bank demands reviews (see `tarozu bank move`)"
        raise InputError(expected, arrival.says, column=f"item {arrival.code}: status")
    return _with_new_text(arrival)


def _old(arrival: Arrival) -> str:
    if arrival.before == State.RETIRED and arrival.says is not None:
        expected = "no state, as the item is retired (see `tarozu bank move`)"
        raise InputError(expected, arrival.says, column=f"item {arrival.code}: status")
    if arrival.says is not None:
        return arrival.says
    if arrival.before == State.DRAFT and arrival.has_parameters:
        return State.OPERATIONAL
    return _with_new_text(arrival)


def _with_new_text(arrival: Arrival) -> str:
    """A new text is neither reviewed nor translated."""
    before = str(arrival.before)
    return State.DRAFT if arrival.revised and before in UNRELEASED_TEXT else before


def brings_sign_offs(state: str, terms: Terms, *, review_required: bool) -> bool:
    """Whether the import stands for the sign-offs of an item's text."""
    return state != State.DRAFT and (terms.signed_off or not review_required)
