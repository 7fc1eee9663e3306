-- How long the boxes of a site may work alone, and the last lease that each box was granted.
CREATE TABLE lease_policy (
    site_id TEXT NOT NULL PRIMARY KEY REFERENCES site (id),
    policy BLOB NOT NULL,
    set_at INTEGER NOT NULL,
    set_by TEXT NOT NULL
);
CREATE TABLE lease_granted (
    box_id TEXT NOT NULL PRIMARY KEY REFERENCES box (id),
    revision INTEGER NOT NULL,
    granted_at INTEGER NOT NULL
);
