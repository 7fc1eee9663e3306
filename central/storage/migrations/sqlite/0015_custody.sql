-- What a fork left as evidence, both lines of it; parked rows are found by their reason.
CREATE TABLE ledger_evidence (
    box_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    id BLOB,
    lane INTEGER,
    born INTEGER,
    prev BLOB,
    body BLOB,
    head BLOB NOT NULL,
    taken_at INTEGER NOT NULL,
    PRIMARY KEY (box_id, epoch, seq, hash)
);
CREATE INDEX ledger_parked_box_id_reason ON ledger_parked (box_id, reason);
