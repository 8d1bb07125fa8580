"""A stranger's bench: trust, checks, copies, report. Pure; imports the core only."""
