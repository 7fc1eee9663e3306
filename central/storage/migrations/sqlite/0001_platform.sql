-- The audit: rows that nothing changes, and the seals that chain them after commit.
CREATE TABLE audit_row (
    seq INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE TABLE audit_seal (
    position INTEGER NOT NULL PRIMARY KEY,
    row_id INTEGER NOT NULL UNIQUE REFERENCES audit_row (seq),
    mac BLOB NOT NULL
);
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    mac BLOB NOT NULL
);
CREATE TRIGGER audit_row_update BEFORE UPDATE ON audit_row
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_row_delete BEFORE DELETE ON audit_row
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_seal_update BEFORE UPDATE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_seal_delete BEFORE DELETE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

-- The fleet: who may speak to central, from where, and with which keys.
CREATE TABLE institution (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
);
CREATE TABLE site (
    id TEXT NOT NULL PRIMARY KEY,
    institution_id TEXT NOT NULL REFERENCES institution (id),
    name TEXT NOT NULL
);
CREATE TABLE counter (
    id INTEGER NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL REFERENCES site (id),
    name TEXT NOT NULL
);
CREATE UNIQUE INDEX counter_site_id_name ON counter (site_id, name);
CREATE TABLE box (
    id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    counter_id INTEGER NOT NULL REFERENCES counter (id),
    state TEXT NOT NULL,
    state_at INTEGER NOT NULL,
    state_reason TEXT NOT NULL,
    pair_key BLOB NOT NULL
);
CREATE INDEX box_counter_id ON box (counter_id);
CREATE TABLE box_key (
    id INTEGER NOT NULL PRIMARY KEY,
    box_id TEXT NOT NULL REFERENCES box (id),
    key_id INTEGER NOT NULL,
    suite INTEGER NOT NULL,
    public BLOB NOT NULL,
    since INTEGER NOT NULL
);
CREATE UNIQUE INDEX box_key_box_id_key_id ON box_key (box_id, key_id);
CREATE TABLE certificate (
    serial TEXT NOT NULL PRIMARY KEY,
    box_id TEXT NOT NULL REFERENCES box (id),
    fingerprint BLOB NOT NULL UNIQUE,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL
);
CREATE INDEX certificate_box_id ON certificate (box_id);
