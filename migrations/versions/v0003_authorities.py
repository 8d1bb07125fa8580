"""What is known of each time-stamping authority, and what a token says of this host's clock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("root", sa.LargeBinary(), nullable=True))
    op.add_column("tokens", sa.Column("sent_at", sa.BigInteger(), nullable=True))
    op.add_column("tokens", sa.Column("answered_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "authorities",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("good_at", sa.BigInteger(), nullable=True),
        sa.Column("error_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("answers", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("waits", sa.BigInteger(), nullable=False),
        sa.Column("delays", sa.LargeBinary(), nullable=False),
        sa.Column("clock_low", sa.BigInteger(), nullable=True),
        sa.Column("clock_high", sa.BigInteger(), nullable=True),
        sa.Column("clock_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_authorities")),
    )
