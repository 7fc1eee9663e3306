"""What boxes send: asks answered, batches taken into custody, the ledger proved."""
