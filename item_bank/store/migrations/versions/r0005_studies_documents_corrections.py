"""Studies, documents, the progress of jobs; corrections; where a candidate sits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _documents()
    _document_parts()
    _studies()
    _calibration_runs()
    _jobs()
    _registrations()
    _corrections()
    _correction_changes()
    _correction_signatures()


def _documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("made_for", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_for"], ["staff_accounts.id"], name=op.f("fk_documents_made_for_staff_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_documents_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    op.create_index(op.f("ix_documents_job_id"), "documents", ["job_id"], unique=False)
    op.create_index(
        op.f("ix_documents_organisation_id"), "documents", ["organisation_id"], unique=False
    )


def _document_parts() -> None:
    op.create_table(
        "document_parts",
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_document_parts_document_id_documents")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_document_parts_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("document_id", "number", name=op.f("pk_document_parts")),
    )
    op.create_index(
        op.f("ix_document_parts_organisation_id"),
        "document_parts",
        ["organisation_id"],
        unique=False,
    )


def _studies() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("exam_id", sa.String(length=32), nullable=True),
        sa.Column("bank_id", sa.String(length=32), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.Column("data_hash", sa.String(length=64), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["banks.id"], name=op.f("fk_studies_bank_id_banks")),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_studies_exam_id_exams")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_studies_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    op.create_index(op.f("ix_studies_bank_id"), "studies", ["bank_id"], unique=False)
    op.create_index(op.f("ix_studies_exam_id"), "studies", ["exam_id"], unique=False)
    op.create_index(
        "ix_studies_kind_at", "studies", ["organisation_id", "kind", "at"], unique=False
    )
    op.create_index(
        op.f("ix_studies_organisation_id"), "studies", ["organisation_id"], unique=False
    )


def _calibration_runs() -> None:
    with op.batch_alter_table("calibration_runs") as batch_op:
        batch_op.add_column(sa.Column("report_id", sa.String(length=32), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_calibration_runs_report_id_documents"),
            "documents",
            ["report_id"],
            ["id"],
        )


def _jobs() -> None:
    with op.batch_alter_table("jobs") as batch_op:
        batch_op.add_column(sa.Column("title", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("made_for", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("done", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("total", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("stage", sa.String(length=64), nullable=True))
        batch_op.add_column(
            sa.Column("cancelled", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(
            sa.Column("long", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("counted_from", sa.BigInteger(), nullable=True))


def _registrations() -> None:
    with op.batch_alter_table("registrations") as batch_op:
        batch_op.add_column(sa.Column("centre", sa.String(length=64), nullable=True))


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("bank_id", sa.String(length=32), nullable=True),
        sa.Column("revision_id", sa.String(length=32), nullable=True),
        sa.Column("exam_id", sa.String(length=32), nullable=True),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=True),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("effect_hash", sa.String(length=64), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["bank_id"], ["banks.id"], name=op.f("fk_corrections_bank_id_banks")
        ),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["exams.id"], name=op.f("fk_corrections_exam_id_exams")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_corrections_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"],
            ["staff_accounts.id"],
            name=op.f("fk_corrections_proposed_by_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["item_revisions.id"],
            name=op.f("fk_corrections_revision_id_item_revisions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_exam_id"), "corrections", ["exam_id"], unique=False)
    op.create_index(
        op.f("ix_corrections_organisation_id"), "corrections", ["organisation_id"], unique=False
    )
    op.create_index(
        op.f("ix_corrections_revision_id"), "corrections", ["revision_id"], unique=False
    )


def _correction_changes() -> None:
    op.create_table(
        "correction_changes",
        sa.Column("correction_id", sa.String(length=32), nullable=False),
        sa.Column("sitting_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("exam_id", sa.String(length=32), nullable=False),
        sa.Column("result_number", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("new_score", sa.Double(), nullable=True),
        sa.Column("score_change", sa.Double(), nullable=True),
        sa.Column("level", sa.String(length=64), nullable=True),
        sa.Column("new_level", sa.String(length=64), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("new_passed", sa.Boolean(), nullable=True),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("new_hash", sa.String(length=64), nullable=True),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("applied", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_id"],
            ["corrections.id"],
            name=op.f("fk_correction_changes_correction_id_corrections"),
        ),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["exams.id"], name=op.f("fk_correction_changes_exam_id_exams")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_correction_changes_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_correction_changes_sitting_id_sittings")
        ),
        sa.PrimaryKeyConstraint("correction_id", "sitting_id", name=op.f("pk_correction_changes")),
    )
    op.create_index(
        op.f("ix_correction_changes_organisation_id"),
        "correction_changes",
        ["organisation_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_correction_changes_sitting_id"), "correction_changes", ["sitting_id"], unique=False
    )


def _correction_signatures() -> None:
    op.create_table(
        "correction_signatures",
        sa.Column("correction_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("effect_hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["staff_accounts.id"],
            name=op.f("fk_correction_signatures_account_id_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"],
            ["corrections.id"],
            name=op.f("fk_correction_signatures_correction_id_corrections"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_correction_signatures_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint(
            "correction_id",
            "account_id",
            "effect_hash",
            name=op.f("pk_correction_signatures"),
        ),
    )
    op.create_index(
        op.f("ix_correction_signatures_organisation_id"),
        "correction_signatures",
        ["organisation_id"],
        unique=False,
    )
