//! SQL of `reelshelf check`: reads stored rows, including invalid ones.

use super::{
    Conn, DbError, Dialect, Row,
    checksum::checksum,
    movie_columns::{ATTRIBUTES, MOVIE, count_nulls, movie, read_from, version},
    value::number,
};
use crate::domain::{ChangeId, Movie, MovieId, Time};

/// A version of a movie as stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub movie_id: MovieId,
    pub version: i64,
    pub change_id: ChangeId,
    pub created_at: Time,
    /// The movie, `None` for a deletion, or the reason why the row is invalid.
    movie: Result<Option<Movie>, String>,
    checksum: Option<i64>,
}

impl Stored {
    /// Returns whether this version is a deletion.
    #[must_use]
    pub const fn is_deletion(&self) -> bool {
        matches!(self.movie, Ok(None))
    }

    /// Returns the movie, or `None` for a deletion.
    ///
    /// # Errors
    /// The reason why the row is invalid, or that its checksum does not match.
    pub fn movie(&self) -> Result<Option<Movie>, String> {
        let movie = self.movie.clone()?;
        let is_ours = |movie: &Movie| {
            self.checksum.is_none_or(|stored| stored == checksum(movie.id, &movie.attributes))
        };
        if movie.as_ref().is_none_or(is_ours) {
            return Ok(movie);
        }
        Err("another program has changed it".to_owned())
    }
}

fn read(row: &Row<'_>) -> Result<Stored, DbError> {
    let movie = match count_nulls(row, 1)? {
        0 => match read_from(row, 0) {
            Ok(movie) => Ok(Some(movie)),
            Err(DbError::Failed(error)) => Err(error.to_string()),
            Err(error) => return Err(error),
        },
        ATTRIBUTES => Ok(None),
        _ => Err("some attributes are missing".to_owned()),
    };
    Ok(Stored {
        movie_id: row.get(0)?,
        version: row.get(1 + ATTRIBUTES)?,
        change_id: row.get(MOVIE)?,
        created_at: Time::from_millis(row.get(2 + ATTRIBUTES)?),
        movie,
        checksum: row.get(MOVIE + 1)?,
    })
}

/// Reads up to `limit` movies with ids above the given one, by id.
pub async fn movies(conn: &mut Conn, above: MovieId, limit: usize) -> Result<Vec<Stored>, DbError> {
    const SQL: &str =
        concat!("SELECT ", movie!(), ", change_id, checksum FROM movies WHERE id > $1 ORDER BY id LIMIT $2");
    conn.query(SQL, &[above.into(), number(limit).into()], read).await
}

/// Reads up to `limit` earlier versions and deletions behind a movie id and version, in order.
pub async fn versions(
    conn: &mut Conn,
    (movie, version): (MovieId, i64),
    limit: usize,
) -> Result<Vec<Stored>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        version!(),
        ", checksum FROM movie_versions WHERE (movie_id, version) > ($1, $2) ORDER BY movie_id, version LIMIT $3"
    );
    conn.query(SQL, &[movie.into(), version.into(), number(limit).into()], read).await
}

/// Reads up to `limit` changes with ids above the given one: their ids and numbers of modified movies.
pub async fn changes(
    conn: &mut Conn,
    above: ChangeId,
    limit: usize,
) -> Result<Vec<(ChangeId, i64)>, DbError> {
    const SQL: &str = "SELECT id, movies FROM changes WHERE id > $1 ORDER BY id LIMIT $2";
    conn.query(SQL, &[above.into(), number(limit).into()], |row| Ok((row.get(0)?, row.get(1)?))).await
}

/// Runs SQLite's integrity check. PostgreSQL has no equivalent.
pub async fn damage(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let Dialect::Sqlite = conn.dialect() else { return Ok(Vec::new()) };
    let mut found = conn.query("PRAGMA integrity_check(100)", &[], |row| row.get::<String>(0)).await?;
    found.retain(|line| line != "ok");
    let dangling = |row: &Row<'_>| {
        let (from, to): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of {from} refers to one of {to} that is not there"))
    };
    found.extend(conn.query("PRAGMA foreign_key_check", &[], dangling).await?);
    Ok(found)
}
