-- +goose Up
-- The newest whitelist ever accepted: a file put back from a backup is a rollback.
CREATE TABLE trust_mark (
	id        BIGINT NOT NULL PRIMARY KEY, -- 1: there is one row
	generated BIGINT NOT NULL,             -- DateDeGeneration
	digest    BYTEA  NOT NULL              -- SHA-256 of the signed XML
);
