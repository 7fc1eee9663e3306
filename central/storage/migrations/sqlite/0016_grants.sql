-- What the last lease of a box allowed, and the lease that the box said it had when it asked for it.
ALTER TABLE lease_granted ADD COLUMN policy BLOB;
ALTER TABLE lease_granted ADD COLUMN known INTEGER;
