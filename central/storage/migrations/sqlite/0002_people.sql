-- Persons: names and numbers sealed, found by keyed tokens; former ones stay.
CREATE TABLE person (
    id BLOB NOT NULL PRIMARY KEY,
    sex TEXT NOT NULL,
    registered_at INTEGER NOT NULL
);
CREATE TABLE person_name (
    id INTEGER NOT NULL PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES person (id),
    name BLOB NOT NULL,
    token BLOB NOT NULL,
    since_at INTEGER NOT NULL,
    until_at INTEGER
);
CREATE INDEX person_name_person_id ON person_name (person_id);
CREATE INDEX person_name_token ON person_name (token);
CREATE UNIQUE INDEX person_name_current ON person_name (person_id) WHERE until_at IS NULL;
CREATE TABLE person_document (
    id INTEGER NOT NULL PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES person (id),
    type TEXT NOT NULL,
    number BLOB NOT NULL,
    token BLOB NOT NULL,
    added_at INTEGER NOT NULL
);
CREATE INDEX person_document_person_id ON person_document (person_id);
CREATE UNIQUE INDEX person_document_token_person_id ON person_document (token, person_id);
CREATE UNIQUE INDEX person_document_owner ON person_document (token) WHERE type = '01';
CREATE UNIQUE INDEX person_document_one ON person_document (person_id) WHERE type = '01';
CREATE TABLE person_phone (
    person_id BLOB NOT NULL REFERENCES person (id),
    token BLOB NOT NULL,
    number BLOB NOT NULL,
    given_at INTEGER NOT NULL,
    PRIMARY KEY (person_id, token)
);
CREATE INDEX person_phone_token ON person_phone (token);
CREATE TABLE person_index (
    token BLOB NOT NULL PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES person (id),
    document_id INTEGER NOT NULL REFERENCES person_document (id),
    name_id INTEGER NOT NULL REFERENCES person_name (id),
    made_at INTEGER NOT NULL,
    former_since_at INTEGER
);
CREATE INDEX person_index_person_id ON person_index (person_id);

-- Cards: one account a person, the ehc ids that lead to it, the ledger of issued dynamic codes.
CREATE TABLE card (
    id BLOB NOT NULL PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES person (id),
    state TEXT NOT NULL,
    opened_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX card_person_id ON card (person_id);
CREATE TABLE card_ehc_id (
    token BLOB NOT NULL PRIMARY KEY,
    card_id BLOB NOT NULL REFERENCES card (id),
    ehc_id BLOB NOT NULL,
    root_version INTEGER NOT NULL,
    made_at INTEGER NOT NULL
);
CREATE INDEX card_ehc_id_card_id ON card_ehc_id (card_id);
CREATE TABLE issued_code (
    token BLOB NOT NULL PRIMARY KEY,
    tail_token BLOB NOT NULL,
    card_id BLOB NOT NULL REFERENCES card (id),
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_box TEXT,
    used_id BLOB,
    used_at INTEGER,
    reported_at INTEGER
);
CREATE INDEX issued_code_tail_token ON issued_code (tail_token);

-- Hospitals: one active patient id for each person and site; a number of a type is one patient's.
CREATE TABLE site_patient (
    site TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    person_id BLOB NOT NULL REFERENCES person (id),
    active INTEGER NOT NULL,
    since_at INTEGER NOT NULL,
    PRIMARY KEY (site, patient_id)
);
CREATE INDEX site_patient_person_id ON site_patient (person_id);
CREATE UNIQUE INDEX site_patient_active ON site_patient (site, person_id) WHERE active;
CREATE TABLE record_number (
    site TEXT NOT NULL,
    type TEXT NOT NULL,
    number TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    since_at INTEGER NOT NULL,
    PRIMARY KEY (site, type, number),
    FOREIGN KEY (site, patient_id) REFERENCES site_patient (site, patient_id)
);
CREATE INDEX record_number_site_patient_id ON record_number (site, patient_id);
CREATE TABLE site_sequence (
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (site, kind)
);

-- What boxes asked and reported, each once by (id, box).
CREATE TABLE scan (
    id BLOB NOT NULL,
    box TEXT NOT NULL,
    code_token BLOB NOT NULL,
    person BLOB,
    verdict TEXT NOT NULL,
    reason TEXT,
    consumed INTEGER NOT NULL,
    judged_at INTEGER NOT NULL,
    asked_at INTEGER,
    counter TEXT NOT NULL,
    operator TEXT NOT NULL,
    medical_step TEXT NOT NULL,
    drill INTEGER NOT NULL,
    reported_at INTEGER,
    born_at INTEGER,
    code_class TEXT,
    box_verdict TEXT,
    box_reason TEXT,
    decided_by TEXT,
    differs INTEGER,
    PRIMARY KEY (id, box)
);
CREATE TABLE scan_sequel (
    id BLOB NOT NULL,
    box TEXT NOT NULL,
    kind TEXT NOT NULL,
    first BLOB NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT,
    born_at INTEGER NOT NULL,
    reported_at INTEGER NOT NULL,
    PRIMARY KEY (id, box)
);
CREATE INDEX scan_sequel_first_box ON scan_sequel (first, box);
CREATE TABLE registration (
    id BLOB NOT NULL,
    box TEXT NOT NULL,
    request_token BLOB NOT NULL,
    person BLOB,
    found INTEGER,
    answered_at INTEGER,
    counter TEXT NOT NULL,
    operator TEXT NOT NULL,
    drill INTEGER NOT NULL,
    reported_at INTEGER,
    born_at INTEGER,
    outcome TEXT,
    reason TEXT,
    PRIMARY KEY (id, box)
);
CREATE TABLE label_state (
    id BLOB NOT NULL,
    box TEXT NOT NULL,
    label BLOB NOT NULL,
    registration BLOB NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    conditions TEXT NOT NULL,
    copy INTEGER NOT NULL,
    reprint_reason TEXT NOT NULL,
    born_at INTEGER NOT NULL,
    reported_at INTEGER NOT NULL,
    PRIMARY KEY (id, box)
);
CREATE INDEX label_state_label_box ON label_state (label, box);
