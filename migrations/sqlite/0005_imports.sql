-- A long import writes its movies in several transactions, so that others can write in between. Until
-- the last of them its change stands here, and nobody sees the movies: what reads asks `movies`, what
-- writes says `movie_rows`.
CREATE TABLE imports_under_way (change_id INTEGER PRIMARY KEY) STRICT;

ALTER TABLE movies RENAME TO movie_rows;
CREATE VIEW movies AS
    SELECT id, title, title_sort, movie_format, length, release_year, rating, version, created_at, updated_at,
           change_id FROM movie_rows WHERE change_id NOT IN (SELECT change_id FROM imports_under_way);

-- Where such a change comes in the order of commits: like one with this id, which is not used then.
ALTER TABLE changes ADD COLUMN place INTEGER;
CREATE INDEX changes_place ON changes (coalesce(place, id));
