"""The database: engine, tables, queries, fsck. Nothing of a mail is kept beyond these tables."""
