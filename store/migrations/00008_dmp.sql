-- +goose Up
-- The vault house: a patient's documents. Times are unix microseconds. Every row
-- begins its keys with the space; what a person could read is in the sealed columns
-- only, and what rows are found by is a keyed hash of space and value.

-- One row a vault: its lock. Whoever files, replaces or erases updates it first.
CREATE TABLE vault (
    space_id TEXT   NOT NULL PRIMARY KEY,
    held     BIGINT NOT NULL                -- when the lock was taken last
);

-- Narrow columns first: SQLite then reads a list without the pages of the bodies.
CREATE TABLE vault_document (
    space_id    TEXT   NOT NULL,
    document_id TEXT   NOT NULL,            -- sorts by time of filing
    state       TEXT   NOT NULL,            -- approved, deprecated, archived, deleted
    at          BIGINT NOT NULL,            -- when it was filed
    origins     BIGINT NOT NULL,            -- rows of vault_origin
    plain_size  BIGINT NOT NULL,            -- octets
    sealed_size BIGINT NOT NULL,
    key_form    BIGINT NOT NULL,            -- 0: to the vault key; 1: under the symmetric key
    replaced_by TEXT   NOT NULL,            -- document that replaced it, or empty
    blob_key    TEXT   NOT NULL,            -- empty when sealed holds the octets
    shelf       BYTEA  NOT NULL,            -- keyed hash of the category
    unique_mac  BYTEA  NOT NULL,            -- keyed hash of the uniqueId
    entry_mac   BYTEA,                      -- keyed hash of the entryUUID, if it is one
    digest_mac  BYTEA  NOT NULL,            -- keyed hash of the SHA-256 of the octets
    authors     BYTEA  NOT NULL,            -- keyed hashes of the authors, 16 octets each
    wrapped     BYTEA  NOT NULL,            -- the session key: without it the document is erased
    record      BYTEA  NOT NULL,            -- the metadata, sealed with the session key
    sealed      BYTEA  NOT NULL,
    PRIMARY KEY (space_id, document_id)
);
CREATE UNIQUE INDEX vault_document_unique ON vault_document (space_id, unique_mac);
CREATE INDEX vault_document_entry ON vault_document (space_id, entry_mac, document_id) WHERE entry_mac IS NOT NULL;
CREATE INDEX vault_document_list ON vault_document (space_id, document_id) WHERE state <> 'deleted';
CREATE INDEX vault_document_shelf ON vault_document (space_id, shelf, document_id) WHERE state <> 'deleted';
CREATE UNIQUE INDEX vault_document_blob ON vault_document (blob_key) WHERE blob_key <> '';

-- Where a document came from: each letter and each depositor once.
CREATE TABLE vault_origin (
    space_id    TEXT   NOT NULL,
    document_id TEXT   NOT NULL,
    origin_mac  BYTEA  NOT NULL,            -- keyed hash of kind and letter, or kind and depositor
    at          BIGINT NOT NULL,
    key_id      TEXT   NOT NULL,            -- what key and record are bound to; the document's own id: its key
    key_form    BIGINT NOT NULL,
    wrapped     BYTEA  NOT NULL,            -- empty when the document's key opens the record
    record      BYTEA  NOT NULL,
    PRIMARY KEY (space_id, document_id, origin_mac)
);

-- Replacements of documents that are not there yet.
CREATE TABLE vault_pending (
    space_id    TEXT   NOT NULL,
    name_mac    BYTEA  NOT NULL,            -- keyed hash of the uniqueId or entryUUID to be replaced
    document_id TEXT   NOT NULL,            -- what replaces it
    authors     BYTEA  NOT NULL,
    PRIMARY KEY (space_id, name_mac, document_id)
);
CREATE INDEX vault_pending_document ON vault_pending (space_id, document_id);

-- How many documents a shelf holds: the counts of a page cost no scan.
CREATE TABLE vault_shelf (
    space_id  TEXT   NOT NULL,
    shelf     BYTEA  NOT NULL,
    documents BIGINT NOT NULL,              -- all that are not deleted
    current   BIGINT NOT NULL,              -- approved ones
    PRIMARY KEY (space_id, shelf)
);

-- What became of the attachments of a letter, for its reader; sealed by whoever
-- files, with the letter's session key.
CREATE TABLE vault_filing (
    space_id   TEXT   NOT NULL,
    message_id TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    record     BYTEA  NOT NULL,
    PRIMARY KEY (space_id, message_id)
);

-- Who looked at what, for the person whose space it is.
CREATE TABLE vault_access (
    space_id  TEXT   NOT NULL,
    access_id TEXT   NOT NULL,              -- sorts by time
    at        BIGINT NOT NULL,
    key_id    TEXT   NOT NULL,              -- what the key is bound to; the rows of one act share a key
    wrapped   BYTEA  NOT NULL,
    record    BYTEA  NOT NULL,
    PRIMARY KEY (space_id, access_id)
);
