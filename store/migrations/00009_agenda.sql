-- +goose Up
-- The agenda house: what a person was invited to. Times are unix microseconds.
-- What a person could read (title, place, dates, addresses) is in the sealed
-- record only; the identity of an event stands here as keyed hashes.

-- One row a space: it is locked first, so that two letters about one event
-- are applied one after the other.
CREATE TABLE agenda (
    space_id TEXT   NOT NULL PRIMARY KEY,
    events   BIGINT NOT NULL                -- rows of agenda_event
);

CREATE TABLE agenda_event (
    space_id      TEXT   NOT NULL,
    event_id      TEXT   NOT NULL,          -- sorts by the time of the first letter about it
    version       TEXT   NOT NULL,          -- of the record: what its key and seal are bound to
    uid_mac       BYTEA  NOT NULL,          -- keyed hash of space and UID
    instance_mac  BYTEA  NOT NULL,          -- keyed hash of the RECURRENCE-ID; empty: the event or series itself
    organizer_mac BYTEA  NOT NULL,          -- keyed hash of the organizer's address
    sequence      BIGINT NOT NULL,          -- SEQUENCE and DTSTAMP order what is said about it
    stamp         BIGINT NOT NULL,
    status        TEXT   NOT NULL,          -- needs-action, accepted, declined, tentative, cancelled, void
    changed       BIGINT NOT NULL,          -- when the row last changed
    key_form      BIGINT NOT NULL,          -- 0: to the letters key; 1: under the symmetric key
    wrapped       BYTEA  NOT NULL,          -- the session key: without it the event is erased
    record        BYTEA  NOT NULL,          -- the event, sealed with the session key
    PRIMARY KEY (space_id, event_id)
);
CREATE UNIQUE INDEX agenda_event_uid ON agenda_event (space_id, uid_mac, instance_mac);
