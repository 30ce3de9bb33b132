-- +goose Up
-- Pages name a letter by its id, wherever it was moved to.
CREATE INDEX message_id ON message (box_id, id);
