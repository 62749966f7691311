-- What reads asks `movies`, what writes says `movie_rows`, as on SQLite, where not every row is to be
-- seen while an import is under way. Here that follows from the transaction.
ALTER TABLE movies RENAME TO movie_rows;
CREATE VIEW movies AS SELECT id, title, title_sort, movie_format, length, release_year, rating, version, created_at, updated_at,
           change_id FROM movie_rows;
