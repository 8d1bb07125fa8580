"""API and pages: thin, value in, value out. Knows accounts, store and verify; makes nothing."""
