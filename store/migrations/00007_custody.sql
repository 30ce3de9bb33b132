-- +goose Up
-- The operator's own keys, wrapped by the platform key: works, audit, transit/DAY.
CREATE TABLE operator_key (
	name    TEXT   NOT NULL PRIMARY KEY,
	public  BYTEA  NOT NULL,
	wrapped BYTEA  NOT NULL,
	created BIGINT NOT NULL
);
