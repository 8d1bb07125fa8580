"""The tables. A test holds them against what the migrations make.

Moments are integers: milliseconds since 1970 in UTC. That is the precision of a record's
received_at (SPEC §1.3), it orders and indexes alike on SQLite, which has no type for time, and on
PostgreSQL, and no session's time zone can change it. Durations and sizes carry units.

Every table carries its organisation, but for those of the log, which is one for all organisations
(batches, nonces, transactions, anchors, log_heads, spending, anchor_requests), and leases,
conditions, authorities, signers and revocations, which belong to the house.
`records.sequence` orders and joins; only `records.id`, which is random, goes out.

A mail's facts that can be erased are in disclosures, summaries, arrivals and identifiers, and
nowhere else (DESIGN: what is kept).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

REVISION = "0006"
"""The revision of the schema that this code needs: the head of `migrations`."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is spelt INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")


def _number() -> Column[int]:
    return Column("id", _NUMBER, primary_key=True)


def _organisation(**more: Any) -> Column[str]:
    return Column("organisation", Text, ForeignKey("organisations.id"), nullable=False, **more)


def _record(**more: Any) -> Column[int]:
    return Column("record", _NUMBER, ForeignKey("records.sequence"), nullable=False, **more)


def _batch(**more: Any) -> Column[int]:
    return Column("batch", _NUMBER, ForeignKey("batches.id"), nullable=False, **more)


def _filled(name: str, kind: Any = BigInteger, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **more)


# --- organisations -------------------------------------------------------------------------

organisations = Table(
    "organisations",
    metadata,
    Column("id", Text, primary_key=True),
    _filled("name", Text),
    _filled("zone", Text),
    _filled("language", Text),
    _filled("created_at"),
    CheckConstraint("language IN ('fr', 'en')", name="language"),
)

proof_addresses = Table(
    "proof_addresses",
    metadata,
    Column("address", Text, primary_key=True),
    _organisation(index=True),
)

