-- +goose Up
-- The account house: patients by their INS, logins of the web with their second
-- factor, and the sessions that are open. Look-ups go by keyed hashes; what a person
-- could read is in the sealed columns only.

CREATE TABLE person_ins (
    ins_mac   BYTEA NOT NULL PRIMARY KEY,   -- keyed hash of OID and matricule
    person_id TEXT  NOT NULL
);
CREATE INDEX person_ins_person ON person_ins (person_id);

-- One login a person.
CREATE TABLE web_login (
    person_id TEXT   NOT NULL PRIMARY KEY,
    login_mac BYTEA  NOT NULL,              -- keyed hash of the login, folded
    box_id    TEXT   NOT NULL,              -- where it leads
    created   BIGINT NOT NULL,
    changed   BIGINT NOT NULL,              -- when the password was chosen
    password  BYTEA  NOT NULL,              -- sealed under works: argon2id, in the PHC form
    factor    BIGINT NOT NULL,              -- second factor: 0 none, 1 shown and not confirmed, 2 on
    step      BIGINT NOT NULL,              -- the newest step of which a code was used
    secret    BYTEA  NOT NULL,              -- sealed under works: the TOTP secret; empty for none
    record    BYTEA  NOT NULL               -- sealed under works: the login as it was given
);
CREATE UNIQUE INDEX web_login_login ON web_login (login_mac);

-- What lets somebody in once who lost the second factor. A used code is gone.
CREATE TABLE web_recovery (
    person_id TEXT  NOT NULL,
    code_mac  BYTEA NOT NULL,               -- keyed hash of person and code
    PRIMARY KEY (person_id, code_mac)
);

CREATE TABLE web_session (
    token_mac  BYTEA  NOT NULL PRIMARY KEY, -- keyed hash of the token
    person_id  TEXT   NOT NULL,
    session_id TEXT   NOT NULL,
    box_id     TEXT   NOT NULL,
    proof      TEXT   NOT NULL,             -- what was proven at its beginning
    created    BIGINT NOT NULL,
    seen       BIGINT NOT NULL,             -- the last request, to the minute
    expires    BIGINT NOT NULL,             -- its end, however busy it is
    record     BYTEA  NOT NULL              -- sealed under works: the device's label
);
CREATE UNIQUE INDEX web_session_person ON web_session (person_id, session_id);
CREATE INDEX web_session_seen ON web_session (seen);
