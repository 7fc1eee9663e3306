-- Users: names and secrets sealed, found by keyed tokens; sessions and machine tokens by token only.
CREATE TABLE user (
    id TEXT NOT NULL PRIMARY KEY,
    login BLOB NOT NULL,
    login_token BLOB NOT NULL UNIQUE,
    name BLOB NOT NULL,
    role TEXT NOT NULL,
    site TEXT,
    state TEXT NOT NULL,
    language TEXT NOT NULL,
    password BLOB NOT NULL,
    password_once INTEGER NOT NULL,
    totp BLOB,
    totp_since INTEGER,
    totp_step INTEGER NOT NULL,
    badge BLOB UNIQUE,
    pin BLOB,
    made_at INTEGER NOT NULL
);
CREATE INDEX user_site ON user (site);
CREATE TABLE recovery_code (
    token BLOB NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user (id)
);
CREATE INDEX recovery_code_user_id ON recovery_code (user_id);
CREATE TABLE session (
    token BLOB NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user (id),
    made_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
);
CREATE INDEX session_user_id ON session (user_id);
CREATE TABLE machine_token (
    id TEXT NOT NULL PRIMARY KEY,
    token BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    site TEXT,
    scopes TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER
);
CREATE TABLE sign_in_guard (
    token BLOB NOT NULL PRIMARY KEY,
    user_id TEXT,
    failures INTEGER NOT NULL,
    failed_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL
);
CREATE INDEX sign_in_guard_user_id ON sign_in_guard (user_id);
CREATE INDEX sign_in_guard_failed_at ON sign_in_guard (failed_at);
CREATE TABLE sign_in_place (
    token BLOB NOT NULL PRIMARY KEY,
    seen_at INTEGER NOT NULL
);
CREATE INDEX sign_in_place_seen_at ON sign_in_place (seen_at);

-- Rows that the audit did not take when a patient stood there: the sealer takes them in later.
CREATE TABLE audit_waiting (
    id INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    facts TEXT NOT NULL
);

-- The audit is read by what was touched and by who did it.
CREATE INDEX audit_row_subject ON audit_row (subject);
CREATE INDEX audit_row_actor ON audit_row (actor);
