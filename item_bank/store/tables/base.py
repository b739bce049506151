"""What all tables share: the MetaData, key types and the two column types of our own.

Ids are random and say nothing. Times are microseconds since 1970 by the site clock. JSON is kept
as canonical text, so that it reads back to the letter and can be hashed.
"""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any

from sqlalchemy import BigInteger, Dialect, ForeignKey, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

from item_bank.store.canonical import canonical_json


class CanonicalJson(TypeDecorator[Any]):
    """A JSON value kept as its canonical text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To canonical text; None stays NULL."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """From text."""
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """The one registry of tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def new_id() -> str:
    """Return a random identifier that cannot be guessed."""
    return uuid.uuid4().hex


Id = Annotated[str, mapped_column(String(32), primary_key=True, default=new_id)]
Key = Annotated[str, mapped_column(String(32))]
Organisation = Annotated[str, mapped_column(String(32), ForeignKey("organisations.id"), index=True)]
Time = Annotated[int, mapped_column(BigInteger)]
Json = Annotated[Any, mapped_column(CanonicalJson)]
Name = Annotated[str, mapped_column(String(200))]
Word = Annotated[str, mapped_column(String(64))]
Hash = Annotated[str, mapped_column(String(64))]
