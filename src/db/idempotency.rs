//! SQL of idempotency keys.

use super::{Conn, DbError, Dialect};
use crate::domain::{Time, UserId};

/// Claims a key, unless it was claimed after `expired`. Waits for a transaction that is claiming it at the
/// same time. Returns whether the key was claimed.
pub async fn take(
    conn: &mut Conn,
    user_id: UserId,
    key: &str,
    now: Time,
    expired: Time,
) -> Result<bool, DbError> {
    // Not `DO NOTHING`: that would not lock the row, so it could disappear before its result is read.
    let sql = "INSERT INTO idempotency_keys (user_id, key, created_at) VALUES ($1, $2, $3) \
               ON CONFLICT (user_id, key) DO UPDATE SET result = NULL, created_at = excluded.created_at \
               WHERE idempotency_keys.created_at <= $4";
    let params = [user_id.into(), key.into(), now.as_millis().into(), expired.as_millis().into()];
    Ok(conn.execute(sql, &params).await? == 1)
}

/// Releases a key whose write has no result yet.
pub async fn give_back(conn: &mut Conn, user_id: UserId, key: &str) -> Result<(), DbError> {
    let sql = "DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND result IS NULL";
    conn.execute(sql, &[user_id.into(), key.into()]).await?;
    Ok(())
}

/// Stores the result of a write.
pub async fn keep(conn: &mut Conn, user_id: UserId, key: &str, result: &str) -> Result<(), DbError> {
    let sql = "UPDATE idempotency_keys SET result = $1 WHERE user_id = $2 AND key = $3";
    conn.execute(sql, &[result.into(), user_id.into(), key.into()]).await?;
    Ok(())
}

/// Reads the stored result.
pub async fn result(conn: &mut Conn, user_id: UserId, key: &str) -> Result<Option<String>, DbError> {
    let sql = "SELECT result FROM idempotency_keys WHERE user_id = $1 AND key = $2";
    Ok(conn.query_opt(sql, &[user_id.into(), key.into()], |row| row.get(0)).await?.flatten())
}

/// Deletes some expired keys, the oldest first.
pub async fn remove_expired(conn: &mut Conn, expired: Time) -> Result<(), DbError> {
    let sql = match conn.dialect() {
        Dialect::Sqlite => {
            "DELETE FROM idempotency_keys WHERE rowid IN (SELECT rowid FROM idempotency_keys \
             WHERE created_at <= $1 ORDER BY created_at LIMIT 100)"
        }
        // Skip rows locked by another cleanup, which may take long.
        Dialect::Postgres => {
            "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY (SELECT ctid FROM idempotency_keys \
             WHERE created_at <= $1 ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED))"
        }
    };
    conn.execute(sql, &[expired.as_millis().into()]).await?;
    Ok(())
}
