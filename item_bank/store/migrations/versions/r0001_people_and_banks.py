"""Tables of the site, its people, and its banks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clock_anchors",
        sa.Column("boot_id", sa.String(length=64), nullable=False),
        sa.Column("wall_at", sa.BigInteger(), nullable=False),
        sa.Column("boot_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("boot_id", name=op.f("pk_clock_anchors")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("code", name=op.f("uq_organisations_code")),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("secrets_fingerprint", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "banks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_banks_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_banks")),
        sa.UniqueConstraint("organisation_id", "code", name=op.f("uq_banks_organisation_id_code")),
    )
    op.create_index(op.f("ix_banks_organisation_id"), "banks", ["organisation_id"], unique=False)
    op.create_table(
        "candidates",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_candidates_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
    )
    op.create_index(
        op.f("ix_candidates_organisation_id"), "candidates", ["organisation_id"], unique=False
    )
    op.create_table(
        "media",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_media_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint(
            "organisation_id", "sha256", name=op.f("uq_media_organisation_id_sha256")
        ),
    )
    op.create_index(op.f("ix_media_organisation_id"), "media", ["organisation_id"], unique=False)
    op.create_table(
        "staff_accounts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_staff_accounts_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_accounts_email")),
    )
    op.create_index(
        op.f("ix_staff_accounts_organisation_id"),
        "staff_accounts",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "candidate_details",
        sa.Column("candidate_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("roster_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=True),
        sa.Column("country", sa.String(length=64), nullable=True),
        sa.Column("language", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidates.id"],
            name=op.f("fk_candidate_details_candidate_id_candidates"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_candidate_details_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("candidate_id", name=op.f("pk_candidate_details")),
        sa.UniqueConstraint(
            "organisation_id",
            "roster_id",
            name=op.f("uq_candidate_details_organisation_id_roster_id"),
        ),
    )
    op.create_index(
        op.f("ix_candidate_details_organisation_id"),
        "candidate_details",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "items",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("bank_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["banks.id"], name=op.f("fk_items_bank_id_banks")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_items_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("bank_id", "code", name=op.f("uq_items_bank_id_code")),
    )
    op.create_index(op.f("ix_items_bank_id"), "items", ["bank_id"], unique=False)
    op.create_index(op.f("ix_items_organisation_id"), "items", ["organisation_id"], unique=False)
    op.create_table(
        "releases",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("bank_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("base_release_id", sa.String(length=32), nullable=True),
        sa.Column("draft_id", sa.String(length=32), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["banks.id"], name=op.f("fk_releases_bank_id_banks")),
        sa.ForeignKeyConstraint(
            ["base_release_id"], ["releases.id"], name=op.f("fk_releases_base_release_id_releases")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_releases_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint("bank_id", "number", name=op.f("uq_releases_bank_id_number")),
    )
    op.create_index(
        op.f("ix_releases_organisation_id"), "releases", ["organisation_id"], unique=False
    )
    op.create_table(
        "calibration_runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("bank_id", sa.String(length=32), nullable=False),
        sa.Column("base_release_id", sa.String(length=32), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data_hash", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("converged", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bank_id"], ["banks.id"], name=op.f("fk_calibration_runs_bank_id_banks")
        ),
        sa.ForeignKeyConstraint(
            ["base_release_id"],
            ["releases.id"],
            name=op.f("fk_calibration_runs_base_release_id_releases"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_calibration_runs_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_runs")),
    )
    op.create_index(
        op.f("ix_calibration_runs_bank_id"), "calibration_runs", ["bank_id"], unique=False
    )
    op.create_index(
        op.f("ix_calibration_runs_organisation_id"),
        "calibration_runs",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "item_holds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_item_holds_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_item_holds_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_holds")),
    )
    op.create_index(op.f("ix_item_holds_item_id"), "item_holds", ["item_id"], unique=False)
    op.create_index(
        op.f("ix_item_holds_organisation_id"), "item_holds", ["organisation_id"], unique=False
    )
    op.create_table(
        "stimuli",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("bank_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bank_id"],
            ["banks.id"],
            name=op.f("fk_stimuli_bank_id_banks"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_stimuli_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stimuli")),
        sa.UniqueConstraint("bank_id", "code", name=op.f("uq_stimuli_bank_id_code")),
    )
    op.create_index(
        op.f("ix_stimuli_organisation_id"), "stimuli", ["organisation_id"], unique=False
    )
    op.create_table(
        "stimulus_revisions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("stimulus_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_stimulus_revisions_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["stimulus_id"],
            ["stimuli.id"],
            name=op.f("fk_stimulus_revisions_stimulus_id_stimuli"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stimulus_revisions")),
        sa.UniqueConstraint(
            "stimulus_id", "number", name=op.f("uq_stimulus_revisions_stimulus_id_number")
        ),
    )
    op.create_index(
        op.f("ix_stimulus_revisions_organisation_id"),
        "stimulus_revisions",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "stimulus_variants",
        sa.Column("revision_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_stimulus_variants_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["stimulus_revisions.id"],
            name=op.f("fk_stimulus_variants_revision_id_stimulus_revisions"),
        ),
        sa.PrimaryKeyConstraint("revision_id", "language", name=op.f("pk_stimulus_variants")),
    )
    op.create_index(
        op.f("ix_stimulus_variants_organisation_id"),
        "stimulus_variants",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "stimulus_media",
        sa.Column("revision_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("medium_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["medium_id"],
            ["media.id"],
            name=op.f("fk_stimulus_media_medium_id_media"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_stimulus_media_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["stimulus_revisions.id"],
            name=op.f("fk_stimulus_media_revision_id_stimulus_revisions"),
        ),
        sa.PrimaryKeyConstraint("revision_id", "name", name=op.f("pk_stimulus_media")),
    )
    op.create_index(
        op.f("ix_stimulus_media_organisation_id"),
        "stimulus_media",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "item_revisions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("content_area", sa.String(length=64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("stimulus_revision_id", sa.String(length=32), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_item_revisions_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_item_revisions_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["stimulus_revision_id"],
            ["stimulus_revisions.id"],
            name=op.f("fk_item_revisions_stimulus_revision_id_stimulus_revisions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_revisions")),
        sa.UniqueConstraint("item_id", "number", name=op.f("uq_item_revisions_item_id_number")),
    )
    op.create_index(
        op.f("ix_item_revisions_organisation_id"),
        "item_revisions",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "item_variants",
        sa.Column("revision_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_item_variants_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["item_revisions.id"],
            name=op.f("fk_item_variants_revision_id_item_revisions"),
        ),
        sa.PrimaryKeyConstraint("revision_id", "language", name=op.f("pk_item_variants")),
    )
    op.create_index(
        op.f("ix_item_variants_organisation_id"), "item_variants", ["organisation_id"], unique=False
    )
    op.create_table(
        "parameter_drafts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("bank_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("base_release_id", sa.String(length=32), nullable=True),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bank_id"], ["banks.id"], name=op.f("fk_parameter_drafts_bank_id_banks")
        ),
        sa.ForeignKeyConstraint(
            ["base_release_id"],
            ["releases.id"],
            name=op.f("fk_parameter_drafts_base_release_id_releases"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_parameter_drafts_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["calibration_runs.id"],
            name=op.f("fk_parameter_drafts_run_id_calibration_runs"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parameter_drafts")),
    )
    op.create_index(
        op.f("ix_parameter_drafts_bank_id"), "parameter_drafts", ["bank_id"], unique=False
    )
    op.create_index(
        op.f("ix_parameter_drafts_organisation_id"),
        "parameter_drafts",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "release_items",
        sa.Column("release_id", sa.String(length=32), nullable=False),
        sa.Column("revision_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("content_area", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("se", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_release_items_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name=op.f("fk_release_items_release_id_releases")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["item_revisions.id"],
            name=op.f("fk_release_items_revision_id_item_revisions"),
        ),
        sa.PrimaryKeyConstraint(
            "release_id", "revision_id", "language", name=op.f("pk_release_items")
        ),
        sa.UniqueConstraint(
            "release_id",
            "language",
            "position",
            name=op.f("uq_release_items_release_id_language_position"),
        ),
    )
    op.create_index(
        op.f("ix_release_items_organisation_id"), "release_items", ["organisation_id"], unique=False
    )
    op.create_table(
        "revision_media",
        sa.Column("revision_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("medium_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["medium_id"], ["media.id"], name=op.f("fk_revision_media_medium_id_media")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_revision_media_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["item_revisions.id"],
            name=op.f("fk_revision_media_revision_id_item_revisions"),
        ),
        sa.PrimaryKeyConstraint("revision_id", "name", name=op.f("pk_revision_media")),
    )
    op.create_index(
        op.f("ix_revision_media_organisation_id"),
        "revision_media",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "draft_parameters",
        sa.Column("draft_id", sa.String(length=32), nullable=False),
        sa.Column("revision_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("se", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["parameter_drafts.id"],
            name=op.f("fk_draft_parameters_draft_id_parameter_drafts"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_draft_parameters_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["item_revisions.id"],
            name=op.f("fk_draft_parameters_revision_id_item_revisions"),
        ),
        sa.PrimaryKeyConstraint(
            "draft_id", "revision_id", "language", name=op.f("pk_draft_parameters")
        ),
    )
    op.create_index(
        op.f("ix_draft_parameters_organisation_id"),
        "draft_parameters",
        ["organisation_id"],
        unique=False,
    )
