"""Who acts on a sitting from outside: a member of the staff, or whoever has the command line.

Called by pages and commands; every act in `conditions` names an `Actor`.
"""

from __future__ import annotations

from dataclasses import dataclass

from item_bank.exams.errors import NotAllowed
from item_bank.exams.signing_in import StaffSession

COMMAND_LINE = "command line"
ADMINISTRATOR, INVIGILATOR = "administrator", "invigilator"
IN_CHARGE = frozenset({ADMINISTRATOR, INVIGILATOR, COMMAND_LINE})
"""Roles that may change how a sitting goes on."""


@dataclass(frozen=True)
class Actor:
    """Somebody who acts; without an account it is the command line."""

    id: str | None
    organisation_id: str
    role: str
    name: str

    @property
    def by(self) -> str:
        """What the chains say of who it was: an account, never a name."""
        return self.id or COMMAND_LINE


def staff_actor(staff: StaffSession) -> Actor:
    """Return a signed-in member of the staff as one who acts."""
    return Actor(staff.id, staff.organisation_id, staff.role, staff.name)


def command_line(organisation_id: str) -> Actor:
    """Return whoever runs commands on the site's host."""
    return Actor(None, organisation_id, COMMAND_LINE, COMMAND_LINE)


def check_in_charge(actor: Actor) -> None:
    """Refuse roles that may only look."""
    if actor.role not in IN_CHARGE:
        raise NotAllowed("only an invigilator or an administrator may do this")
