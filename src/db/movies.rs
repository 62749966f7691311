//! All SQL about movies.

use super::{Conn, DbError, Dialect, Row, builder::Builder, changes::number, checksum::checksum};
use crate::domain::{Attributes, ChangeId, Movie, MovieFormat, MovieId, Time, Title};

pub(super) const COLUMNS: &str =
    "id, title, movie_format, length, release_year, rating, version, created_at, updated_at";

/// Rows in one statement: few enough for the parameters that both databases allow.
const ROWS_AT_ONCE: usize = 500;

pub(super) fn read(row: &Row<'_>) -> Result<Movie, DbError> {
    read_from(row, 0)
}

/// Reads a movie from [`COLUMNS`] that begin at a position.
pub(super) fn read_from(row: &Row<'_>, first: usize) -> Result<Movie, DbError> {
    Ok(Movie {
        id: row.get(first)?,
        attributes: Attributes {
            title: row.parse(first + 1, Title::parse)?,
            movie_format: row.parse(first + 2, MovieFormat::parse)?,
            length: row.number(first + 3)?,
            release_year: row.number(first + 4)?,
            rating: row.number(first + 5)?,
        },
        version: row.get(first + 6)?,
        created_at: Time::from_millis(row.get(first + 7)?),
        updated_at: Time::from_millis(row.get(first + 8)?),
    })
}

/// Hands out ids that no movie ever had. Those of a transaction that is rolled back may be handed out
/// again.
///
/// # Errors
/// Those of the database.
pub async fn reserve_ids(conn: &mut Conn, count: usize) -> Result<Vec<MovieId>, DbError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    // SQLite has no sequences. With its one writer, a counter in a row holds nobody up.
    let sql = match conn.dialect() {
        Dialect::Sqlite => "UPDATE movie_ids SET next = next + $1 RETURNING next - $1",
        Dialect::Postgres => "SELECT nextval('movie_ids') FROM generate_series(CAST(1 AS BIGINT), $1)",
    };
    let ids = conn.query(sql, &[count.into()], |row| row.get::<i64>(0)).await?;
    Ok(match conn.dialect() {
        Dialect::Sqlite => {
            ids.into_iter().flat_map(|first| first..first + count).map(MovieId::from_stored).collect()
        }
        Dialect::Postgres => ids.into_iter().map(MovieId::from_stored).collect(),
    })
}

/// Stores movies that are not there, under the ids they bear.
///
/// # Errors
/// Those of the database; [`DbError::Duplicate`] for an id that is in use.
pub async fn insert(conn: &mut Conn, change: ChangeId, movies: &[Movie]) -> Result<(), DbError> {
    let made: Vec<_> = movies.iter().map(|movie| (change, movie)).collect();
    insert_made(conn, &made).await
}

/// Stores movies that are not there, under the ids they bear, each with the change that made it.
///
/// # Errors
/// Those of [`insert`].
pub async fn insert_made(conn: &mut Conn, movies: &[(ChangeId, &Movie)]) -> Result<(), DbError> {
    let rows = movies.iter().map(|(change, movie)| {
        let a = &movie.attributes;
        [
            movie.id.into(),
            a.title.as_str().into(),
            a.movie_format.as_str().into(),
            a.length.get().into(),
            a.release_year.get().into(),
            a.rating.get().into(),
            movie.version.into(),
            movie.created_at.as_millis().into(),
            movie.updated_at.as_millis().into(),
            (*change).into(),
            checksum(movie.id, a).into(),
        ]
    });
    let into = "movie_rows (id, title, movie_format, length, release_year, rating, version, \
                created_at, updated_at, change_id, checksum)";
    conn.insert(into, &rows.collect::<Vec<_>>()).await
}

/// Gives movies, each as it is and as it is to be, other attributes, and returns how many of them were
/// there. Their versions rise by one, but not again where the same change touches them again.
///
/// # Errors
/// Those of the database.
pub async fn update(conn: &mut Conn, change: ChangeId, movies: &[(Movie, Movie)]) -> Result<u64, DbError> {
    let mut found = 0;
    for movies in movies.chunks(ROWS_AT_ONCE) {
        let ids: Vec<MovieId> = movies.iter().map(|(_, movie)| movie.id).collect();
        archive(conn, change, &ids).await?;
        let mut sql = Builder::about(movies.len(), "UPDATE movie_rows SET version = CASE WHEN change_id = ");
        sql.param(change.into());
        sql.push(" THEN version ELSE version + 1 END, change_id = ");
        sql.param(change.into());
        sql.push(
            ", title = new.column2, movie_format = new.column3, length = new.column4, \
             release_year = new.column5, rating = new.column6, updated_at = new.column7, checksum = new.column8 \
             FROM (VALUES ",
        );
        for (n, (_, movie)) in movies.iter().enumerate() {
            let a = &movie.attributes;
            sql.push(if n == 0 { "(" } else { ", (" });
            sql.list([
                movie.id.into(),
                a.title.as_str().into(),
                a.movie_format.as_str().into(),
                a.length.get().into(),
                a.release_year.get().into(),
                a.rating.get().into(),
                movie.updated_at.as_millis().into(),
                checksum(movie.id, a).into(),
            ]);
            sql.push(")");
        }
        sql.push(") AS new WHERE id = new.column1");
        found += sql.execute(conn).await?;
    }
    Ok(found)
}

