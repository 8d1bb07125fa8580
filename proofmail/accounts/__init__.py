"""Organisations and their members: who may send, read and change what; the audit trail; usage."""
