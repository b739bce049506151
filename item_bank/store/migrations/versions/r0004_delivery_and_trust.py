"""Pauses, breaks, messages, presence and the pulse; password links and the end of sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("site", sa.Column("pulse_at", sa.BigInteger(), nullable=True))
    op.add_column("site", sa.Column("retention", sa.Text(), nullable=True))
    op.drop_column("sign_in_attempts", "succeeded")
    op.create_index(op.f("ix_sign_in_attempts_at"), "sign_in_attempts", ["at"], unique=False)
    op.add_column(
        "staff_accounts",
        sa.Column("sessions_epoch", sa.Integer(), server_default="0", nullable=False),
    )
    op.add_column(
        "item_holds",
        sa.Column("compromised", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    for column in (
        sa.Column("accommodations", sa.Text(), server_default="{}", nullable=False),
        sa.Column("accommodations_salt", sa.String(length=32), nullable=True),
        sa.Column("device", sa.String(length=64), nullable=True),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("pause", sa.String(length=64), nullable=True),
        sa.Column("pause_granted", sa.BigInteger(), nullable=True),
        sa.Column("breaks_taken", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("sittings", column)
    _messages()
    _presence()
    _password_resets()


def _messages() -> None:
    op.create_table(
        "sitting_messages",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sitting_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("from_account", sa.String(length=32), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["from_account"],
            ["staff_accounts.id"],
            name=op.f("fk_sitting_messages_from_account_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_sitting_messages_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_sitting_messages_sitting_id_sittings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sitting_messages")),
    )
    for column in ("organisation_id", "sitting_id"):
        name = op.f(f"ix_sitting_messages_{column}")
        op.create_index(name, "sitting_messages", [column], unique=False)


def _presence() -> None:
    op.create_table(
        "presence",
        sa.Column("sitting_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_presence_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_presence_sitting_id_sittings")
        ),
        sa.PrimaryKeyConstraint("sitting_id", name=op.f("pk_presence")),
    )
    op.create_index(
        op.f("ix_presence_organisation_id"), "presence", ["organisation_id"], unique=False
    )


def _password_resets() -> None:
    op.create_table(
        "password_resets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["staff_accounts.id"],
            name=op.f("fk_password_resets_account_id_staff_accounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_resets_token_hash")),
    )
    op.create_index(
        op.f("ix_password_resets_account_id"), "password_resets", ["account_id"], unique=False
    )
