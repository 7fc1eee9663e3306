-- Up to where each epoch of a box's ledger is in custody without a gap: what central countersigns.
CREATE TABLE ledger_anchor (
    box_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (box_id, epoch)
) WITHOUT ROWID;
