-- +goose Up
-- The outcome house: what became of each sent letter, per recipient. Times are
-- unix microseconds. Addresses and evidence are in the sealed columns only.
CREATE TABLE outcome_letter (
    letter      TEXT   NOT NULL PRIMARY KEY,
    sender      TEXT   NOT NULL,            -- box
    message_mac BYTEA  NOT NULL,            -- keyed hash of sender and Message-ID
    added       BIGINT NOT NULL
);
CREATE INDEX outcome_letter_message ON outcome_letter (sender, message_mac);

CREATE TABLE outcome_recipient (
    letter  TEXT   NOT NULL,
    rcpt    BIGINT NOT NULL,                -- number within the letter, from 0
    state   BIGINT NOT NULL,                -- highest rank among its facts
    due     BIGINT NOT NULL,                -- when somebody must look again; 0: never
    record  BYTEA  NOT NULL,                -- sealed under works: address, first facts
    PRIMARY KEY (letter, rcpt)
);
CREATE INDEX outcome_recipient_due ON outcome_recipient (due) WHERE due > 0;

-- Facts are only ever added. The id is a keyed hash of the content: the same
-- evidence seen twice is one row.
CREATE TABLE outcome_fact (
    letter TEXT   NOT NULL,
    rcpt   BIGINT NOT NULL,
    id     BYTEA  NOT NULL,
    fact   BYTEA  NOT NULL,                 -- sealed under works
    PRIMARY KEY (letter, rcpt, id)
);
