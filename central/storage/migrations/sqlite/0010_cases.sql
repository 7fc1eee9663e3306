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

-- What a person must decide. Of one kind and subject at most one is not yet decided.
CREATE TABLE conflict_case (
    id BLOB NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    owner TEXT NOT NULL DEFAULT '',
    evidence INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    decided_at INTEGER,
    decided_by TEXT NOT NULL DEFAULT '',
    note BLOB
);
CREATE UNIQUE INDEX conflict_case_undecided ON conflict_case (kind, subject)
    WHERE state <> 'decided';
CREATE INDEX conflict_case_due ON conflict_case (due_at) WHERE state <> 'decided';
CREATE INDEX conflict_case_subject ON conflict_case (subject, kind);

-- What each side says; a record is evidence of one case of a subject once. Words name no person.
CREATE TABLE case_evidence (
    case_id BLOB NOT NULL REFERENCES conflict_case (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    box_id TEXT,
    record BLOB,
    person BLOB,
    counter TEXT NOT NULL,
    operator TEXT NOT NULL,
    private BLOB,
    PRIMARY KEY (case_id, number)
) WITHOUT ROWID;
CREATE INDEX case_evidence_box_id ON case_evidence (box_id, case_id);

-- Which boxes a case concerns, and whether each of them was told that it was opened.
CREATE TABLE case_box (
    case_id BLOB NOT NULL REFERENCES conflict_case (id),
    box_id TEXT NOT NULL,
    PRIMARY KEY (case_id, box_id)
) WITHOUT ROWID;
CREATE INDEX case_box_box_id ON case_box (box_id, case_id);

-- Where a card stood when: an offline scan is judged by the card's state at its birth.
CREATE TABLE card_step (
    card_id BLOB NOT NULL REFERENCES card (id),
    at INTEGER NOT NULL,
    "before" TEXT NOT NULL,
    "after" TEXT NOT NULL,
    PRIMARY KEY (card_id, at)
) WITHOUT ROWID;
