-- +goose Up
-- The audit house: one Merkle log per operator. Times are unix microseconds.

-- Leaves written in the transaction of the act, not numbered yet. The key is made
-- by the application, so that no two transactions wait for each other.
CREATE TABLE audit_pending (
    id   TEXT  NOT NULL PRIMARY KEY,
    leaf BYTEA NOT NULL                     -- canonical JSON
);

-- Numbered leaves: the hashed record is {"at":at,"leaf":leaf,"seq":seq}.
CREATE TABLE audit_leaf (
    seq  BIGINT NOT NULL PRIMARY KEY,       -- from 0, without gaps
    at   BIGINT NOT NULL,                   -- when it was numbered; never falls
    leaf BYTEA  NOT NULL
);

-- Details may be erased; the leaf keeps only commitment = SHA-256(salt || details).
CREATE TABLE audit_detail (
    commitment BYTEA NOT NULL PRIMARY KEY,
    salt       BYTEA NOT NULL,
    details    BYTEA NOT NULL
);

-- Tiles of height 8 (C2SP tlog-tiles): row (level, n) holds up to 256 hashes.
CREATE TABLE audit_tile (
    level  BIGINT NOT NULL,
    n      BIGINT NOT NULL,
    hashes BYTEA  NOT NULL,
    PRIMARY KEY (level, n)
);

-- Every checkpoint ever signed (C2SP tlog-checkpoint).
CREATE TABLE audit_checkpoint (
    no   BIGINT NOT NULL PRIMARY KEY,       -- from 1, without gaps
    size BIGINT NOT NULL UNIQUE,            -- leaves covered
    note BYTEA  NOT NULL
);

-- One row: how far the log is numbered, and who may number next.
CREATE TABLE audit_log (
    id          BIGINT NOT NULL PRIMARY KEY,
    origin      TEXT   NOT NULL,
    size        BIGINT NOT NULL,
    at          BIGINT NOT NULL,            -- time of the last numbered leaf
    holder      TEXT   NOT NULL,
    epoch       BIGINT NOT NULL,            -- fences a sequencer that lost its lease
    lease_until BIGINT NOT NULL
);
INSERT INTO audit_log (id, origin, size, at, holder, epoch, lease_until) VALUES (1, '', 0, 0, '', 0, 0);
