//! Changes that were copied from another PostgreSQL cluster.

use crate::db::{Conn, DbError, Dialect};

/// On PostgreSQL, the condition that a change is from another cluster.
macro_rules! copied {
    () => {
        "xact >= pg_snapshot_xmax(pg_current_snapshot())"
    };
}

/// Returns whether there are changes from another PostgreSQL cluster, for example copied with `pg_dump`. Such
/// a change has a transaction id that this cluster has not assigned yet.
pub(in crate::db) async fn are_copied(conn: &mut Conn) -> Result<bool, DbError> {
    match conn.dialect() {
        Dialect::Sqlite => Ok(false),
        Dialect::Postgres => {
            // This form lets PostgreSQL read only the end of the log's index.
            const SQL: &str =
                concat!("SELECT 1 FROM changes WHERE ", copied!(), " ORDER BY xact DESC, id DESC LIMIT 1");
            Ok(conn.query_opt(SQL, &[], |_| Ok(())).await?.is_some())
        }
    }
}

/// Moves copied changes, and all before them, to the beginning of the log, in the order of their ids.
pub(in crate::db) async fn put_copied_first(conn: &mut Conn) -> Result<(), DbError> {
    // Includes changes with plausible transaction ids: all up to the last copied one are from the other
    // cluster.
    const SQL: &str = concat!(
        "UPDATE changes SET xact = '0' WHERE xact <> '0' AND id <= (SELECT max(id) FROM changes WHERE ",
        copied!(),
        ")"
    );
    let changes = conn.execute(SQL, &[]).await?;
    tracing::info!(changes, "put changes from another PostgreSQL cluster at the beginning of the log");
    Ok(())
}
