//! All SQL about changes of the collection, and about what movies were before them.

use std::collections::{HashMap, HashSet};

use super::{
    Conn, DbError, Dialect, Row, Value,
    builder::Builder,
    fragments::{change, id_of_place, place, settled, settled_number, transaction, versions},
    movie_columns::{ATTRIBUTES, MOVIE, count_nulls, read_from, version},
};
use crate::{
    documents::{Change, Effect},
    domain::{ChangeId, ChangeKind, Movie, MovieId, Time},
};

/// A change that begins.
#[derive(Debug, Clone, Copy)]
pub struct NewChange<'a> {
    pub at: Time,
    pub by: &'a str,
    pub via: &'a str,
    pub kind: ChangeKind,
    pub undoes: Option<ChangeId>,
}

/// A version of a movie: what one change made of it.
#[derive(Debug, Clone)]
pub struct Version {
    pub movie_id: MovieId,
    pub version: i64,
    pub change_id: ChangeId,
    /// None where the change was its deletion.
    pub movie: Option<Movie>,
}

fn read_change(row: &Row<'_>) -> Result<Change, DbError> {
    Ok(Change {
        id: row.get(0)?,
        at: Time::from_millis(row.get(1)?),
        by: row.get(2)?,
        via: row.get(3)?,
        kind: row.parse(4, ChangeKind::parse)?,
        movies: row.get(5)?,
        effects: Vec::new(),
        undoes: row.get(6)?,
        undone_by: row.get(7)?,
    })
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

/// Writes a change down, as one that touches one movie, and returns its id.
///
/// # Errors
/// Those of the database; [`DbError::Duplicate`] where another change undoes the same.
pub async fn insert(conn: &mut Conn, new: &NewChange<'_>) -> Result<ChangeId, DbError> {
    let sql = "INSERT INTO changes (at, user_name, via, kind, movies, undoes) \
               VALUES ($1, $2, $3, $4, 1, $5) RETURNING id";
    let params = [
        new.at.as_millis().into(),
        new.by.into(),
        new.via.into(),
        new.kind.as_str().into(),
        new.undoes.into(),
    ];
    let ids = conn.query(sql, &params, |row| row.get(0)).await?;
    Ok(ids[0])
}

/// Counts the movies that a change touched.
pub async fn count_movies(conn: &mut Conn, change: ChangeId) -> Result<i64, DbError> {
    let sql = "SELECT (SELECT count(*) FROM movie_rows WHERE change_id = $1) \
               + (SELECT count(*) FROM movie_versions WHERE change_id = $1)";
    Ok(conn.query(sql, &[change.into()], |row| row.get(0)).await?[0])
}

/// Writes down how many movies a change touched.
pub async fn set_movies(conn: &mut Conn, change: ChangeId, movies: i64) -> Result<(), DbError> {
    conn.execute("UPDATE changes SET movies = $1 WHERE id = $2", &[movies.into(), change.into()]).await?;
    Ok(())
}

/// Takes back that a change was written down, which changed nothing.
pub async fn delete(conn: &mut Conn, id: ChangeId) -> Result<(), DbError> {
    conn.execute("DELETE FROM changes WHERE id = $1", &[id.into()]).await?;
    Ok(())
}

/// One change, without its effects.
pub async fn get(conn: &mut Conn, id: ChangeId) -> Result<Option<Change>, DbError> {
    const SQL: &str = concat!(change!(), " FROM changes c WHERE c.id = $1");
    conn.query_opt(SQL, &[id.into()], read_change).await
}

/// The changes with ids below the given one, newest first, up to `limit`, without their effects.
pub async fn list(conn: &mut Conn, below: ChangeId, limit: usize) -> Result<Vec<Change>, DbError> {
    const SQL: &str = concat!(change!(), " FROM changes c WHERE c.id < $1 ORDER BY c.id DESC LIMIT $2");
    conn.query(SQL, &[below.into(), number(limit).into()], read_change).await
}

/// How many changes there are.
pub async fn count(conn: &mut Conn) -> Result<i64, DbError> {
    Ok(conn.query("SELECT count(*) FROM changes", &[], |row| row.get(0)).await?[0])
}

/// How many changes touched a movie.
pub async fn count_of_movie(conn: &mut Conn, movie: MovieId) -> Result<i64, DbError> {
    const SQL: &str = concat!(
        "SELECT count(*) FROM (",
        versions!(),
        " WHERE movie_id = $1) AS versions WHERE EXISTS (SELECT 1 FROM changes c WHERE c.id = change_id)"
    );
    Ok(conn.query(SQL, &[movie.into()], |row| row.get(0)).await?[0])
}

/// The changes with these ids, without their effects.
pub async fn with_ids(conn: &mut Conn, ids: &[ChangeId]) -> Result<HashMap<ChangeId, Change>, DbError> {
    let mut sql = Builder::new(concat!(change!(), " FROM changes c WHERE c.id IN ("));
    sql.list(ids.iter().map(|id| (*id).into()));
    sql.push(")");
    let changes = if ids.is_empty() { Vec::new() } else { sql.query(conn, read_change).await? };
    Ok(changes.into_iter().map(|change| (change.id, change)).collect())
}

/// What a change made of the movies with ids above the given one, by movie id, up to `limit`.
pub async fn versions_by(
    conn: &mut Conn,
    change: ChangeId,
    above: MovieId,
    limit: usize,
) -> Result<Vec<Version>, DbError> {
    const SQL: &str =
        concat!(versions!(), " WHERE change_id = $1 AND movie_id > $2 ORDER BY movie_id LIMIT $3");
    conn.query(SQL, &[change.into(), above.into(), number(limit).into()], read_version).await
}

/// What these changes made, all of it, by change and movie id.
pub async fn versions_by_any(conn: &mut Conn, changes: &[ChangeId]) -> Result<Vec<Version>, DbError> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Builder::new(concat!(versions!(), " WHERE change_id IN ("));
    sql.list(changes.iter().map(|id| (*id).into()));
    sql.push(") ORDER BY change_id, movie_id");
    sql.query(conn, read_version).await
}

