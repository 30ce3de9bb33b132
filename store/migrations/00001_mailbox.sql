-- +goose Up
-- The mailbox house. One text for SQLite and PostgreSQL; times are unix
-- microseconds, booleans are 0 or 1. Every row of a box begins its keys with the
-- box, every row of a folder with (box_id, folder): no hot query crosses boxes.
-- What a person could read is in the sealed columns only.

-- A space is one pair of keys (a patient has two) and one symmetric key.
CREATE TABLE space (
    space_id    TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,            -- kind of its box: PER, ORG, APP, CAB, PATIENT
    letters_key BYTEA  NOT NULL,            -- public half, encryption
    vault_key   BYTEA  NOT NULL,            -- public half; empty unless a patient's
    wrapped     BYTEA  NOT NULL,            -- private halves and symmetric key, under the platform key
    created     BIGINT NOT NULL
);

CREATE TABLE box (
    box_id       TEXT   NOT NULL PRIMARY KEY,
    space_id     TEXT   NOT NULL,
    kind         TEXT   NOT NULL,           -- never changes
    state        TEXT   NOT NULL,
    bytes        BIGINT NOT NULL,           -- octets of all letters, head and body
    quota        BIGINT NOT NULL,
    letters      BIGINT NOT NULL,
    letter_limit BIGINT NOT NULL,
    inbox        BIGINT NOT NULL,           -- folder number of INBOX
    folder_next  BIGINT NOT NULL,           -- folder numbers are never used twice
    created      BIGINT NOT NULL,
    address_mac  BYTEA  NOT NULL,           -- keyed hash of the address
    record       BYTEA  NOT NULL            -- sealed under works: address, name
);
CREATE UNIQUE INDEX box_address ON box (address_mac);

CREATE TABLE folder (
    box_id       TEXT   NOT NULL,
    folder       BIGINT NOT NULL,
    role         TEXT   NOT NULL,           -- inbox, sent, drafts, trash, junk, archive or empty
    subscribed   BIGINT NOT NULL,
    uid_validity BIGINT NOT NULL,
    uid_next     BIGINT NOT NULL,
    modseq       BIGINT NOT NULL,           -- highest given
    floor        BIGINT NOT NULL,           -- tombstones at or below it are gone
    messages     BIGINT NOT NULL,
    unseen       BIGINT NOT NULL,
    deleted      BIGINT NOT NULL,           -- letters flagged \Deleted
    bytes        BIGINT NOT NULL,
    record       BYTEA  NOT NULL,           -- the name, sealed under the space
    PRIMARY KEY (box_id, folder)
);
-- Names are unique too: that is held under the box's lock, on the opened names.
CREATE UNIQUE INDEX folder_role ON folder (box_id, role) WHERE role <> '';

-- Narrow columns first: SQLite then reads sizes and dates without the overflow pages.
CREATE TABLE message (
    box_id    TEXT   NOT NULL,
    folder    BIGINT NOT NULL,
    uid       BIGINT NOT NULL,
    modseq    BIGINT NOT NULL,
    flags     BIGINT NOT NULL,              -- bits: system flags, known keywords, the box's keywords
    size      BIGINT NOT NULL,              -- octets of head and body
    internal  BIGINT NOT NULL,              -- INTERNALDATE
    key_form  BIGINT NOT NULL,              -- 0: to the letters key; 1: under the symmetric key
    id        TEXT   NOT NULL,              -- the letter's id; a copy keeps it
    body_id   TEXT   NOT NULL,
    outcome   TEXT   NOT NULL,
    replay    BYTEA,                        -- keyed hash while a repetition is possible
    wrapped   BYTEA  NOT NULL,              -- the session key: without it the letter is erased
    record    BYTEA  NOT NULL,              -- the summary, sealed with the session key
    PRIMARY KEY (box_id, folder, uid)
);
-- Covers the reading of a whole view and of the changes since a modseq.
CREATE INDEX message_view ON message (box_id, folder, modseq, uid, flags);
CREATE UNIQUE INDEX message_replay ON message (box_id, replay) WHERE replay IS NOT NULL;

CREATE TABLE expunged (
    box_id TEXT   NOT NULL,
    folder BIGINT NOT NULL,
    modseq BIGINT NOT NULL,
    uid    BIGINT NOT NULL,
    PRIMARY KEY (box_id, folder, modseq, uid)
);

CREATE TABLE keyword (
    box_id TEXT   NOT NULL,
    bit    BIGINT NOT NULL,
    record BYTEA  NOT NULL,                 -- the keyword, sealed under the space
    PRIMARY KEY (box_id, bit)
);

-- Who wrote to a patient, and may be answered.
CREATE TABLE correspondent (
    box_id   TEXT   NOT NULL,
    peer_mac BYTEA  NOT NULL,               -- keyed hash of box and address
    state    TEXT   NOT NULL,               -- open or closed
    last     BIGINT NOT NULL,               -- their last letter
    record   BYTEA  NOT NULL,               -- sealed under works: address, name
    PRIMARY KEY (box_id, peer_mac)
);

-- A body is shared by its recipients and knows none of them.
CREATE TABLE body (
    body_id     TEXT   NOT NULL PRIMARY KEY,
    plain_size  BIGINT NOT NULL,
    sealed_size BIGINT NOT NULL,
    refs        BIGINT NOT NULL,
    blob_key    TEXT   NOT NULL,            -- empty when sealed holds the bytes
    sealed      BYTEA  NOT NULL
);
CREATE UNIQUE INDEX body_blob ON body (blob_key) WHERE blob_key <> '';

-- Blobs that nothing refers to any more, to be deleted from the blob store.
CREATE TABLE blob_garbage (
    blob_key TEXT   NOT NULL PRIMARY KEY,
    since    BIGINT NOT NULL
);
