//! Changes that were copied from another PostgreSQL cluster.

use crate::db::{Conn, DbError, Dialect};

/// On PostgreSQL, whether a change is from another cluster.
macro_rules! copied {
    () => {
        "xact >= pg_snapshot_xmax(pg_current_snapshot())"
    };
}

/// Whether there are changes from another PostgreSQL cluster, whose transactions are not under way here: copied by
/// `pg_dump`, for example. What one statement sees is of transactions that had begun before it.
pub(in crate::db) async fn are_copied(conn: &mut Conn) -> Result<bool, DbError> {
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
pub(in crate::db) async fn put_copied_first(conn: &mut Conn) -> Result<(), DbError> {
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
