-- The ledgers of the boxes: every position by (box, epoch, seq), signed heads, what is parked.
CREATE TABLE ledger_position (
    box_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    id BLOB NOT NULL,
    hash BLOB NOT NULL,
    prev BLOB,
    lane INTEGER,
    born INTEGER,
    body_hash BLOB,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (box_id, epoch, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX ledger_position_interpreted ON ledger_position (box_id, id) WHERE standing = 1;
CREATE TABLE ledger_head (
    box_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    suite INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    signature BLOB NOT NULL,
    hashes BLOB NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (box_id, epoch)
) WITHOUT ROWID;
CREATE TABLE ledger_encapsulation (
    box_id TEXT NOT NULL,
    id BLOB NOT NULL,
    wrapped BLOB NOT NULL,
    PRIMARY KEY (box_id, id)
) WITHOUT ROWID;
CREATE TABLE ledger_parked (
    box_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    reason TEXT NOT NULL,
    body BLOB NOT NULL,
    parked_at INTEGER NOT NULL,
    PRIMARY KEY (box_id, epoch, seq)
);
CREATE TABLE ledger_fork (
    box_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    known BLOB NOT NULL,
    reason TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    PRIMARY KEY (box_id, epoch, seq, hash)
);
CREATE TABLE ledger_crash (
    box_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (box_id, epoch, seq, hash)
);