/// Deletes movies.
///
/// # Errors
/// Those of the database.
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
        // What came and went in one change was never there.
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

/// Keeps what movies are before a change makes something else of them.
async fn archive(conn: &mut Conn, change: ChangeId, ids: &[MovieId]) -> Result<(), DbError> {
    let mut sql = Builder::about(
        ids.len(),
        "INSERT INTO movie_versions (movie_id, version, change_id, title, movie_format, length, \
         release_year, rating, created_at, updated_at, checksum) SELECT id, version, change_id, title, \
         movie_format, length, release_year, rating, created_at, updated_at, checksum FROM movies \
         WHERE change_id <> ",
    );
    sql.param(change.into());
    sql.push(" AND id IN (");
    sql.list(ids.iter().map(|id| (*id).into()));
    sql.push(")");
    sql.execute(conn).await?;
    Ok(())
}

/// One movie.
///
/// # Errors
/// Those of the database.
pub async fn get(conn: &mut Conn, id: MovieId) -> Result<Option<Movie>, DbError> {
    const SQL: &str = "SELECT id, title, movie_format, length, release_year, rating, version, created_at, \
                       updated_at FROM movies WHERE id = $1";
    conn.query_opt(SQL, &[id.into()], read).await
}

/// Those of the movies with these ids that are there, by id; nobody else changes them until the
/// transaction ends. On SQLite there is one writer anyway.
///
/// # Errors
/// Those of the database.
pub async fn lock(conn: &mut Conn, ids: &[MovieId]) -> Result<Vec<Movie>, DbError> {
    let mut movies = Vec::new();
    for ids in ids.chunks(ROWS_AT_ONCE) {
        let mut sql = Builder::about(ids.len(), format!("SELECT {COLUMNS} FROM movies WHERE id IN ("));
        sql.list(ids.iter().map(|id| (*id).into()));
        sql.push(") ORDER BY id");
        if let Dialect::Postgres = conn.dialect() {
            sql.push(" FOR UPDATE");
        }
        movies.extend(sql.query(conn, read).await?);
    }
    Ok(movies)
}

/// Sees to it that nobody else changes the movies that a change touched.
///
/// # Errors
/// Those of the database.
pub async fn lock_touched_by(conn: &mut Conn, change: ChangeId) -> Result<(), DbError> {
    if let Dialect::Postgres = conn.dialect() {
        let sql = "SELECT count(*) FROM (SELECT id FROM movies WHERE id IN (SELECT id FROM movies \
                   WHERE change_id = $1 UNION ALL SELECT movie_id FROM movie_versions WHERE change_id = $1) \
                   ORDER BY id FOR UPDATE) AS touched";
        conn.query(sql, &[change.into()], |_| Ok(())).await?;
    }
    Ok(())
}

/// The movies with ids above the given one, by id, at most so many.
///
/// # Errors
/// Those of the database.
pub async fn page(conn: &mut Conn, above: MovieId, limit: usize) -> Result<Vec<Movie>, DbError> {
    const SQL: &str = "SELECT id, title, movie_format, length, release_year, rating, version, created_at, \
                       updated_at FROM movies WHERE id > $1 ORDER BY id LIMIT $2";
    conn.query(SQL, &[above.into(), number(limit).into()], read).await
}

/// Those of the movies with these ids that a change has made, also where nobody else sees them yet.
///
/// # Errors
/// Those of the database.
pub async fn made_by(conn: &mut Conn, change: ChangeId, ids: &[MovieId]) -> Result<Vec<Movie>, DbError> {
    let mut movies = Vec::new();
    for ids in ids.chunks(ROWS_AT_ONCE) {
        let mut sql = Builder::new(format!("SELECT {COLUMNS} FROM movie_rows WHERE change_id + 0 = "));
        sql.param(change.into());
        sql.push(" AND id IN (");
        sql.list(ids.iter().map(|id| (*id).into()));
        sql.push(")");
        movies.extend(sql.query(conn, read).await?);
    }
    Ok(movies)
}
