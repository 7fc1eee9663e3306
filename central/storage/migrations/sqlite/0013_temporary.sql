-- Temporary codes that boxes gave while they were alone: each leads to a card for ever. The text is
-- sealed, its token keyed; (box, id) is the record that registered the person.
CREATE TABLE temporary_code (
    token BLOB NOT NULL PRIMARY KEY,
    card_id BLOB NOT NULL REFERENCES card (id),
    text BLOB NOT NULL,
    box TEXT NOT NULL,
    id BLOB NOT NULL,
    kept_at INTEGER NOT NULL
);
CREATE INDEX temporary_code_card_id ON temporary_code (card_id);
CREATE UNIQUE INDEX temporary_code_box_id ON temporary_code (box, id);
-- Lists name a card by these codes too.
CREATE TRIGGER list_card_temporary AFTER INSERT ON temporary_code BEGIN
    INSERT OR IGNORE INTO list_due_card SELECT id FROM card WHERE id = NEW.card_id AND state <> 'active';
    INSERT OR IGNORE INTO list_due_person SELECT person_id FROM card WHERE id = NEW.card_id;
END;
-- Scans of codes whose box had not reported yet: few, and found again when it does.
CREATE INDEX scan_temporary ON scan (code_token) WHERE reason = 'code-temporary-unknown';
