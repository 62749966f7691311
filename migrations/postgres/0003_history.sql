-- What was done, by whom: a row for each change of the collection. Ids are handed out before the
-- commit; what was committed when follows from the transaction.
CREATE TABLE changes (
    id        BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at        BIGINT NOT NULL,
    user_name TEXT   NOT NULL,
    via       TEXT   NOT NULL,
    kind      TEXT   NOT NULL CHECK (kind IN ('create', 'update', 'delete', 'import', 'batch', 'undo', 'restore')),
    movies    BIGINT NOT NULL CHECK (movies >= 1),
    undoes    BIGINT UNIQUE,
    xact      XID8   NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX changes_xact ON changes (xact, id);

-- Which change made a movie what it is. A new movie is written down nowhere else.
ALTER TABLE movies ADD COLUMN change_id BIGINT NOT NULL DEFAULT 0;
INSERT INTO changes (at, user_name, via, kind, movies)
    SELECT max(updated_at), 'console', 'console', 'import', count(*) FROM movies HAVING count(*) > 0;
UPDATE movies SET change_id = (SELECT id FROM changes);
CREATE INDEX movies_change_id ON movies (change_id, id);

-- What movies were before they became what they are: each version that another one followed, and
-- for each deletion a version without attributes.
CREATE TABLE movie_versions (
    movie_id     BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    change_id    BIGINT NOT NULL,
    title        TEXT,
    movie_format TEXT,
    length       BIGINT,
    release_year BIGINT,
    rating       BIGINT,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (movie_id, version)
);
CREATE INDEX movie_versions_change_id ON movie_versions (change_id, movie_id);
