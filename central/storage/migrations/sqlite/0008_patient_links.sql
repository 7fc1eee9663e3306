-- One-time links to the patient's page: the secret of neither link nor phone can be read here.
CREATE TABLE patient_link (
    token BLOB NOT NULL PRIMARY KEY,
    card_id BLOB NOT NULL REFERENCES card (id),
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    phone BLOB,
    opened_at INTEGER,
    until_at INTEGER
);
CREATE INDEX patient_link_card_id ON patient_link (card_id);
