"""Alembic's entry: runs the revisions on the connection and in the transaction of the caller,
`proofmail.store.engine.create_or_upgrade`. There is no alembic.ini and no offline mode."""

from __future__ import annotations

from alembic import context

from proofmail.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
