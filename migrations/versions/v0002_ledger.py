"""What anchors cost, what stands in their way, and which batches are wanted on another chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null for the nonces of before: what they cost is not known, and counts in no sum.
    op.add_column("nonces", sa.Column("day", sa.BigInteger(), nullable=True))
    op.add_column("nonces", sa.Column("at_stake_wei", sa.Text(), nullable=True))
    op.add_column("nonces", sa.Column("paid_wei", sa.Text(), nullable=True))
    op.create_table(
        "spending",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_stake_wei", sa.Text(), nullable=False),
        sa.Column("paid_wei", sa.Text(), nullable=False),
        sa.Column("anchors", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "day", name=op.f("pk_spending")),
    )
    op.create_table(
        "anchor_requests",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("upto_batch", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("chain_id", name=op.f("pk_anchor_requests")),
    )
    op.create_table(
        "conditions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "subject", name=op.f("pk_conditions")),
    )
