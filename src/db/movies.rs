//! SQL of movies.

use super::{
    Conn, DbError, Dialect,
    builder::Builder,
    checksum::checksum,
    movie_columns::{MOVIE, attribute_names, attribute_values, movie, read, version},
    value::number,
};
use crate::domain::{ChangeId, Movie, MovieId, Time};

/// Rows in a statement: both databases limit the number of parameters.
const ROWS_AT_ONCE: usize = 500;

/// Reserves ids that no movie ever had. After a rollback they may be handed out again.
pub async fn reserve_ids(conn: &mut Conn, count: usize) -> Result<Vec<MovieId>, DbError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let ids: Vec<i64> = match conn.dialect() {
        // SQLite has no sequences; a counter row is enough for a single writer.
        Dialect::Sqlite => {
            let first: Vec<i64> = conn.query("SELECT next FROM movie_ids", &[], |row| row.get(0)).await?;
            conn.execute("UPDATE movie_ids SET next = next + $1", &[count.into()]).await?;
            first.into_iter().flat_map(|first| first..first + count).collect()
        }
        Dialect::Postgres => {
            let sql = "SELECT nextval('movie_ids') FROM generate_series(CAST(1 AS BIGINT), $1)";
            conn.query(sql, &[count.into()], |row| row.get(0)).await?
        }
    };
    Ok(ids.into_iter().map(MovieId::from_stored).collect())
}

/// Inserts movies with their ids.
///
/// # Errors
/// [`DbError::Duplicate`] if an id is in use.
pub async fn insert(conn: &mut Conn, change: ChangeId, movies: &[Movie]) -> Result<(), DbError> {
    let made: Vec<_> = movies.iter().map(|movie| (change, movie)).collect();
    insert_made(conn, &made).await
}

/// Inserts movies with their ids, each with the change that created it.
pub async fn insert_made(conn: &mut Conn, movies: &[(ChangeId, &Movie)]) -> Result<(), DbError> {
    const COLUMNS: usize = MOVIE + 2;
    let mut rows = Vec::with_capacity(movies.len() * COLUMNS);
    for (change, movie) in movies {
        rows.push(movie.id.into());
        rows.extend(attribute_values(&movie.attributes));
        rows.extend([
            movie.version.into(),
            movie.created_at.as_millis().into(),
            movie.updated_at.as_millis().into(),
            (*change).into(),
            checksum(movie.id, &movie.attributes).into(),
        ]);
    }
    conn.insert(concat!("movie_rows (", movie!(), ", change_id, checksum)"), COLUMNS, &rows).await
}

/// Updates movies, given as pairs of the old and the new state. Returns the number of updated rows. The
/// version rises by one, but only once for each change.
pub async fn update(conn: &mut Conn, change: ChangeId, movies: &[(Movie, Movie)]) -> Result<u64, DbError> {
    let mut found = 0;
    for movies in movies.chunks(ROWS_AT_ONCE) {
        let ids: Vec<MovieId> = movies.iter().map(|(_, movie)| movie.id).collect();
        archive(conn, change, &ids).await?;
        let mut sql = Builder::about(movies.len(), "UPDATE movie_rows SET version = CASE WHEN change_id = ");
        sql.param(change.into());
        sql.push(" THEN version ELSE version + 1 END, change_id = ");
        sql.param(change.into());
        let names = attribute_names().chain(["updated_at", "checksum"]);
        for (column, name) in (2..).zip(names) {
            sql.push(&format!(", {name} = new.column{column}"));
        }
        sql.push(" FROM (VALUES ");
        for (n, (_, movie)) in movies.iter().enumerate() {
            sql.push(if n == 0 { "(" } else { ", (" });
            let checksum = checksum(movie.id, &movie.attributes);
            let behind = [movie.updated_at.as_millis().into(), checksum.into()];
            sql.list([movie.id.into()].into_iter().chain(attribute_values(&movie.attributes)).chain(behind));
            sql.push(")");
        }
        sql.push(") AS new WHERE id = new.column1");
        found += sql.execute(conn).await?;
    }
    Ok(found)
}

