"""Power cuts of the whole agent: its writes and syncs are logged, and replayed up to a cut."""
