"""Who acts on sittings and accounts: a member of the staff, or whoever has the command line.

Every such act names its actor in the chain: the account's id, never a name.
"""

from __future__ import annotations

from dataclasses import dataclass

from item_bank.exams.signing_in import StaffSession

COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Actor:
    """Who acts.

    Parameters
    ----------
    id
        The account's id, or "command line".
    organisation_id
        Whose records the actor may touch; None for those of every organisation.
    """

    id: str
    organisation_id: str | None = None
    role: str = ""
    name: str = ""

    def may_touch(self, organisation_id: str) -> bool:
        """Say whether a record of this organisation is the actor's to act on."""
        return self.organisation_id in {None, organisation_id}


def staff_actor(person: StaffSession) -> Actor:
    """Return the actor that a signed-in member of the staff is."""
    return Actor(person.id, person.organisation_id, person.role, person.name)