listed_senders = Table(
    "listed_senders",
    metadata,
    _organisation(primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    CheckConstraint("kind IN ('domain', 'address')", name="kind"),
)

members = Table(
    "members",
    metadata,
    Column("id", Text, primary_key=True),
    _organisation(index=True),
    _filled("email", Text, unique=True),
    _filled("name", Text),
    _filled("role", Text),
    _filled("password_hash", Text),
    _filled("created_at"),
    CheckConstraint("role IN ('owner', 'admin', 'auditor')", name="role"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    _organisation(),
    Column("member", Text, ForeignKey("members.id"), nullable=False, index=True),
    _filled("created_at"),
    _filled("expires_at", index=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    _organisation(index=True),
    _filled("name", Text),
    _filled("role", Text),
    _filled("key_digest", LargeBinary, unique=True),
    _filled("created_at"),
    Column("revoked_at", BigInteger),
    CheckConstraint("role IN ('admin', 'auditor')", name="role"),
)

audit_trail = Table(
    "audit_trail",
    metadata,
    _organisation(primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _filled("at"),
    _filled("actor", Text),
    _filled("action", Text),
    _filled("subject", Text),
    _filled("digest", LargeBinary),
)

# --- records -------------------------------------------------------------------------------

records = Table(
    "records",
    metadata,
    Column("sequence", _NUMBER, primary_key=True),
    _filled("id", Text, unique=True),
    _organisation(),
    _filled("kind", Text),
    _filled("log", Text),
    _filled("received_at"),
    _filled("record", LargeBinary),
    _filled("record_sha256", LargeBinary),
    _filled("signature", LargeBinary),
    _filled("key_id", LargeBinary),
    # The record that this receipt or addendum belongs to.
    Column("in_reply", _NUMBER, ForeignKey("records.sequence")),
    # Standard mails to be metered; 0 for what is never metered.
    _filled("units", Integer),
    Column("stamped_at", BigInteger),
    Column("batch", _NUMBER, ForeignKey("batches.id")),
    Column("erased_at", BigInteger),
    Index("ix_records_page", "organisation", "received_at", "sequence"),
    Index("ix_records_kind_page", "organisation", "kind", "received_at", "sequence"),
)


def _partial(name: str, where: Any, *columns: str) -> None:
    """An index over few rows: those that wait, or those that belong to another."""
    Index(name, *(records.c[c] for c in columns), sqlite_where=where, postgresql_where=where)


_UNBATCHED = records.c.batch.is_(None)
# With `batch` in front SQLite prefers it to ix_records_page, which has the same order.
_partial("ix_records_open_page", _UNBATCHED, "batch", "organisation", "received_at", "sequence")
_partial("ix_records_unbatched", _UNBATCHED, "log", "sequence")
_partial("ix_records_unstamped", records.c.stamped_at.is_(None), "sequence")
_partial("ix_records_in_reply", records.c.in_reply.is_not(None), "in_reply")

disclosures = Table(
    "disclosures",
    metadata,
    _record(primary_key=True),
    _organisation(),
    _filled("secret", LargeBinary),
    # Canonical JSON: the array of all entries, decoys included, in the record's order.
    _filled("entries", LargeBinary),
)

summaries = Table(
    "summaries",
    metadata,
    _record(primary_key=True),
    _organisation(),
    _filled("sender", Text),
    _filled("recipients", Text),
    _filled("subject", Text),
    _filled("date", Text),
    _filled("parts", Integer),
    _filled("attachments", Integer),
    _filled("recipients_count", Integer),
    _filled("receipt_requested", Boolean),
    # Sender, recipients and subject, folded: what a search looks into.
    _filled("search", Text),
    # The sequence of the first recorded mail of its thread; null for that one itself.
    Column("thread", BigInteger),
)
Index(
    "ix_summaries_thread",
    summaries.c.thread,
    sqlite_where=summaries.c.thread.is_not(None),
    postgresql_where=summaries.c.thread.is_not(None),
)

labels = Table(
    "labels",
    metadata,
    _organisation(primary_key=True),
    Column("name", Text, primary_key=True),
    _record(primary_key=True, index=True),
)

arrivals = Table(
    "arrivals",
    metadata,
    _organisation(primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    _record(index=True),
    _filled("received_at"),
)

identifiers = Table(
    "identifiers",
    metadata,
    _organisation(primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    _record(primary_key=True, index=True),
)

erasures = Table(
    "erasures",
    metadata,
    Column("record_id", Text, primary_key=True),
    _organisation(),
    _filled("erased_at"),
    # When no copy was left in the write-ahead log either; null until then.
    Column("swept_at", BigInteger),
)

counters = Table(
    "counters",
    metadata,
    _organisation(primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _filled("n"),
)

usage = Table(
    "usage",
    metadata,
    _organisation(primary_key=True),
    Column("month", Text, primary_key=True),
    _filled("mails"),
    _filled("units"),
)

# --- witnesses -----------------------------------------------------------------------------

tokens = Table(
    "tokens",
    metadata,
    _number(),
    _record(),
    _organisation(),
    _filled("authority", Text),
    _filled("response", LargeBinary),
    # Canonical JSON: an array of base64url DER certificates.
    _filled("certificates", LargeBinary),
    _filled("gen_time"),
    Column("tree_index", BigInteger),
    Column("tree_size", BigInteger),
    Column("tree_path", LargeBinary),
    _filled("checked_at"),
    # SHA-256 of the trusted certificate that the token's path ended in: tokens of two authorities
    # under one root are one witness.
    Column("root", LargeBinary),
    # When its request left and its answer came, by this host's clock: with gen_time that tells
    # for ever how far the clock was off.
    Column("sent_at", BigInteger),
    Column("answered_at", BigInteger),
    UniqueConstraint("record", "authority"),
)

authorities = Table(
    "authorities",
    metadata,
    Column("name", Text, primary_key=True),
    # The rate cap and the back-off: no request before either.
    _filled("next_at"),
    _filled("retry_at"),
    # In a row.
    _filled("failures", Integer),
    Column("good_at", BigInteger),
    Column("error_at", BigInteger),
    _filled("error", Text),
    _filled("answers"),
    _filled("errors"),
    _filled("waits"),
    # The newest delays of good answers: milliseconds, four bytes each.
    _filled("delays", LargeBinary),
    # How far this host's clock is ahead of the authority's, at least and at most, in milliseconds.
    Column("clock_low", BigInteger),
    Column("clock_high", BigInteger),
    Column("clock_at", BigInteger),
)

# A certificate that signed tokens. Its path was judged; what is published on it serves all of them.
signers = Table(
    "signers",
    metadata,
    # SHA-256 of the certificate.
    Column("signer", LargeBinary, primary_key=True),
    # Canonical JSON: an array of base64url DER certificates, the signer's first, the anchor last.
    _filled("path", LargeBinary),
    _filled("newest_gen_time"),
    _filled("last_token"),
    # When to fetch again; null for never.
    Column("due_at", BigInteger),
    Column("covered_until", BigInteger),
    # Failures in a row, and the last one.
    _filled("tries", Integer),
    _filled("error", Text),
)

revocations = Table(
    "revocations",
    metadata,
    _number(),
    Column("signer", LargeBinary, ForeignKey("signers.signer"), nullable=False),
    # SHA-256 of the certificate that it is on, DER of the item, and its thisUpdate, nextUpdate.
    _filled("certificate", LargeBinary),
    _filled("kind", Text),
    _filled("value", LargeBinary),
    _filled("as_of"),
    Column("until", BigInteger),
    _filled("fetched_at"),
    UniqueConstraint("signer", "certificate", "kind", "as_of"),
    CheckConstraint("kind IN ('crl', 'ocsp')", name="kind"),
)

log_heads = Table(
    "log_heads",
    metadata,
    Column("log", Text, primary_key=True),
    _filled("sequence"),
    _filled("root", LargeBinary),
)

batches = Table(
    "batches",
    metadata,
    _number(),
    _filled("log", Text),
    _filled("sequence"),
    _filled("header", LargeBinary),
    _filled("root", LargeBinary),
    # Nodes of 32 bytes each, from the leaf up; so are all paths here.
    _filled("header_path", LargeBinary),
    _filled("count", Integer),
    _filled("closed_at"),
    # That of the anchor that is furthest.
    _filled("state", Text, index=True),
    UniqueConstraint("log", "sequence"),
    CheckConstraint("state IN ('batched', 'anchored', 'final')", name="state"),
)

memberships = Table(
    "memberships",
    metadata,
    # A primary key, so that no record can ever be in two batches.
    _record(primary_key=True),
    _organisation(),
    _batch(),
    _filled("idx", Integer),
    _filled("path", LargeBinary),
    UniqueConstraint("batch", "idx"),
)

batch_counts = Table(
    "batch_counts",
    metadata,
    _batch(primary_key=True),
    _organisation(primary_key=True),
    Column("kind", Text, primary_key=True),
    _filled("n"),
)

nonces = Table(
    "nonces",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", LargeBinary, primary_key=True),
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    _batch(index=True),
    # When the chain finally used this nonce up for something else than an anchor of the batch.
    Column("lost_at", BigInteger),
    # The UTC day that its newest transaction is charged to, the most that transaction can cost,
    # and what was paid once the anchor is final. Amounts of wei are decimal digits: they can be
    # larger than any integer of a database. Null for nonces older than these columns.
    Column("day", BigInteger),
    Column("at_stake_wei", Text),
    Column("paid_wei", Text),
    UniqueConstraint("chain_id", "sender", "nonce", "batch"),
)

transactions = Table(
    "transactions",
    metadata,
    _number(),
    _batch(index=True),
    _filled("chain_id"),
    _filled("sender", LargeBinary),
    _filled("nonce"),
    _filled("raw", LargeBinary),
    _filled("hash", LargeBinary),
    _filled("created_at"),
    Column("broadcast_at", BigInteger),
    UniqueConstraint("chain_id", "sender", "nonce", "hash"),
    # A nonce belongs to one batch: its transactions replace one another, never another batch's.
    ForeignKeyConstraint(
        ["chain_id", "sender", "nonce", "batch"],
        ["nonces.chain_id", "nonces.sender", "nonces.nonce", "nonces.batch"],
    ),
)

anchors = Table(
    "anchors",
    metadata,
    _number(),
    _batch(),
    _filled("chain_id"),
    _filled("tx_hash", LargeBinary),
    _filled("block_hash", LargeBinary),
    _filled("block_number"),
    _filled("header", LargeBinary),
    _filled("idx", Integer),
    # Canonical JSON: an array of base64url trie nodes.
    _filled("nodes", LargeBinary),
    _filled("state", Text),
    _filled("located_at"),
    UniqueConstraint("batch", "chain_id"),
    Index("ix_anchors_chain_id_state", "chain_id", "state"),
    CheckConstraint("state IN ('anchored', 'final')", name="state"),
)

spending = Table(
    "spending",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    # The sums of the nonces of that day, each counted as at stake until it is paid or given up.
    _filled("at_stake_wei", Text),
    _filled("paid_wei", Text),
    _filled("anchors"),
    _filled("records"),
)

anchor_requests = Table(
    "anchor_requests",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    # Batches up to this one are wanted on this chain, whatever other anchors they have.
    _filled("upto_batch"),
    _filled("requested_at"),
    Column("done_at", BigInteger),
)

conditions = Table(
    "conditions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    # Canonical JSON: an object of strings, for the sentence of this name.
    _filled("details", Text),
    _filled("since"),
    _filled("at"),
)

exports = Table(
    "exports",
    metadata,
    Column("id", Text, primary_key=True),
    _organisation(),
    _filled("kind", Text),
    # Canonical JSON: what was asked for, in the words of whoever asked; {} once it is removed.
    _filled("request", LargeBinary),
    _filled("state", Text),
    # Records, and those in all once they are chosen.
    _filled("done"),
    _filled("total"),
    _filled("size_bytes"),
    _filled("sha256", LargeBinary),
    _filled("problem", Text),
    _filled("tries", Integer),
    _filled("created_at"),
    # When whoever makes it last told of it.
    _filled("beat_at"),
    Column("ended_at", BigInteger),
    Index("ix_exports_organisation_created_at", "organisation", "created_at"),
    Index("ix_exports_state_created_at", "state", "created_at"),
    CheckConstraint("kind IN ('case', 'archive')", name="kind"),
    CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'removed')", name="state"),
)

leases = Table(
    "leases",
    metadata,
    Column("step", Text, primary_key=True),
    _filled("holder", Text),
    _filled("expires_at"),
)
