"""Outcomes of sittings, decisions, appeals and flags; standard setting and cut scores."""

from __future__ import annotations

import json
import secrets

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # letters and digits that nobody mistakes
BLOCK = 500
COPIED = (
    "sitting_id", "organisation_id", "exam_id", "exam_version_id", "candidate_id", "attempt",
    "language", "simulated", "country",
)  # fmt: skip
COLUMNS = (
    *COPIED,
    "state", "result_number", "seen_number", "verification", "released_at", "finished_at",
    "stop_reason", "n_items", "seconds", "theta", "se", "score", "score_se", "level", "passed",
)  # fmt: skip


def upgrade() -> None:
    _outcomes()
    _decisions()
    _appeals()
    _flags()
    _standard_studies()
    _panellists()
    _panel_ratings()
    _cut_scores()
    _fill()


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("sitting_id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("exam_id", sa.String(length=32), nullable=False),
        sa.Column("exam_version_id", sa.String(length=32), nullable=False),
        sa.Column("candidate_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("result_number", sa.Integer(), nullable=False),
        sa.Column("seen_number", sa.Integer(), nullable=True),
        sa.Column("verification", sa.String(length=64), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=True),
        sa.Column("centre", sa.String(length=64), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("stop_reason", sa.String(length=64), nullable=False),
        sa.Column("n_items", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("theta", sa.Double(), nullable=True),
        sa.Column("se", sa.Double(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("score_se", sa.Double(), nullable=True),
        sa.Column("level", sa.String(length=64), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_outcomes_candidate_id_candidates")
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_outcomes_exam_id_exams")),
        sa.ForeignKeyConstraint(
            ["exam_version_id"],
            ["exam_versions.id"],
            name=op.f("fk_outcomes_exam_version_id_exam_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_outcomes_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_outcomes_sitting_id_sittings")
        ),
        sa.PrimaryKeyConstraint("sitting_id", name=op.f("pk_outcomes")),
        sa.UniqueConstraint("verification", name=op.f("uq_outcomes_verification")),
    )
    op.create_index(op.f("ix_outcomes_candidate_id"), "outcomes", ["candidate_id"], unique=False)
    op.create_index(
        "ix_outcomes_exam_finished", "outcomes", ["exam_id", "finished_at"], unique=False
    )
    op.create_index(
        op.f("ix_outcomes_organisation_id"), "outcomes", ["organisation_id"], unique=False
    )
    op.create_index(
        "ix_outcomes_organisation_state", "outcomes", ["organisation_id", "state"], unique=False
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("sitting_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("result_number", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=True),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["staff_accounts.id"],
            name=op.f("fk_decisions_account_id_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_decisions_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_decisions_sitting_id_sittings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("sitting_id", "number", name=op.f("uq_decisions_sitting_id_number")),
    )
    op.create_index(
        op.f("ix_decisions_organisation_id"), "decisions", ["organisation_id"], unique=False
    )
    op.create_index(op.f("ix_decisions_sitting_id"), "decisions", ["sitting_id"], unique=False)


def _appeals() -> None:
    op.create_table(
        "appeals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("sitting_id", sa.String(length=32), nullable=False),
        sa.Column("result_number", sa.Integer(), nullable=False),
        sa.Column("opened_by", sa.String(length=32), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answer_salt", sa.String(length=32), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("correction_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name=op.f("fk_appeals_correction_id_corrections")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["staff_accounts.id"], name=op.f("fk_appeals_decided_by_staff_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["staff_accounts.id"], name=op.f("fk_appeals_opened_by_staff_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_appeals_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_appeals_sitting_id_sittings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
    )
    op.create_index(
        op.f("ix_appeals_organisation_id"), "appeals", ["organisation_id"], unique=False
    )
    op.create_index(
        "ix_appeals_organisation_status", "appeals", ["organisation_id", "status"], unique=False
    )
    op.create_index(op.f("ix_appeals_sitting_id"), "appeals", ["sitting_id"], unique=False)


def _flags() -> None:
    op.create_table(
        "flags",
        sa.Column("sitting_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("study_id", sa.String(length=32), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_flags_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["sittings.id"], name=op.f("fk_flags_sitting_id_sittings")
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_flags_study_id_studies")
        ),
        sa.PrimaryKeyConstraint("sitting_id", "kind", name=op.f("pk_flags")),
    )
    op.create_index(
        "ix_flags_flagged", "flags", ["organisation_id", "flagged", "kind"], unique=False
    )
    op.create_index(op.f("ix_flags_organisation_id"), "flags", ["organisation_id"], unique=False)


def _standard_studies() -> None:
    op.create_table(
        "standard_studies",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=32), nullable=False),
        sa.Column("exam_version_id", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.String(length=32), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["approved_by"],
            ["staff_accounts.id"],
            name=op.f("fk_standard_studies_approved_by_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["staff_accounts.id"],
            name=op.f("fk_standard_studies_created_by_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["exams.id"], name=op.f("fk_standard_studies_exam_id_exams")
        ),
        sa.ForeignKeyConstraint(
            ["exam_version_id"],
            ["exam_versions.id"],
            name=op.f("fk_standard_studies_exam_version_id_exam_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_standard_studies_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard_studies")),
        sa.UniqueConstraint(
            "organisation_id", "number", name=op.f("uq_standard_studies_organisation_id_number")
        ),
    )
    op.create_index(
        op.f("ix_standard_studies_exam_id"), "standard_studies", ["exam_id"], unique=False
    )
    op.create_index(
        op.f("ix_standard_studies_organisation_id"),
        "standard_studies",
        ["organisation_id"],
        unique=False,
    )


def _panellists() -> None:
    op.create_table(
        "panellists",
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["staff_accounts.id"],
            name=op.f("fk_panellists_account_id_staff_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_panellists_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["standard_studies.id"],
            name=op.f("fk_panellists_study_id_standard_studies"),
        ),
        sa.PrimaryKeyConstraint("study_id", "code", name=op.f("pk_panellists")),
    )
    op.create_index(
        op.f("ix_panellists_organisation_id"), "panellists", ["organisation_id"], unique=False
    )


def _panel_ratings() -> None:
    op.create_table(
        "panel_ratings",
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("panellist", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_panel_ratings_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["standard_studies.id"],
            name=op.f("fk_panel_ratings_study_id_standard_studies"),
        ),
        sa.PrimaryKeyConstraint(
            "study_id", "round", "panellist", "item", name=op.f("pk_panel_ratings")
        ),
    )
    op.create_index(
        op.f("ix_panel_ratings_organisation_id"), "panel_ratings", ["organisation_id"], unique=False
    )


def _cut_scores() -> None:
    op.create_table(
        "cut_scores",
        sa.Column("exam_id", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("levels", sa.Text(), nullable=False),
        sa.Column("scale", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["exams.id"], name=op.f("fk_cut_scores_exam_id_exams")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_cut_scores_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("exam_id", "hash", name=op.f("pk_cut_scores")),
    )
    op.create_index(
        op.f("ix_cut_scores_organisation_id"), "cut_scores", ["organisation_id"], unique=False
    )


def _fill() -> None:
    """Make the outcome of every sitting that has a result; all of these were shown at once."""
    connection = op.get_bind()
    newest = sa.text(
        "SELECT r.sitting_id, r.number, r.content, s.organisation_id, s.exam_id,"
        " s.exam_version_id, s.candidate_id, s.number AS attempt, s.language, s.simulated,"
        " s.status, d.country FROM results r JOIN sittings s ON s.id = r.sitting_id"
        " LEFT JOIN candidate_details d ON d.candidate_id = s.candidate_id"
        " WHERE r.number = (SELECT max(number) FROM results WHERE sitting_id = r.sitting_id)"
        " AND r.sitting_id > :after ORDER BY r.sitting_id LIMIT :block"
    )
    after = ""
    while rows := connection.execute(newest, {"after": after, "block": BLOCK}).mappings().all():
        connection.execute(_insert(), [_outcome(row) for row in rows])
        after = rows[-1]["sitting_id"]


def _insert() -> sa.TextClause:
    columns = ", ".join(COLUMNS)
    values = ", ".join(f":{name}" for name in COLUMNS)
    return sa.text(f"INSERT INTO outcomes ({columns}) VALUES ({values})")  # noqa: S608 - our names


def _outcome(row: sa.RowMapping) -> dict[str, object]:
    content = json.loads(row["content"])
    estimate, level = content["estimate"] or {}, content["level"] or {}
    state = "invalidated" if row["status"] == "invalidated" else "released"
    return {
        **{name: row[name] for name in COPIED},
        "state": state,
        "result_number": row["number"],
        "seen_number": row["number"],
        "verification": "".join(secrets.choice(ALPHABET) for _ in range(16)),
        "released_at": content["finished_at"],
        "finished_at": content["finished_at"],
        "stop_reason": content["stop_reason"],
        "n_items": content["n_items"],
        "seconds": content["seconds_used"],
        "theta": estimate.get("theta"),
        "se": estimate.get("se"),
        "score": content["score"],
        "score_se": content["score_se"],
        "level": level.get("code"),
        "passed": level.get("passed"),
    }
