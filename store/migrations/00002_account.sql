-- +goose Up
-- The account house: people, what they hold, and what they prove themselves with.
-- Names are in the sealed columns only; look-ups go by keyed hashes.

CREATE TABLE person (
    person_id TEXT   NOT NULL PRIMARY KEY,
    kind      TEXT   NOT NULL,              -- professional, patient, application, operator
    created   BIGINT NOT NULL,
    record    BYTEA  NOT NULL               -- sealed under works: names, birth date, INS
);

-- Who may do what with a box. box_id is the mailbox house's.
CREATE TABLE holder (
    box_id    TEXT   NOT NULL,
    person_id TEXT   NOT NULL,
    rights    BIGINT NOT NULL,              -- bits: 1 read, 2 send, 4 own
    created   BIGINT NOT NULL,
    PRIMARY KEY (box_id, person_id)
);
CREATE INDEX holder_person ON holder (person_id, box_id);

CREATE TABLE app_password (
    box_id      TEXT   NOT NULL,
    mac         BYTEA  NOT NULL,            -- keyed hash of box and password
    password_id TEXT   NOT NULL,
    person_id   TEXT   NOT NULL,
    scopes      BIGINT NOT NULL,            -- bits: 1 imap, 2 smtp, 4 web
    created     BIGINT NOT NULL,
    last_used   BIGINT NOT NULL,            -- day, 0 for never
    record      BYTEA  NOT NULL,            -- sealed under works: its name
    PRIMARY KEY (box_id, mac)
);
CREATE UNIQUE INDEX app_password_id ON app_password (box_id, password_id);

CREATE TABLE certificate (
    dn_mac         BYTEA  NOT NULL,         -- keyed hash of the subject
    box_id         TEXT   NOT NULL,
    spki           BYTEA  NOT NULL,         -- SHA-256 of the public key; empty: any key with that subject
    certificate_id TEXT   NOT NULL,
    person_id      TEXT   NOT NULL,
    created        BIGINT NOT NULL,
    last_used      BIGINT NOT NULL,
    record         BYTEA  NOT NULL,         -- sealed under works: the subject
    PRIMARY KEY (dn_mac, box_id, spki)
);
CREATE UNIQUE INDEX certificate_id ON certificate (box_id, certificate_id);
