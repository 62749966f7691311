//! SQL of browser sessions.

use super::{
    Conn, Credential, DbError, Row,
    log::{WithTail, with_tail},
};
use crate::domain::{Role, SessionId, Time, UserId, UserName};

/// A stored session, without the hash of its cookie.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    /// The client's address at sign-in.
    pub address: String,
    /// The `User-Agent` header at sign-in.
    pub user_agent: String,
    pub created_at: Time,
    pub seen_at: Time,
}

/// A session is valid if its last use and its beginning are later than these times.
#[derive(Debug, Clone, Copy)]
pub struct ValidAfter {
    pub seen: Time,
    pub created: Time,
}

/// A session found by its cookie, with its user.
#[derive(Debug, Clone)]
pub struct Presented {
    pub session: Session,
    pub user_id: UserId,
    pub user_name: UserName,
    pub user_role: Role,
}

impl Session {
    /// Returns whether the session has not expired.
    #[must_use]
    pub fn is_valid(&self, after: ValidAfter) -> bool {
        self.seen_at > after.seen && self.created_at > after.created
    }
}

fn read(row: &Row<'_>) -> Result<Session, DbError> {
    Ok(Session {
        id: row.get(0)?,
        address: row.get(1)?,
        user_agent: row.get(2)?,
        created_at: Time::from_millis(row.get(3)?),
        seen_at: Time::from_millis(row.get(4)?),
    })
}

/// Inserts a session of a user. Returns its id.
pub async fn insert(
    conn: &mut Conn,
    user_id: UserId,
    secret_hash: &str,
    address: &str,
    user_agent: &str,
    now: Time,
) -> Result<SessionId, DbError> {
    let sql = "INSERT INTO sessions (user_id, secret, address, user_agent, created_at, seen_at) \
               VALUES ($1, $2, $3, $4, $5, $5)";
    let params =
        [user_id.into(), secret_hash.into(), address.into(), user_agent.into(), now.as_millis().into()];
    conn.insert_one(sql, &params).await.map(SessionId::from_stored)
}

impl Credential for Presented {
    const BY_SECRETS: WithTail = with_tail!(
        ["s.id", "s.address", "s.user_agent", "s.created_at", "s.seen_at", "u.id", "u.name", "u.role"],
        "FROM sessions s JOIN users u ON u.id = s.user_id",
        "s.secret"
    );

    fn read(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Self {
            session: read(row)?,
            user_id: row.get(5)?,
            user_name: row.parse(6, UserName::parse)?,
            user_role: row.parse(7, Role::parse)?,
        })
    }
}

/// Returns the role of a user, if this session of the user exists and has not expired.
pub async fn role(
    conn: &mut Conn,
    id: SessionId,
    user: &UserName,
    after: ValidAfter,
) -> Result<Option<Role>, DbError> {
    let sql = "SELECT u.role FROM sessions s JOIN users u ON u.id = s.user_id \
               WHERE s.id = $1 AND u.name = $2 AND s.seen_at > $3 AND s.created_at > $4";
    let (seen, created) = (after.seen.as_millis(), after.created.as_millis());
    let params = [id.into(), user.as_str().into(), seen.into(), created.into()];
    conn.query_opt(sql, &params, |row| row.parse(0, Role::parse)).await
}

/// Stores the time of the last use.
pub async fn touch(conn: &mut Conn, id: SessionId, now: Time) -> Result<(), DbError> {
    let sql = "UPDATE sessions SET seen_at = $1 WHERE id = $2";
    conn.execute(sql, &[now.as_millis().into(), id.into()]).await?;
    Ok(())
}

/// Reads a user's valid sessions, last used first.
pub async fn list(conn: &mut Conn, user_id: UserId, after: ValidAfter) -> Result<Vec<Session>, DbError> {
    conn.query(
        "SELECT id, address, user_agent, created_at, seen_at FROM sessions \
         WHERE user_id = $1 AND seen_at > $2 AND created_at > $3 ORDER BY seen_at DESC, id DESC",
        &[user_id.into(), after.seen.as_millis().into(), after.created.as_millis().into()],
        read,
    )
    .await
}

/// Deletes a session of a user. Returns whether it existed.
pub async fn delete(conn: &mut Conn, user_id: UserId, id: SessionId) -> Result<bool, DbError> {
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND id = $2";
    Ok(conn.execute(sql, &[user_id.into(), id.into()]).await? == 1)
}

/// Deletes the session with a secret hash. Returns its id and its user.
pub async fn delete_by_secret(
    conn: &mut Conn,
    secret_hash: &str,
) -> Result<Option<(SessionId, UserName)>, DbError> {
    let sql = "DELETE FROM sessions WHERE secret = $1 \
               RETURNING id, (SELECT u.name FROM users u WHERE u.id = user_id)";
    conn.query_opt(sql, &[secret_hash.into()], |row| Ok((row.get(0)?, row.parse(1, UserName::parse)?))).await
}

/// Deletes all sessions of a user, except one if given.
pub async fn delete_all(conn: &mut Conn, user_id: UserId, kept: Option<SessionId>) -> Result<(), DbError> {
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
    let kept = kept.unwrap_or(SessionId::BEFORE_ALL); // no session has this id
    conn.execute(sql, &[user_id.into(), kept.into()]).await?;
    Ok(())
}

/// Deletes expired sessions.
pub async fn delete_expired(conn: &mut Conn, after: ValidAfter) -> Result<(), DbError> {
    let sql = "DELETE FROM sessions WHERE seen_at <= $1 OR created_at <= $2";
    conn.execute(sql, &[after.seen.as_millis().into(), after.created.as_millis().into()]).await?;
    Ok(())
}

/// Deletes all but the `kept` last used sessions of a user. Returns the deleted ids.
pub async fn delete_all_but_latest(
    conn: &mut Conn,
    user_id: UserId,
    kept: i64,
) -> Result<Vec<SessionId>, DbError> {
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND id NOT IN (SELECT id FROM sessions \
               WHERE user_id = $1 ORDER BY seen_at DESC, id DESC LIMIT $2) RETURNING id";
    conn.query(sql, &[user_id.into(), kept.into()], |row| row.get(0)).await
}
