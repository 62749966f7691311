-- What a movie is, in short, so that `reelshelf check` finds rows that something else than the program has changed.
-- None of what was stored before.
ALTER TABLE movie_rows ADD COLUMN checksum INTEGER;
ALTER TABLE movie_versions ADD COLUMN checksum INTEGER;

DROP VIEW movies;
CREATE VIEW movies AS
    SELECT id, title, movie_format, length, release_year, rating, version, created_at, updated_at, change_id, checksum
    FROM movie_rows WHERE change_id NOT IN (SELECT change_id FROM imports_under_way);
