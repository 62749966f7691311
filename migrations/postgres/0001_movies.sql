-- Times are milliseconds since 1970-01-01T00:00:00Z. Sort keys and words are folded by the program.
CREATE TABLE movies (
    id           BIGINT PRIMARY KEY CHECK (id > 0),
    title        TEXT   NOT NULL CHECK (char_length(title) BETWEEN 1 AND 50
                                        AND title = btrim(title)
                                        AND title !~ '[\u0001-\u001f\u007f-\u009f]'),
    title_sort   TEXT   COLLATE "C" NOT NULL,
    movie_format TEXT   COLLATE "C" NOT NULL CHECK (movie_format IN ('VHS', 'DVD', 'Streaming')),
    length       BIGINT NOT NULL CHECK (length BETWEEN 0 AND 500),
    release_year BIGINT NOT NULL CHECK (release_year BETWEEN 1800 AND 2100),
    rating       BIGINT NOT NULL CHECK (rating BETWEEN 1 AND 5),
    version      BIGINT NOT NULL CHECK (version >= 1),
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

-- One index for each order of the list; every one ends with the id, which breaks ties.
CREATE INDEX movies_title_sort   ON movies (title_sort, id);
CREATE INDEX movies_movie_format ON movies (movie_format, id);
CREATE INDEX movies_length       ON movies (length, id);
CREATE INDEX movies_release_year ON movies (release_year, id);
CREATE INDEX movies_rating       ON movies (rating, id);
CREATE INDEX movies_created_at   ON movies (created_at, id);
CREATE INDEX movies_updated_at   ON movies (updated_at, id);

-- The words of each title, for searching by their beginnings.
CREATE TABLE movie_words (
    word     TEXT   COLLATE "C" NOT NULL,
    movie_id BIGINT NOT NULL REFERENCES movies (id) ON DELETE CASCADE,
    PRIMARY KEY (word, movie_id)
);
CREATE INDEX movie_words_movie_id ON movie_words (movie_id, word);

-- The next id of a movie: handed out once, also when the movie is deleted or never stored.
CREATE SEQUENCE movie_ids;
