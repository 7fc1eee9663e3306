-- Answers to writes, kept for a day under their idempotency keys.
CREATE TABLE kept_answer (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    answer BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX kept_answer_at ON kept_answer (at);

-- A box's scans, newest first; the id is in the order of birth.
CREATE INDEX scan_box_id ON scan (box, id);

-- Rows that boxes gave up: the account counts them, and they are few.
CREATE INDEX ledger_position_tombstoned ON ledger_position (box_id) WHERE standing = 3;
