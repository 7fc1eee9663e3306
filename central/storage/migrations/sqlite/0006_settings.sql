-- What is wanted of boxes, by site and by box; which state of it was last announced to each.
CREATE TABLE site_setting (
    site_id TEXT NOT NULL PRIMARY KEY REFERENCES site (id),
    settings BLOB NOT NULL,
    set_at INTEGER NOT NULL,
    set_by TEXT NOT NULL
);
CREATE TABLE box_setting (
    box_id TEXT NOT NULL PRIMARY KEY REFERENCES box (id),
    settings BLOB NOT NULL,
    set_at INTEGER NOT NULL,
    set_by TEXT NOT NULL
);
CREATE TABLE announced (
    box_id TEXT NOT NULL PRIMARY KEY REFERENCES box (id),
    revision INTEGER NOT NULL,
    content BLOB NOT NULL,
    made_at INTEGER NOT NULL
);

-- What boxes last said of themselves.
CREATE TABLE box_live (
    box_id TEXT NOT NULL PRIMARY KEY REFERENCES box (id),
    online INTEGER NOT NULL,
    since INTEGER NOT NULL,
    heard_at INTEGER,
    epoch INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL DEFAULT 0,
    said_at INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    report BLOB
);
