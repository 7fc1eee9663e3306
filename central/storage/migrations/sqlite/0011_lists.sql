-- What boxes may need to judge alone. What has changed is noted by the database itself, whoever
-- changed it, and taken up by central.lists soon after. ``key`` orders entries of one revision.
CREATE TABLE list_standing (
    what TEXT NOT NULL,
    site TEXT NOT NULL,
    revision INTEGER NOT NULL,
    count INTEGER NOT NULL,
    digest BLOB NOT NULL,
    as_of INTEGER NOT NULL,
    PRIMARY KEY (what, site)
);
CREATE TABLE list_revoked (
    token BLOB NOT NULL PRIMARY KEY,
    card_id BLOB NOT NULL REFERENCES card (id),
    reason TEXT,
    revision INTEGER NOT NULL
);
CREATE INDEX list_revoked_revision ON list_revoked (revision, token);
CREATE INDEX list_revoked_card_id ON list_revoked (card_id);
CREATE TABLE list_person (
    site TEXT NOT NULL,
    person_id BLOB NOT NULL REFERENCES person (id),
    entry BLOB NOT NULL,
    revision INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (site, person_id)
);
CREATE INDEX list_person_revision ON list_person (site, revision, person_id);
CREATE INDEX list_person_person_id ON list_person (person_id);
CREATE TABLE list_due_card (card_id BLOB NOT NULL PRIMARY KEY);
CREATE TABLE list_due_person (person_id BLOB NOT NULL PRIMARY KEY);

CREATE TRIGGER list_card_state AFTER UPDATE OF state ON card BEGIN
    INSERT OR IGNORE INTO list_due_card VALUES (NEW.id);
END;
CREATE TRIGGER list_card_code AFTER INSERT ON card_ehc_id BEGIN
    INSERT OR IGNORE INTO list_due_card SELECT id FROM card WHERE id = NEW.card_id AND state <> 'active';
    INSERT OR IGNORE INTO list_due_person SELECT person_id FROM card WHERE id = NEW.card_id;
END;
CREATE TRIGGER list_patient_came AFTER INSERT ON site_patient BEGIN
    INSERT OR IGNORE INTO list_due_person VALUES (NEW.person_id);
END;
CREATE TRIGGER list_patient_changed AFTER UPDATE ON site_patient BEGIN
    INSERT OR IGNORE INTO list_due_person VALUES (OLD.person_id);
    INSERT OR IGNORE INTO list_due_person VALUES (NEW.person_id);
END;
CREATE TRIGGER list_number_came AFTER INSERT ON record_number BEGIN
    INSERT OR IGNORE INTO list_due_person SELECT person_id FROM site_patient
        WHERE site = NEW.site AND patient_id = NEW.patient_id;
END;
CREATE TRIGGER list_name_came AFTER INSERT ON person_name BEGIN
    INSERT OR IGNORE INTO list_due_person VALUES (NEW.person_id);
END;
CREATE TRIGGER list_document_came AFTER INSERT ON person_document BEGIN
    INSERT OR IGNORE INTO list_due_person VALUES (NEW.person_id);
END;
CREATE TRIGGER list_person_changed AFTER UPDATE ON person BEGIN
    INSERT OR IGNORE INTO list_due_person VALUES (NEW.id);
END;
-- Who comes after more than a day is again among the latest of the site.
CREATE TRIGGER list_person_came AFTER INSERT ON scan WHEN NEW.person IS NOT NULL BEGIN
    INSERT OR IGNORE INTO list_due_person SELECT person_id FROM list_person
        WHERE site = substr(NEW.box, 1, instr(NEW.box, '/') - 1) AND person_id = NEW.person
        AND seen_at < NEW.judged_at - 86400000000;
END;

INSERT INTO list_due_card SELECT id FROM card WHERE state <> 'active';
INSERT INTO list_due_person SELECT DISTINCT person_id FROM site_patient;
