//! The entries of the log behind a position.

use std::collections::HashSet;

use super::LogPosition;
use crate::{
    db::{
        Conn, DbError, Dialect,
        changes::read_change,
        fragments::{change, id_of_place, place, settled_number, transaction},
        value::number,
    },
    documents::Change,
    domain::{ChangeId, Time},
};

/// Reads up to `limit` settled changes behind a position, without their effects. Also returns whether
/// committed changes exist that are not settled yet.
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

/// A log entry without the details of the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry {
    pub place: LogPosition,
    pub id: ChangeId,
    pub at: Time,
    /// The number of movies that the change modified.
    pub movies: i64,
    /// Whether no other change can come before this one any more.
    pub settled: bool,
}

/// Reads up to `limit` changes from a position on, settled or not.
pub async fn from(conn: &mut Conn, place: LogPosition, limit: usize) -> Result<Vec<LogEntry>, DbError> {
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
        Ok(LogEntry {
            place: LogPosition { transaction: row.get(0)?, id: row.get(1)? },
            id: row.get(2)?,
            at: Time::from_millis(row.get(3)?),
            movies: row.get(4)?,
            settled: row.get::<i64>(5)? == 1,
        })
    })
    .await
}

/// Returns the committed changes behind a position, settled or not.
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
