//! SQL of changes.

use std::collections::HashMap;

use super::{
    Conn, DbError, Row,
    builder::Builder,
    fragments::{change, versions},
    value::number,
};
use crate::{
    documents::Change,
    domain::{ChangeId, ChangeKind, MovieId, Time},
};

/// A change to be inserted.
#[derive(Debug, Clone, Copy)]
pub struct NewChange<'a> {
    pub at: Time,
    pub by: &'a str,
    pub via: &'a str,
    pub kind: ChangeKind,
    pub undoes: Option<ChangeId>,
}

pub(super) fn read_change(row: &Row<'_>) -> Result<Change, DbError> {
    Ok(Change {
        id: row.get(0)?,
        at: Time::from_millis(row.get(1)?),
        by: row.get(2)?,
        via: row.get(3)?,
        kind: row.parse(4, ChangeKind::parse)?.into(),
        movies: row.get(5)?,
        effects: Vec::new(),
        undoes: row.get(6)?,
        undone_by: row.get(7)?,
    })
}

/// Inserts a change with one modified movie. Returns its id.
///
/// # Errors
/// [`DbError::Duplicate`] if another change undoes the same change.
pub async fn insert(conn: &mut Conn, new: &NewChange<'_>) -> Result<ChangeId, DbError> {
    let sql = "INSERT INTO changes (at, user_name, via, kind, movies, undoes) \
               VALUES ($1, $2, $3, $4, 1, $5)";
    let params = [
        new.at.as_millis().into(),
        new.by.into(),
        new.via.into(),
        new.kind.as_str().into(),
        new.undoes.into(),
    ];
    conn.insert_one(sql, &params).await.map(ChangeId::from_stored)
}

/// Counts the movies that a change modified.
pub async fn count_movies(conn: &mut Conn, change: ChangeId) -> Result<i64, DbError> {
    let sql = "SELECT (SELECT count(*) FROM movie_rows WHERE change_id = $1) \
               + (SELECT count(*) FROM movie_versions WHERE change_id = $1)";
    Ok(conn.query(sql, &[change.into()], |row| row.get(0)).await?[0])
}

/// Stores the number of movies that a change modified.
pub async fn set_movies(conn: &mut Conn, change: ChangeId, movies: i64) -> Result<(), DbError> {
    conn.execute("UPDATE changes SET movies = $1 WHERE id = $2", &[movies.into(), change.into()]).await?;
    Ok(())
}

/// Deletes the row of a change that modified nothing.
pub async fn delete(conn: &mut Conn, id: ChangeId) -> Result<(), DbError> {
    conn.execute("DELETE FROM changes WHERE id = $1", &[id.into()]).await?;
    Ok(())
}

/// Reads one change without its effects.
pub async fn get(conn: &mut Conn, id: ChangeId) -> Result<Option<Change>, DbError> {
    const SQL: &str = concat!(change!(), " FROM changes c WHERE c.id = $1");
    conn.query_opt(SQL, &[id.into()], read_change).await
}

/// Reads up to `limit` changes with ids below the given one, newest first, without their effects.
pub async fn list(conn: &mut Conn, below: ChangeId, limit: usize) -> Result<Vec<Change>, DbError> {
    const SQL: &str = concat!(change!(), " FROM changes c WHERE c.id < $1 ORDER BY c.id DESC LIMIT $2");
    conn.query(SQL, &[below.into(), number(limit).into()], read_change).await
}

/// Counts all changes.
pub async fn count(conn: &mut Conn) -> Result<i64, DbError> {
    Ok(conn.query("SELECT count(*) FROM changes", &[], |row| row.get(0)).await?[0])
}

/// Counts the changes that modified a movie.
pub async fn count_of_movie(conn: &mut Conn, movie: MovieId) -> Result<i64, DbError> {
    const SQL: &str = concat!(
        "SELECT count(*) FROM (",
        versions!(),
        " WHERE movie_id = $1) AS versions WHERE EXISTS (SELECT 1 FROM changes c WHERE c.id = change_id)"
    );
    Ok(conn.query(SQL, &[movie.into()], |row| row.get(0)).await?[0])
}

