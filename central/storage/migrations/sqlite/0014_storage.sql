-- Sequences that a box has named as lost with a damaged file; "last" of an ended epoch's tail is
-- the greatest number there is. What arrives after all is counted as received.
CREATE TABLE ledger_lost (
    box_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    record BLOB NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (box_id, epoch, first)
) WITHOUT ROWID;