/// Deletes movies.
pub async fn delete(conn: &mut Conn, change: ChangeId, ids: &[MovieId], at: Time) -> Result<(), DbError> {
    for ids in ids.chunks(ROWS_AT_ONCE) {
        archive(conn, change, ids).await?;
        let mut sql = Builder::about(
            ids.len(),
            "INSERT INTO movie_versions (movie_id, version, change_id, created_at, updated_at) \
             SELECT id, CASE WHEN change_id = ",
        );
        sql.param(change.into());
        sql.push(" THEN version ELSE version + 1 END, ");
        sql.param(change.into());
        sql.push(", created_at, ");
        sql.param(at.as_millis().into());
        // A movie that the same change created leaves no trace.
        sql.push(" FROM movies WHERE NOT (version = 1 AND change_id = ");
        sql.param(change.into());
        sql.push(") AND id IN (");
        sql.list(ids.iter().map(|id| (*id).into()));
        sql.push(")");
        sql.execute(conn).await?;
        let mut sql = Builder::about(ids.len(), "DELETE FROM movie_rows WHERE id IN (");
        sql.list(ids.iter().map(|id| (*id).into()));
        sql.push(")");
        sql.execute(conn).await?;
    }
    Ok(())
}

/// Copies the current versions of movies to `movie_versions` before a change modifies them.
async fn archive(conn: &mut Conn, change: ChangeId, ids: &[MovieId]) -> Result<(), DbError> {
    let mut sql = Builder::about(
        ids.len(),
        concat!(
            "INSERT INTO movie_versions (",
            version!(),
            ", checksum) SELECT ",
            movie!(),
            ", change_id, checksum FROM movies WHERE change_id <> "
        ),
    );
    sql.param(change.into());
    sql.push(" AND id IN (");
    sql.list(ids.iter().map(|id| (*id).into()));
    sql.push(")");
    sql.execute(conn).await?;
    Ok(())
}

/// Reads one movie.
pub async fn get(conn: &mut Conn, id: MovieId) -> Result<Option<Movie>, DbError> {
    const SQL: &str = concat!("SELECT ", movie!(), " FROM movies WHERE id = $1");
    conn.query_opt(SQL, &[id.into()], read).await
}

/// Reads the existing movies with these ids, by id, and locks their rows until the transaction ends. SQLite
/// has a single writer, so it needs no lock.
pub async fn lock(conn: &mut Conn, ids: &[MovieId]) -> Result<Vec<Movie>, DbError> {
    let mut movies = Vec::new();
    for ids in ids.chunks(ROWS_AT_ONCE) {
        let mut sql = Builder::about(ids.len(), concat!("SELECT ", movie!(), " FROM movies WHERE id IN ("));
        sql.list(ids.iter().map(|id| (*id).into()));
        sql.push(") ORDER BY id");
        if let Dialect::Postgres = conn.dialect() {
            sql.push(" FOR UPDATE");
        }
        movies.extend(sql.query(conn, read).await?);
    }
    Ok(movies)
}

/// Locks the rows of all movies that a change modified.
pub async fn lock_touched_by(conn: &mut Conn, change: ChangeId) -> Result<(), DbError> {
    if let Dialect::Postgres = conn.dialect() {
        let sql = "SELECT count(*) FROM (SELECT id FROM movies WHERE id IN (SELECT id FROM movies \
                   WHERE change_id = $1 UNION ALL SELECT movie_id FROM movie_versions WHERE change_id = $1) \
                   ORDER BY id FOR UPDATE) AS touched";
        conn.query(sql, &[change.into()], |_| Ok(())).await?;
    }
    Ok(())
}

/// Reads up to `limit` movies with ids above the given one, by id.
pub async fn page(conn: &mut Conn, above: MovieId, limit: usize) -> Result<Vec<Movie>, DbError> {
    const SQL: &str = concat!("SELECT ", movie!(), " FROM movies WHERE id > $1 ORDER BY id LIMIT $2");
    conn.query(SQL, &[above.into(), number(limit).into()], read).await
}

/// Reads movies that a change created, including those of a staged import.
pub async fn made_by(conn: &mut Conn, change: ChangeId, ids: &[MovieId]) -> Result<Vec<Movie>, DbError> {
    let mut movies = Vec::new();
    for ids in ids.chunks(ROWS_AT_ONCE) {
        let mut sql = Builder::new(concat!("SELECT ", movie!(), " FROM movie_rows WHERE change_id + 0 = "));
        sql.param(change.into());
        sql.push(" AND id IN (");
        sql.list(ids.iter().map(|id| (*id).into()));
        sql.push(")");
        movies.extend(sql.query(conn, read).await?);
    }
    Ok(movies)
}
