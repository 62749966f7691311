-- Writes that were sent with an Idempotency-Key, and their results, for a day. Of the key there is
-- only what is derived from it, and the result (base64) is encrypted with the key and the request.
-- There is no reference to users, since ids of users are never used twice, and on PostgreSQL it would
-- keep a user from being removed while the user's import runs.
CREATE TABLE idempotency_keys (
    user_id    INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    result     TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT;
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
