"""Making a trust file from files: lists, roots, blocks and keys that somebody believes."""
