"""The outside witnesses: time-stamping client, batches, ledger clients, watcher, renewal."""
