"""Tables of what people did to items: edited, signed off, moved, commented."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_moves",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("from_state", sa.String(length=64), nullable=False),
        sa.Column("to_state", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["staff_accounts.id"],
            name=op.f("fk_item_moves_account_id_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_item_moves_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_item_moves_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_moves")),
    )
    op.create_index(op.f("ix_item_moves_item_id"), "item_moves", ["item_id"], unique=False)
    op.create_index(
        op.f("ix_item_moves_organisation_id"), "item_moves", ["organisation_id"], unique=False
    )

    op.create_table(
        "item_comments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("revision_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["staff_accounts.id"],
            name=op.f("fk_item_comments_account_id_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_item_comments_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_item_comments_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["item_revisions.id"],
            name=op.f("fk_item_comments_revision_id_item_revisions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_comments")),
    )
    op.create_index(op.f("ix_item_comments_item_id"), "item_comments", ["item_id"], unique=False)
    op.create_index(
        op.f("ix_item_comments_organisation_id"), "item_comments", ["organisation_id"], unique=False
    )

    op.create_table(
        "revision_editors",
        sa.Column("revision_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["staff_accounts.id"],
            name=op.f("fk_revision_editors_account_id_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_revision_editors_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["item_revisions.id"],
            name=op.f("fk_revision_editors_revision_id_item_revisions"),
        ),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_revision_editors")),
    )
    op.create_index(
        op.f("ix_revision_editors_organisation_id"),
        "revision_editors",
        ["organisation_id"],
        unique=False,
    )

    op.create_table(
        "sign_offs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("revision_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=64), nullable=False),
        sa.Column("signed_by", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_sign_offs_item_id_items")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_sign_offs_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["item_revisions.id"],
            name=op.f("fk_sign_offs_revision_id_item_revisions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_offs")),
        sa.UniqueConstraint(
            "revision_id",
            "language",
            "signed_by",
            "at",
            name=op.f("uq_sign_offs_revision_id_language_signed_by_at"),
        ),
    )
    op.create_index(op.f("ix_sign_offs_item_id"), "sign_offs", ["item_id"], unique=False)
    op.create_index(
        op.f("ix_sign_offs_organisation_id"), "sign_offs", ["organisation_id"], unique=False
    )
