-- Times are milliseconds since 1970-01-01T00:00:00Z. Passwords stand here as Argon2id (PHC string
-- format), tokens and session cookies as SHA-256 (base64url).
CREATE TABLE users (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          TEXT   COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    name_key      TEXT   COLLATE "C" NOT NULL UNIQUE,
    role          TEXT   NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE tokens (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    role       TEXT   NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
    secret     TEXT   COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX tokens_user_id ON tokens (user_id);

CREATE TABLE sessions (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret     TEXT   COLLATE "C" NOT NULL UNIQUE,
    address    TEXT   NOT NULL,
    user_agent TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_seen_at ON sessions (seen_at);
