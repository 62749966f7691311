-- Movies are listed, searched and counted in memory. What was kept for that on disk goes.
DROP TABLE movie_words;
DROP INDEX movies_title_sort;
DROP INDEX movies_movie_format;
DROP INDEX movies_length;
DROP INDEX movies_release_year;
DROP INDEX movies_rating;
DROP INDEX movies_created_at;
DROP INDEX movies_updated_at;

DROP VIEW movies;
ALTER TABLE movie_rows DROP COLUMN title_sort;
CREATE VIEW movies AS
    SELECT id, title, movie_format, length, release_year, rating, version, created_at, updated_at, change_id
    FROM movie_rows WHERE change_id NOT IN (SELECT change_id FROM imports_under_way);