/// The versions of a movie below the given one whose changes are still known, the latest first, at
/// most so many.
pub async fn versions_of(
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

/// What the changes did: each version with the one before it.
pub async fn effects(conn: &mut Conn, versions: Vec<Version>) -> Result<Vec<(ChangeId, Effect)>, DbError> {
    const BATCH_VERSIONS: usize = 500;

    let mut before: HashMap<MovieId, HashMap<i64, Movie>> = HashMap::new();
    let followers: Vec<&Version> = versions.iter().filter(|version| version.version > 1).collect();
    for followers in followers.chunks(BATCH_VERSIONS) {
        // What another version followed is there alone; and so asked for, an index finds it.
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

/// The changes that made something else of what this one made, each with the change that it undoes.
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

/// The first change at a moment or after it; where there is none, behind the last one.
pub async fn first_since(conn: &mut Conn, at: Time) -> Result<ChangeId, DbError> {
    let sql = "SELECT coalesce((SELECT min(id) FROM changes WHERE at >= $1), \
               (SELECT max(id) + 1 FROM changes), 0)";
    Ok(conn.query(sql, &[at.as_millis().into()], |row| row.get(0)).await?[0])
}

/// Removes the oldest changes below one, and what only they need; tells how many changes these were, 0 at the end. It is
/// as many as touch so many movies together, and at least one.
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
    // A version is needed as long as the change that made it stays, or the one that followed, which is an older one where
    // two were under way at once; the last deletion as long as itself.
    // All of them go in one statement: without those that follow, the others could not be told.
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

/// A place in the log of changes, in the order in which they were committed.
///
/// PostgreSQL hands out ids before the commit, so that a lower one can become visible after a higher
/// one. There the transaction comes first, and a change counts only when no older transaction is
/// under way any more: then nothing can come before it. On SQLite only a long import has its id before
/// the commit, at which it is given another one for its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition {
    pub(super) transaction: i64,
    pub(super) id: i64,
}

impl LogPosition {
    /// Whether this is of a transaction of this PostgreSQL cluster, and neither restored nor of SQLite.
    #[must_use]
    pub const fn is_of_transaction(self) -> bool {
        self.transaction > 0
    }
}

/// The changes behind a place, up to `limit`, without their effects; and whether there are more
/// that are committed, but do not count yet.
pub async fn since(
    conn: &mut Conn,
    place: LogPosition,
    limit: usize,
) -> Result<(Vec<(LogPosition, Change)>, bool), DbError> {
    let sql = match conn.dialect() {
        Dialect::Sqlite => concat!(
            change!(),
            ", 0, ",
            id_of_place!(),
            ", 1 FROM changes c WHERE 0 = $1 AND ",
            id_of_place!(),
            " > $2 ORDER BY ",
            id_of_place!(),
            " LIMIT $3"
        ),
        Dialect::Postgres => concat!(
            change!(),
            ", ",
            transaction!(),
            ", c.id, ",
            settled_number!(),
            " FROM changes c WHERE (c.xact, c.id) > ",
            place!(),
            " ORDER BY c.xact, c.id LIMIT $3"
        ),
    };
    let rows = conn
        .query(sql, &[place.transaction.into(), place.id.into(), number(limit).into()], |row| {
            let place = LogPosition { transaction: row.get(8)?, id: row.get(9)? };
            let settled = row.get::<i64>(10)? == 1;
            Ok((place, read_change(row)?, settled))
        })
        .await?;
    let held_back = rows.iter().any(|(_, _, settled)| !settled);
    let settled = rows.into_iter().take_while(|(_, _, settled)| *settled);
    Ok((settled.map(|(place, change, _)| (place, change)).collect(), held_back))
}

/// What is in the log, for those who want to know no more than what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    pub place: LogPosition,
    pub id: ChangeId,
    pub at: Time,
    /// How many movies the change touched.
    pub movies: i64,
    /// Whether none can come before it any more.
    pub settled: bool,
}

/// The changes at a place and behind it, up to `limit`, also those that do not count yet.
pub async fn from(conn: &mut Conn, place: LogPosition, limit: usize) -> Result<Vec<Logged>, DbError> {
    let sql = match conn.dialect() {
        Dialect::Sqlite => concat!(
            "SELECT 0, ",
            id_of_place!(),
            ", c.id, c.at, c.movies, 1 FROM changes c WHERE 0 = $1 AND ",
            id_of_place!(),
            " >= $2 ORDER BY ",
            id_of_place!(),
            " LIMIT $3"
        ),
        Dialect::Postgres => concat!(
            "SELECT ",
            transaction!(),
            ", c.id, c.id, c.at, c.movies, ",
            settled_number!(),
            " FROM changes c WHERE (c.xact, c.id) >= ",
            place!(),
            " ORDER BY c.xact, c.id LIMIT $3"
        ),
    };
    conn.query(sql, &[place.transaction.into(), place.id.into(), number(limit).into()], |row| {
        Ok(Logged {
            place: LogPosition { transaction: row.get(0)?, id: row.get(1)? },
            id: row.get(2)?,
            at: Time::from_millis(row.get(3)?),
            movies: row.get(4)?,
            settled: row.get::<i64>(5)? == 1,
        })
    })
    .await
}

/// The end of the log.
pub async fn end(conn: &mut Conn) -> Result<LogPosition, DbError> {
    let sql = match conn.dialect() {
        Dialect::Sqlite => concat!(
            "SELECT 0, ",
            id_of_place!(),
            " FROM changes c ORDER BY ",
            id_of_place!(),
            " DESC LIMIT 1"
        ),
        Dialect::Postgres => concat!(
            "SELECT ",
            transaction!(),
            ", c.id FROM changes c WHERE ",
            settled!(),
            " ORDER BY c.xact DESC, c.id DESC LIMIT 1"
        ),
    };
    read_place(conn, sql, &[]).await
}

/// The change at the end of the log; 0 where there is none.
pub async fn newest(conn: &mut Conn) -> Result<ChangeId, DbError> {
    let sql = match conn.dialect() {
        Dialect::Sqlite => {
            concat!("SELECT c.id FROM changes c ORDER BY ", id_of_place!(), " DESC LIMIT 1")
        }
        Dialect::Postgres => concat!(
            "SELECT c.id FROM changes c WHERE ",
            settled!(),
            " ORDER BY c.xact DESC, c.id DESC LIMIT 1"
        ),
    };
    Ok(conn.query_opt(sql, &[], |row| row.get(0)).await?.unwrap_or(ChangeId::BEFORE_ALL))
}

/// The changes behind a place that are committed, whether they count yet or not.
pub async fn committed_behind(conn: &mut Conn, place: LogPosition) -> Result<HashSet<ChangeId>, DbError> {
    let sql = match conn.dialect() {
        Dialect::Sqlite => {
            concat!("SELECT c.id FROM changes c WHERE 0 = $1 AND ", id_of_place!(), " > $2")
        }
        Dialect::Postgres => {
            concat!("SELECT c.id FROM changes c WHERE (c.xact, c.id) > ", place!())
        }
    };
    let ids = conn.query(sql, &[place.transaction.into(), place.id.into()], |row| row.get(0)).await?;
    Ok(ids.into_iter().collect())
}

/// The place of a change, or where it would be if it were still there.
pub async fn place_of(conn: &mut Conn, id: ChangeId) -> Result<LogPosition, DbError> {
    let sql = match conn.dialect() {
        Dialect::Sqlite => concat!(
            "SELECT 0, ",
            id_of_place!(),
            " FROM changes c WHERE c.id = $1 OR (c.id < $1 AND c.place IS NULL) ORDER BY c.id DESC LIMIT 1"
        ),
        Dialect::Postgres => concat!(
            "SELECT ",
            transaction!(),
            ", c.id FROM changes c WHERE c.id <= $1 ORDER BY c.id DESC LIMIT 1"
        ),
    };
    read_place(conn, sql, &[id.into()]).await
}

/// On PostgreSQL, whether a change is from another cluster.
macro_rules! copied {
    () => {
        "xact >= pg_snapshot_xmax(pg_current_snapshot())"
    };
}

/// Whether there are changes from another PostgreSQL cluster, whose transactions are not under way here: copied by
/// `pg_dump`, for example. What one statement sees is of transactions that had begun before it.
pub(super) async fn are_copied(conn: &mut Conn) -> Result<bool, DbError> {
    match conn.dialect() {
        Dialect::Sqlite => Ok(false),
        Dialect::Postgres => {
            // Told so, PostgreSQL looks at the end of the index of the log.
            const SQL: &str =
                concat!("SELECT 1 FROM changes WHERE ", copied!(), " ORDER BY xact DESC, id DESC LIMIT 1");
            Ok(conn.query_opt(SQL, &[], |_| Ok(())).await?.is_some())
        }
    }
}

/// Puts copied changes, and all before them, at the beginning of the log, in the order of their ids.
pub(super) async fn put_copied_first(conn: &mut Conn) -> Result<(), DbError> {
    // Also those whose transactions seem to fit: all up to the last that was copied come from there.
    const SQL: &str = concat!(
        "UPDATE changes SET xact = '0' WHERE xact <> '0' AND id <= (SELECT max(id) FROM changes WHERE ",
        copied!(),
        ")"
    );
    let changes = conn.execute(SQL, &[]).await?;
    tracing::info!(changes, "put changes from another PostgreSQL cluster at the beginning of the log");
    Ok(())
}

async fn read_place(
    conn: &mut Conn,
    sql: &'static str,
    params: &[Value<'_>],
) -> Result<LogPosition, DbError> {
    let place =
        conn.query_opt(sql, params, |row| Ok(LogPosition { transaction: row.get(0)?, id: row.get(1)? }));
    Ok(place.await?.unwrap_or_default())
}

pub(super) fn number(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
