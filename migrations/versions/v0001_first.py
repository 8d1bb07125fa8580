"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def number() -> sa.types.TypeEngine[int]:
    """SQLite numbers rows by itself only where the type is spelt INTEGER."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _organisations()
    _records()
    _witnesses()


def _organisations() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("language IN ('fr', 'en')", name=op.f("ck_organisations_language")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
    )
    op.create_table(
        "proof_addresses",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_proof_addresses_organisation")
        ),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_proof_addresses")),
    )
    op.create_index(
        op.f("ix_proof_addresses_organisation"), "proof_addresses", ["organisation"], unique=False
    )
    op.create_table(
        "listed_senders",
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('domain', 'address')", name=op.f("ck_listed_senders_kind")),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_listed_senders_organisation")
        ),
        sa.PrimaryKeyConstraint("organisation", "kind", "value", name=op.f("pk_listed_senders")),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'admin', 'auditor')", name=op.f("ck_members_role")),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_members_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("email", name=op.f("uq_members_email")),
    )
    op.create_index(op.f("ix_members_organisation"), "members", ["organisation"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_sessions_member")),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_sessions_organisation")
        ),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_member"), "sessions", ["member"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("role IN ('admin', 'auditor')", name=op.f("ck_api_keys_role")),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_api_keys_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_digest", name=op.f("uq_api_keys_key_digest")),
    )
    op.create_index(op.f("ix_api_keys_organisation"), "api_keys", ["organisation"], unique=False)
    op.create_table(
        "audit_trail",
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_audit_trail_organisation")
        ),
        sa.PrimaryKeyConstraint("organisation", "number", name=op.f("pk_audit_trail")),
    )
    op.create_table(
        "leases",
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("step", name=op.f("pk_leases")),
    )


def _records() -> None:
    op.create_table(
        "batches",
        sa.Column("id", number(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("header_path", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('batched', 'anchored', 'final')", name=op.f("ck_batches_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("log", "sequence", name=op.f("uq_batches_log_sequence")),
    )
    op.create_index(op.f("ix_batches_state"), "batches", ["state"], unique=False)
    op.create_table(
        "records",
        sa.Column("sequence", number(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("record_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.Column("in_reply", number(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("stamped_at", sa.BigInteger(), nullable=True),
        sa.Column("batch", number(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name=op.f("fk_records_batch")),
        sa.ForeignKeyConstraint(
            ["in_reply"], ["records.sequence"], name=op.f("fk_records_in_reply")
        ),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_records_organisation")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_records")),
        sa.UniqueConstraint("id", name=op.f("uq_records_id")),
    )
    op.create_index(
        "ix_records_in_reply",
        "records",
        ["in_reply"],
        unique=False,
        sqlite_where=sa.text("in_reply IS NOT NULL"),
        postgresql_where=sa.text("in_reply IS NOT NULL"),
    )
    op.create_index(
        "ix_records_kind_page",
        "records",
        ["organisation", "kind", "received_at", "sequence"],
        unique=False,
    )
    op.create_index(
        "ix_records_open_page",
        "records",
        ["batch", "organisation", "received_at", "sequence"],
        unique=False,
        sqlite_where=sa.text("batch IS NULL"),
        postgresql_where=sa.text("batch IS NULL"),
    )
    op.create_index(
        "ix_records_page", "records", ["organisation", "received_at", "sequence"], unique=False
    )
    op.create_index(
        "ix_records_unbatched",
        "records",
        ["log", "sequence"],
        unique=False,
        sqlite_where=sa.text("batch IS NULL"),
        postgresql_where=sa.text("batch IS NULL"),
    )
    op.create_index(
        "ix_records_unstamped",
        "records",
        ["sequence"],
        unique=False,
        sqlite_where=sa.text("stamped_at IS NULL"),
        postgresql_where=sa.text("stamped_at IS NULL"),
    )
    op.create_table(
        "disclosures",
        sa.Column("record", number(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_disclosures_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["record"], ["records.sequence"], name=op.f("fk_disclosures_record")
        ),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_disclosures")),
    )
    op.create_table(
        "summaries",
        sa.Column("record", number(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("attachments", sa.Integer(), nullable=False),
        sa.Column("recipients_count", sa.Integer(), nullable=False),
        sa.Column("receipt_requested", sa.Boolean(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_summaries_organisation")
        ),
        sa.ForeignKeyConstraint(["record"], ["records.sequence"], name=op.f("fk_summaries_record")),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_summaries")),
    )
    op.create_table(
        "arrivals",
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("record", number(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_arrivals_organisation")
        ),
        sa.ForeignKeyConstraint(["record"], ["records.sequence"], name=op.f("fk_arrivals_record")),
        sa.PrimaryKeyConstraint("organisation", "digest", name=op.f("pk_arrivals")),
    )
    op.create_index(op.f("ix_arrivals_record"), "arrivals", ["record"], unique=False)
    op.create_table(
        "identifiers",
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("record", number(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_identifiers_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["record"], ["records.sequence"], name=op.f("fk_identifiers_record")
        ),
        sa.PrimaryKeyConstraint("organisation", "digest", "record", name=op.f("pk_identifiers")),
    )
    op.create_index(op.f("ix_identifiers_record"), "identifiers", ["record"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("swept_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_erasures_organisation")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_erasures")),
    )
    op.create_table(
        "counters",
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_counters_organisation")
        ),
        sa.PrimaryKeyConstraint("organisation", "kind", "name", name=op.f("pk_counters")),
    )
    op.create_table(
        "usage",
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("mails", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_usage_organisation")
        ),
        sa.PrimaryKeyConstraint("organisation", "month", name=op.f("pk_usage")),
    )


def _witnesses() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", number(), nullable=False),
        sa.Column("record", number(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("certificates", sa.LargeBinary(), nullable=False),
        sa.Column("gen_time", sa.BigInteger(), nullable=False),
        sa.Column("tree_index", sa.BigInteger(), nullable=True),
        sa.Column("tree_size", sa.BigInteger(), nullable=True),
        sa.Column("tree_path", sa.LargeBinary(), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_tokens_organisation")
        ),
        sa.ForeignKeyConstraint(["record"], ["records.sequence"], name=op.f("fk_tokens_record")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("record", "authority", name=op.f("uq_tokens_record_authority")),
    )
    op.create_table(
        "log_heads",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_log_heads")),
    )
    op.create_table(
        "memberships",
        sa.Column("record", number(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("batch", number(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name=op.f("fk_memberships_batch")),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_memberships_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["record"], ["records.sequence"], name=op.f("fk_memberships_record")
        ),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_memberships")),
        sa.UniqueConstraint("batch", "idx", name=op.f("uq_memberships_batch_idx")),
    )
    op.create_table(
        "batch_counts",
        sa.Column("batch", number(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name=op.f("fk_batch_counts_batch")),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_batch_counts_organisation")
        ),
        sa.PrimaryKeyConstraint("batch", "organisation", "kind", name=op.f("pk_batch_counts")),
    )
    op.create_table(
        "nonces",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch", number(), nullable=False),
        sa.Column("lost_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name=op.f("fk_nonces_batch")),
        sa.PrimaryKeyConstraint("chain_id", "sender", "nonce", name=op.f("pk_nonces")),
        sa.UniqueConstraint(
            "chain_id",
            "sender",
            "nonce",
            "batch",
            name=op.f("uq_nonces_chain_id_sender_nonce_batch"),
        ),
    )
    op.create_index(op.f("ix_nonces_batch"), "nonces", ["batch"], unique=False)
    op.create_table(
        "transactions",
        sa.Column("id", number(), nullable=False),
        sa.Column("batch", number(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("broadcast_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name=op.f("fk_transactions_batch")),
        sa.ForeignKeyConstraint(
            ["chain_id", "sender", "nonce", "batch"],
            ["nonces.chain_id", "nonces.sender", "nonces.nonce", "nonces.batch"],
            name=op.f("fk_transactions_chain_id_sender_nonce_batch"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transactions")),
        sa.UniqueConstraint(
            "chain_id",
            "sender",
            "nonce",
            "hash",
            name=op.f("uq_transactions_chain_id_sender_nonce_hash"),
        ),
    )
    op.create_index(op.f("ix_transactions_batch"), "transactions", ["batch"], unique=False)
    op.create_table(
        "anchors",
        sa.Column("id", number(), nullable=False),
        sa.Column("batch", number(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("nodes", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("located_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('anchored', 'final')", name=op.f("ck_anchors_state")),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name=op.f("fk_anchors_batch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anchors")),
        sa.UniqueConstraint("batch", "chain_id", name=op.f("uq_anchors_batch_chain_id")),
    )
    op.create_index("ix_anchors_chain_id_state", "anchors", ["chain_id", "state"], unique=False)
