//! All SQL of a check: rows as they are stored, also such as no movie can be.

use super::{Conn, DbError, Dialect, Row, changes::number, checksum::checksum};
use crate::domain::{Attributes, ChangeId, Invalid, Movie, MovieFormat, MovieId, Time, Title};

/// A version of a movie as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub movie_id: MovieId,
    pub version: i64,
    pub change_id: ChangeId,
    title: Option<String>,
    movie_format: Option<String>,
    numbers: [Option<i64>; 3],
    pub created_at: Time,
    updated_at: Time,
    checksum: Option<i64>,
}

impl Stored {
    /// Whether the movie was deleted by this version.
    #[must_use]
    pub const fn is_deletion(&self) -> bool {
        self.title.is_none()
    }

    /// The movie; none where this is a deletion.
    ///
    /// # Errors
    /// Why it can be none.
    pub fn movie(&self) -> Result<Option<Movie>, String> {
        let invalid = |error: Invalid| error.to_string();
        let (Some(title), Some(movie_format), [Some(length), Some(release_year), Some(rating)]) =
            (&self.title, &self.movie_format, self.numbers)
        else {
            let nothing = (&self.title, &self.movie_format, self.numbers) == (&None, &None, [None; 3]);
            return if nothing { Ok(None) } else { Err("some attributes are missing".to_owned()) };
        };
        let attributes = Attributes {
            title: Title::parse(title).map_err(invalid)?,
            movie_format: MovieFormat::parse(movie_format).map_err(invalid)?,
            length: length.try_into().map_err(invalid)?,
            release_year: release_year.try_into().map_err(invalid)?,
            rating: rating.try_into().map_err(invalid)?,
        };
        if self.checksum.is_some_and(|stored| stored != checksum(self.movie_id, &attributes)) {
            return Err("something else than this program has changed it".to_owned());
        }
        let (id, version) = (self.movie_id, self.version);
        Ok(Some(Movie { id, attributes, version, created_at: self.created_at, updated_at: self.updated_at }))
    }
}

fn read(row: &Row<'_>) -> Result<Stored, DbError> {
    Ok(Stored {
        movie_id: row.get(0)?,
        version: row.get(1)?,
        change_id: row.get(2)?,
        title: row.get(3)?,
        movie_format: row.get(4)?,
        numbers: [row.get(5)?, row.get(6)?, row.get(7)?],
        created_at: Time::from_millis(row.get(8)?),
        updated_at: Time::from_millis(row.get(9)?),
        checksum: row.get(10)?,
    })
}

/// The movies with ids above the given one, by id, at most so many.
///
/// # Errors
/// Those of the database.
pub async fn movies(conn: &mut Conn, above: MovieId, limit: usize) -> Result<Vec<Stored>, DbError> {
    const SQL: &str = "SELECT id, version, change_id, title, movie_format, length, release_year, rating, created_at, \
                       updated_at, checksum FROM movies WHERE id > $1 ORDER BY id LIMIT $2";
    conn.query(SQL, &[above.into(), number(limit).into()], read).await
}

/// The versions of movies that others followed, and the deletions, behind a movie's version, in order, at most so many.
///
/// # Errors
/// Those of the database.
pub async fn versions(
    conn: &mut Conn,
    (movie, version): (MovieId, i64),
    limit: usize,
) -> Result<Vec<Stored>, DbError> {
    const SQL: &str = "SELECT movie_id, version, change_id, title, movie_format, length, release_year, rating, \
                       created_at, updated_at, checksum FROM movie_versions WHERE (movie_id, version) > ($1, $2) \
                       ORDER BY movie_id, version LIMIT $3";
    conn.query(SQL, &[movie.into(), version.into(), number(limit).into()], read).await
}

/// The ids of changes above the given one, each with the number of movies that it touched, at most so many.
///
/// # Errors
/// Those of the database.
pub async fn changes(
    conn: &mut Conn,
    above: ChangeId,
    limit: usize,
) -> Result<Vec<(ChangeId, i64)>, DbError> {
    const SQL: &str = "SELECT id, movies FROM changes WHERE id > $1 ORDER BY id LIMIT $2";
    conn.query(SQL, &[above.into(), number(limit).into()], |row| Ok((row.get(0)?, row.get(1)?))).await
}

/// What SQLite finds wrong with its file, at most so much. PostgreSQL has no such question.
///
/// # Errors
/// Those of the database.
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
