"""The box's durable queue: records become rows of the ledger and wait for central's receipt."""
