-- What was done, by whom: a row for each change of the collection, with ids in the order of commits.
CREATE TABLE changes (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    user_name TEXT    NOT NULL,
    via       TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('create', 'update', 'delete', 'import', 'batch', 'undo', 'restore')),
    movies    INTEGER NOT NULL CHECK (movies >= 1),
    undoes    INTEGER UNIQUE
) STRICT;

-- Which change made a movie what it is. A new movie is written down nowhere else.
ALTER TABLE movies ADD COLUMN change_id INTEGER NOT NULL DEFAULT 0;
INSERT INTO changes (at, user_name, via, kind, movies)
    SELECT max(updated_at), 'console', 'console', 'import', count(*) FROM movies HAVING count(*) > 0;
UPDATE movies SET change_id = (SELECT id FROM changes);
CREATE INDEX movies_change_id ON movies (change_id, id);

-- What movies were before they became what they are: each version that another one followed, and
-- for each deletion a version without attributes.
CREATE TABLE movie_versions (
    movie_id     INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    change_id    INTEGER NOT NULL,
    title        TEXT,
    movie_format TEXT,
    length       INTEGER,
    release_year INTEGER,
    rating       INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (movie_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX movie_versions_change_id ON movie_versions (change_id, movie_id);
