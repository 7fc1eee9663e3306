-- Joining and leaving: invites, what renewal needs of a certificate, the list of revoked ones.
ALTER TABLE box ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;
ALTER TABLE box ADD COLUMN told_epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE box ADD COLUMN machine TEXT NOT NULL DEFAULT '';
ALTER TABLE certificate ADD COLUMN der BLOB NOT NULL DEFAULT x'';
ALTER TABLE certificate ADD COLUMN revoked_at INTEGER;
ALTER TABLE certificate ADD COLUMN revoked_why TEXT NOT NULL DEFAULT '';
ALTER TABLE certificate ADD COLUMN listed INTEGER;
CREATE INDEX certificate_unlisted ON certificate (serial)
WHERE revoked_at IS NOT NULL AND listed IS NULL;
CREATE TABLE revocation_list (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    pem BLOB NOT NULL,
    written INTEGER NOT NULL
);
CREATE TABLE invite (
    number INTEGER NOT NULL PRIMARY KEY,
    token BLOB NOT NULL UNIQUE,
    box_id TEXT NOT NULL,
    site_name TEXT NOT NULL,
    counter TEXT NOT NULL,
    machine TEXT NOT NULL,
    scanner TEXT NOT NULL,
    printer TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    used_by BLOB,
    certificate TEXT,
    withdrawn_at INTEGER
);
CREATE INDEX invite_box_id ON invite (box_id);
