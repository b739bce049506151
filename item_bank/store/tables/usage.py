"""How often the items of an exam were given: sums over its sittings, kept for the next choice.

Everything here follows from the records of sittings, which alone count as evidence; a step writes
into its trace what it read, so that replay never looks here.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import Base, Hash, Key, Organisation, Word


class UsageCounter(Base):
    """One item of an exam, or with ``item`` "" its sittings themselves."""

    __tablename__ = "usage_counters"

    exam_id: Mapped[Key] = mapped_column(ForeignKey("exams.id"), primary_key=True)
    bank_id: Mapped[Key] = mapped_column(ForeignKey("banks.id"), primary_key=True)
    strata: Mapped[Hash] = mapped_column(primary_key=True)  # of which cuts; "" for whole sittings
    stratum: Mapped[int] = mapped_column(primary_key=True)  # -1: all together
    item: Mapped[Word] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    given: Mapped[int]  # sittings that had the item there; with item "": sittings that were there
    barred: Mapped[int]  # of those there, the item was not eligible; "": the draw had to yield
    knowledge_aa: Mapped[float]  # information about a and b of an item that is tried out
    knowledge_ab: Mapped[float]
    knowledge_bb: Mapped[float]
