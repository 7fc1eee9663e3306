"""The vocabulary both sides speak: ids, codes, messages, ledger, crypto. No sockets, no SQL."""
