//! Positions in the log.

use crate::{
    db::{
        Conn, DbError, Dialect, Value,
        fragments::{id_of_place, settled, transaction},
    },
    domain::ChangeId,
};

/// A log position: changes sorted in the order of their commits.
///
/// PostgreSQL assigns ids before the commit, so a lower id can become visible after a higher one. There,
/// changes are sorted by transaction id first. A change is *settled* when no older transaction is running, so
/// that no other can come before it. On SQLite only a staged import gets its id before the commit; publishing
/// it assigns a new position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition {
    pub(in crate::db) transaction: i64,
    pub(in crate::db) id: i64,
}

impl LogPosition {
    /// Returns whether the change was made by a transaction of this PostgreSQL cluster: not restored, not on
    /// SQLite.
    #[must_use]
    pub const fn is_of_transaction(self) -> bool {
        self.transaction > 0
    }
}

/// Returns the end of the log.
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

/// Returns the last change of the log, or 0.
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

/// Returns the position of a change. If the change was pruned, returns where it would be.
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

/// Returns whether changes behind this one may have been pruned. Pruning deletes the changes with the lowest ids.
pub async fn is_pruned_behind(conn: &mut Conn, id: ChangeId) -> Result<bool, DbError> {
    let first: Option<ChangeId> = conn.query("SELECT min(id) FROM changes", &[], |row| row.get(0)).await?[0];
    Ok(first.map_or(id > ChangeId::BEFORE_ALL, |first| first.get() - 1 > id.get()))
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
