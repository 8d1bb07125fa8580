"""The schema's history, for Alembic; shipped in the wheel and run by `proofmail.store.engine`."""
