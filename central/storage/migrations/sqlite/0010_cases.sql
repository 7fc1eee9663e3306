-- What a box is told in words, until it says that it has it. No words here name a person.
CREATE TABLE notice (
    id BLOB NOT NULL PRIMARY KEY,
    box_id TEXT NOT NULL REFERENCES box (id),
    kind TEXT NOT NULL,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    reason TEXT,
    record BLOB,
    case_id BLOB,
    posted_at INTEGER NOT NULL,
    acknowledged_at INTEGER
);
CREATE INDEX notice_waiting ON notice (box_id, id) WHERE acknowledged_at IS NULL;
CREATE INDEX notice_case ON notice (case_id) WHERE case_id IS NOT NULL;