/// Reads changes by id, without their effects.
pub async fn with_ids(conn: &mut Conn, ids: &[ChangeId]) -> Result<HashMap<ChangeId, Change>, DbError> {
    let mut sql = Builder::new(concat!(change!(), " FROM changes c WHERE c.id IN ("));
    sql.list(ids.iter().map(|id| (*id).into()));
    sql.push(")");
    let changes = if ids.is_empty() { Vec::new() } else { sql.query(conn, read_change).await? };
    Ok(changes.into_iter().map(|change| (change.id, change)).collect())
}

/// Finds the later changes of movies that this change modified. Each comes with the id of the change that it
/// undoes.
pub async fn later(
    conn: &mut Conn,
    change: ChangeId,
) -> Result<HashMap<ChangeId, Option<ChangeId>>, DbError> {
    let sql = "SELECT later.change_id, c.undoes FROM (SELECT now.change_id FROM movie_versions made \
               JOIN movies now ON now.id = made.movie_id AND now.version > made.version \
               WHERE made.change_id = $1 UNION SELECT next.change_id FROM movie_versions made \
               JOIN movie_versions next ON next.movie_id = made.movie_id AND next.version > made.version \
               WHERE made.change_id = $1) AS later LEFT JOIN changes c ON c.id = later.change_id";
    let later = conn.query(sql, &[change.into()], |row| Ok((row.get(0)?, row.get(1)?))).await?;
    Ok(later.into_iter().collect())
}

/// Returns the first change at or after a time. If there is none, returns the id behind the last change.
pub async fn first_since(conn: &mut Conn, at: Time) -> Result<ChangeId, DbError> {
    let sql = "SELECT coalesce((SELECT min(id) FROM changes WHERE at >= $1), \
               (SELECT max(id) + 1 FROM changes), 0)";
    Ok(conn.query(sql, &[at.as_millis().into()], |row| row.get(0)).await?[0])
}

/// Deletes the oldest changes below an id, with the versions that no other change needs. One call deletes
/// changes with at most `movies` modified movies in total, but at least one change. Returns their number, 0
/// when none is left.
pub async fn prune(conn: &mut Conn, below: ChangeId, movies: i64) -> Result<u64, DbError> {
    let sql = "SELECT id, movies FROM changes WHERE id < $1 ORDER BY id LIMIT $2";
    let oldest = conn
        .query(sql, &[below.into(), movies.into()], |row| Ok((row.get::<ChangeId>(0)?, row.get::<i64>(1)?)))
        .await?;
    let Some((first, _)) = oldest.first() else { return Ok(0) };
    let mut touched = 0;
    let mut last = *first;
    for (id, of_change) in &oldest {
        touched += of_change;
        if touched > movies && id != first {
            break;
        }
        last = *id;
    }
    // A version is needed by the change that created it and by the one that replaced it. The latter can have
    // the lower id if both ran at the same time. A last deletion is needed only by its own change. All
    // deletes are one statement: after one of them, the next could not find its rows any more.
    let sql = "DELETE FROM movie_versions WHERE (movie_id, version) IN (\
               SELECT now.id, now.version - 1 FROM movies now WHERE now.change_id BETWEEN $1 AND $2 \
               UNION ALL SELECT later.movie_id, later.version - 1 FROM movie_versions later \
               WHERE later.change_id BETWEEN $1 AND $2 \
               UNION ALL SELECT made.movie_id, made.version FROM movie_versions made \
               WHERE made.change_id BETWEEN $1 AND $2 AND (\
               EXISTS (SELECT 1 FROM movies now WHERE now.id = made.movie_id \
               AND now.version = made.version + 1 AND now.change_id < $1) \
               OR EXISTS (SELECT 1 FROM movie_versions later WHERE later.movie_id = made.movie_id \
               AND later.version = made.version + 1 AND later.change_id < $1)) \
               UNION ALL SELECT gone.movie_id, gone.version FROM movie_versions gone \
               WHERE gone.change_id BETWEEN $1 AND $2 AND gone.title IS NULL \
               AND NOT EXISTS (SELECT 1 FROM movies now WHERE now.id = gone.movie_id) \
               AND NOT EXISTS (SELECT 1 FROM movie_versions later WHERE later.movie_id = gone.movie_id \
               AND later.version > gone.version)) AND change_id <= $2";
    conn.execute(sql, &[(*first).into(), last.into()]).await?;
    conn.execute("DELETE FROM changes WHERE id <= $1", &[last.into()]).await
}
