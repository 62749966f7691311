//! SQL of movie versions, and of the effects of changes.

use std::collections::HashMap;

use super::{
    Conn, DbError, Row,
    builder::Builder,
    fragments::versions,
    movie_columns::{ATTRIBUTES, MOVIE, count_nulls, read_from, version},
    value::number,
};
use crate::{
    documents::Effect,
    domain::{ChangeId, Movie, MovieId},
};

/// A version of a movie, as created by one change.
#[derive(Debug, Clone)]
pub struct Version {
    pub movie_id: MovieId,
    pub version: i64,
    pub change_id: ChangeId,
    /// `None` if the change deleted the movie.
    pub movie: Option<Movie>,
}

pub(super) fn read_version(row: &Row<'_>) -> Result<Version, DbError> {
    let is_deletion = count_nulls(row, 1)? == ATTRIBUTES;
    let movie = if is_deletion { None } else { Some(read_from(row, 0)?) };
    Ok(Version {
        movie_id: row.get(0)?,
        version: row.get(1 + ATTRIBUTES)?,
        change_id: row.get(MOVIE)?,
        movie,
    })
}

/// Reads up to `limit` versions that a change created, by movie id, for movies with ids above the given one.
pub async fn of_change(
    conn: &mut Conn,
    change: ChangeId,
    above: MovieId,
    limit: usize,
) -> Result<Vec<Version>, DbError> {
    const SQL: &str =
        concat!(versions!(), " WHERE change_id = $1 AND movie_id > $2 ORDER BY movie_id LIMIT $3");
    conn.query(SQL, &[change.into(), above.into(), number(limit).into()], read_version).await
}

/// Reads all versions that these changes created, by change and movie id.
pub async fn of_changes(conn: &mut Conn, changes: &[ChangeId]) -> Result<Vec<Version>, DbError> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Builder::new(concat!(versions!(), " WHERE change_id IN ("));
    sql.list(changes.iter().map(|id| (*id).into()));
    sql.push(") ORDER BY change_id, movie_id");
    sql.query(conn, read_version).await
}

/// Reads up to `limit` versions of a movie below the given version, latest first. Versions whose change was
/// pruned are left out.
pub async fn of_movie(
    conn: &mut Conn,
    movie: MovieId,
    below: i64,
    limit: usize,
) -> Result<Vec<Version>, DbError> {
    const SQL: &str = concat!(
        versions!(),
        " WHERE movie_id = $1 AND version < $2 AND EXISTS (SELECT 1 FROM changes c WHERE c.id = change_id) \
         ORDER BY version DESC LIMIT $3"
    );
    conn.query(SQL, &[movie.into(), below.into(), number(limit).into()], read_version).await
}

/// Pairs each version with its predecessor to get the effects of the changes.
pub async fn effects(conn: &mut Conn, versions: Vec<Version>) -> Result<Vec<(ChangeId, Effect)>, DbError> {
    const BATCH_VERSIONS: usize = 500;

    let mut before: HashMap<MovieId, HashMap<i64, Movie>> = HashMap::new();
    let followers: Vec<&Version> = versions.iter().filter(|version| version.version > 1).collect();
    for followers in followers.chunks(BATCH_VERSIONS) {
        // A predecessor is always in `movie_versions`. The join on a list of values uses its index.
        let mut sql = Builder::new(concat!("SELECT ", version!(), " FROM (VALUES "));
        for (n, version) in followers.iter().enumerate() {
            sql.push(if n == 0 { "(" } else { ", (" });
            sql.list([version.movie_id.into(), (version.version - 1).into()]);
            sql.push(")");
        }
        sql.push(") AS wanted JOIN movie_versions ON movie_id = wanted.column1 AND version = wanted.column2");
        for version in sql.query(conn, read_version).await? {
            if let Some(movie) = version.movie {
                before.entry(version.movie_id).or_default().insert(version.version, movie);
            }
        }
    }
    let effect = |version: Version| {
        let id = version.movie_id;
        let before = before.get_mut(&id).and_then(|versions| versions.remove(&(version.version - 1)));
        (version.change_id, Effect { movie_id: id, before, after: version.movie })
    };
    Ok(versions.into_iter().map(effect).collect())
}
