-- +goose Up
-- The queue house: jobs that outlive a crash. Times are unix microseconds,
-- booleans are 0 or 1. The payload is sealed by whoever adds the job.
CREATE TABLE queue_job (
    id       TEXT   NOT NULL PRIMARY KEY,
    kind     TEXT   NOT NULL,               -- which handler
    grp      TEXT   NOT NULL,               -- what is limited together (a domain); may be empty
    held     BIGINT NOT NULL,               -- 1: set aside, no worker takes it
    due      BIGINT NOT NULL,               -- when the next attempt is wanted
    wake     BIGINT NOT NULL,               -- when a worker may claim it: due, or the end of the lease
    epoch    BIGINT NOT NULL,               -- counts claims; fences a worker that lost its lease
    claims   BIGINT NOT NULL,               -- claims since the last settled attempt; 0: not leased
    holder   TEXT   NOT NULL,               -- node that leases it
    attempts BIGINT NOT NULL,
    added    BIGINT NOT NULL,
    expires  BIGINT NOT NULL,
    reason   TEXT   NOT NULL,               -- reason id of the last failure
    payload  BYTEA  NOT NULL
);
-- A worker finds the groups of a kind, and the first due job of each, by probes.
CREATE INDEX queue_job_wake ON queue_job (kind, held, grp, wake);
