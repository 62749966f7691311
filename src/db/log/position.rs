//! Places in the log.

use crate::{
    db::{
        Conn, DbError, Dialect, Value,
        fragments::{id_of_place, settled, transaction},
    },
    domain::ChangeId,
};

/// A place in the log of changes, in the order in which they were committed.
///
/// PostgreSQL hands out ids before the commit, so that a lower one can become visible after a higher
/// one. There the transaction comes first, and a change counts only when no older transaction is
/// under way any more: then nothing can come before it. On SQLite only a long import has its id before
/// the commit, at which it is given another one for its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition {
    pub(in crate::db) transaction: i64,
    pub(in crate::db) id: i64,
}

impl LogPosition {
    /// Whether this is of a transaction of this PostgreSQL cluster, and neither restored nor of SQLite.
    #[must_use]
    pub const fn is_of_transaction(self) -> bool {
        self.transaction > 0
    }
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

async fn read_place(
    conn: &mut Conn,
    sql: &'static str,
    params: &[Value<'_>],
) -> Result<LogPosition, DbError> {
    let place =
        conn.query_opt(sql, params, |row| Ok(LogPosition { transaction: row.get(0)?, id: row.get(1)? }));
    Ok(place.await?.unwrap_or_default())
}
