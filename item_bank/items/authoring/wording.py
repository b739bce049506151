"""How the commands of the life cycle say what they found: plain data, table rows, sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from item_bank.items.life_cycle import Standing, State, offers

STANDINGS = ("item", "state", "review", "texts", "signed_off", "lacks", "parameters")


def standing_data(standing: Standing) -> dict[str, Any]:
    """Return where an item stands as plain data."""
    return {
        "item": standing.code,
        "state": str(standing.shown),
        "beneath": str(standing.state),
        "held": standing.held,
        "reviewed": standing.has_text and standing.reviewed,
        "texts": sorted(standing.texts),
        "signed_off": sorted(standing.signed),
        "without_text": list(standing.without_text),
        "unsigned": list(standing.unsigned),
        "parameters": standing.has_parameters,
        "moves": [
            {
                "to": str(offer.to),
                "roles": sorted(offer.roles),
                "missing": list(offer.missing),
                "asks_reason": offer.asks_reason,
            }
            for offer in offers(standing)
        ],
    }


def standing_shown(row: dict[str, Any]) -> dict[str, Any]:
    """Turn a row of `standing_data` into what a table shows."""
    beneath = f" ({row['beneath']})" if row["state"] == State.HELD else ""
    return {
        "item": row["item"],
        "state": row["state"] + beneath,
        "review": "signed off" if row["reviewed"] else "open" if row["texts"] else "",
        "texts": " ".join(row["texts"]),
        "signed_off": " ".join(row["signed_off"]),
        "lacks": " ".join(row["without_text"]),
        "parameters": "yes" if row["parameters"] else "no",
    }


def counts_text(found: Sequence[Standing]) -> str:
    """Say how many items are in each state."""
    counted = Counter(one.shown for one in found)
    said = ", ".join(f"{counted[state]} {state}" for state in State if counted[state])
    return f"{len(found)} items: {said}." if found else "No items."


def item_text(standing: Standing) -> str:
    """Say where an item stands, and what each way from there lacks."""
    beneath = f" ({standing.state})" if standing.held else ""
    lines = [f"{standing.code} is {standing.shown}{beneath}."]
    for offer in offers(standing):
        asks = ["a reason"] * offer.asks_reason
        lacks = f" lacks {'; '.join(offer.missing)}." if offer.missing else " is open."
        needs = f" Asks for {', '.join(asks)}." if asks else ""
        who = " or ".join(sorted(offer.roles))
        lines.append(f"  {offer.to}:{lacks}{needs} By: {who}.")
    return "\n".join(lines)
