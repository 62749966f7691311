//! SQL of staged imports: long imports on SQLite whose movies are hidden until all are stored.

use super::{Conn, DbError, Dialect, changes::NewChange};
use crate::domain::ChangeId;

/// Hides a change and all movies that it creates, until [`publish`].
pub async fn stage(conn: &mut Conn, change: ChangeId) -> Result<(), DbError> {
    conn.execute("DELETE FROM changes WHERE id = $1", &[change.into()]).await?;
    conn.execute("INSERT INTO staged_imports (change_id) VALUES ($1)", &[change.into()]).await?;
    Ok(())
}

/// Publishes a staged import as the latest change. Deletes the change if it created no movies.
pub async fn publish(conn: &mut Conn, id: ChangeId, new: &NewChange<'_>, movies: i64) -> Result<(), DbError> {
    forget(conn, id).await?;
    if movies == 0 {
        return Ok(());
    }
    // If other changes were made meanwhile, the import gets a position behind them.
    let sql = "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'changes' AND seq > $1 RETURNING seq";
    let place = conn.query_opt(sql, &[id.into()], |row| row.get::<i64>(0)).await?;
    let sql = "INSERT INTO changes (id, at, user_name, via, kind, movies, place) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = [
        id.into(),
        new.at.as_millis().into(),
        new.by.into(),
        new.via.into(),
        new.kind.as_str().into(),
        movies.into(),
        place.into(),
    ];
    conn.execute(sql, &params).await?;
    Ok(())
}

/// Returns the staged imports.
pub async fn staged(conn: &mut Conn) -> Result<Vec<ChangeId>, DbError> {
    match conn.dialect() {
        Dialect::Sqlite => conn.query("SELECT change_id FROM staged_imports", &[], |row| row.get(0)).await,
        Dialect::Postgres => Ok(Vec::new()),
    }
}

/// Returns whether an import is still staged. A restore removes staged imports.
pub async fn is_staged(conn: &mut Conn, change: ChangeId) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM staged_imports WHERE change_id = $1";
    Ok(conn.query_opt(sql, &[change.into()], |_| Ok(())).await?.is_some())
}

/// Deletes up to `limit` movies of a staged import. Returns their number.
pub async fn remove(conn: &mut Conn, change: ChangeId, limit: i64) -> Result<u64, DbError> {
    let sql = "DELETE FROM movie_rows WHERE id IN (SELECT id FROM movie_rows WHERE change_id = \
               (SELECT change_id FROM staged_imports WHERE change_id = $1) ORDER BY id LIMIT $2)";
    conn.execute(sql, &[change.into(), limit.into()]).await
}

/// Deletes the record of a staged import that was published or emptied.
pub async fn forget(conn: &mut Conn, change: ChangeId) -> Result<(), DbError> {
    conn.execute("DELETE FROM staged_imports WHERE change_id = $1", &[change.into()]).await?;
    Ok(())
}

/// Deletes the records of all staged imports, after their movies were deleted.
pub async fn forget_all(conn: &mut Conn) -> Result<(), DbError> {
    if let Dialect::Sqlite = conn.dialect() {
        conn.execute("DELETE FROM staged_imports", &[]).await?;
    }
    Ok(())
}
