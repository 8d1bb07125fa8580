"""Which mails belong to one thread, and the labels that people give to records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A column that may be null is added without a rewrite; no foreign key, which SQLite could not
    # add here: what it names may be erased, but never goes.
    op.add_column("summaries", sa.Column("thread", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_summaries_thread",
        "summaries",
        ["thread"],
        sqlite_where=sa.text("thread IS NOT NULL"),
        postgresql_where=sa.text("thread IS NOT NULL"),
    )
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "labels",
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("record", number, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_labels_organisation")
        ),
        sa.ForeignKeyConstraint(["record"], ["records.sequence"], name=op.f("fk_labels_record")),
        sa.PrimaryKeyConstraint("organisation", "name", "record", name=op.f("pk_labels")),
    )
    op.create_index("ix_labels_record", "labels", ["record"])
