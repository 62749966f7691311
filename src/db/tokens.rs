//! SQL of API tokens.

use super::{
    Conn, Credential, DbError, Row,
    log::{WithTail, with_tail},
};
use crate::{
    documents::Token,
    domain::{Role, Time, TokenId, TokenName, UserId, UserName},
};

/// A token found by its secret, with its user.
#[derive(Debug, Clone)]
pub struct Presented {
    pub token: Token,
    pub user_id: UserId,
    pub user_name: UserName,
    pub user_role: Role,
    /// Whether the token was created with a lesser role than its user's.
    pub narrowed: bool,
}

fn read(row: &Row<'_>) -> Result<Token, DbError> {
    Ok(Token {
        id: row.get(0)?,
        name: row.parse(1, TokenName::parse_stored)?,
        role: row.parse(2, Role::parse)?,
        created_at: Time::from_millis(row.get(3)?),
        expires_at: row.get::<Option<i64>>(4)?.map(Time::from_millis),
    })
}

/// Inserts a token of a user. Returns its id.
pub async fn insert(
    conn: &mut Conn,
    user_id: UserId,
    name: &TokenName,
    (role, narrowed): (Role, bool),
    secret_hash: &str,
    now: Time,
    expires_at: Option<Time>,
) -> Result<TokenId, DbError> {
    let sql = "INSERT INTO tokens (user_id, name, role, secret, created_at, expires_at, narrowed) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = [
        user_id.into(),
        name.as_str().into(),
        role.as_str().into(),
        secret_hash.into(),
        now.as_millis().into(),
        expires_at.map(Time::as_millis).into(),
        i64::from(narrowed).into(),
    ];
    conn.insert_one(sql, &params).await.map(TokenId::from_stored)
}

impl Credential for Presented {
    const BY_SECRETS: WithTail = with_tail!(
        [
            "t.id",
            "t.name",
            "t.role",
            "t.created_at",
            "t.expires_at",
            "u.id",
            "u.name",
            "u.role",
            "t.narrowed"
        ],
        "FROM tokens t JOIN users u ON u.id = t.user_id",
        "t.secret"
    );

    fn read(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Self {
            token: read(row)?,
            user_id: row.get(5)?,
            user_name: row.parse(6, UserName::parse)?,
            user_role: row.parse(7, Role::parse)?,
            narrowed: row.get::<i64>(8)? == 1,
        })
    }
}

/// Returns the role of a user's token, or `None` if it was revoked or has expired.
pub async fn role(conn: &mut Conn, id: TokenId, user: &UserName, now: Time) -> Result<Option<Role>, DbError> {
    let sql = "SELECT t.role, u.role FROM tokens t JOIN users u ON u.id = t.user_id \
               WHERE t.id = $1 AND u.name = $2 AND (t.expires_at IS NULL OR t.expires_at > $3)";
    let params = [id.into(), user.as_str().into(), now.as_millis().into()];
    conn.query_opt(sql, &params, |row| Ok(row.parse(0, Role::parse)?.min(row.parse(1, Role::parse)?))).await
}

/// Reads a user's tokens, by id.
pub async fn list(conn: &mut Conn, user_id: UserId) -> Result<Vec<Token>, DbError> {
    let sql = "SELECT id, name, role, created_at, expires_at FROM tokens WHERE user_id = $1 ORDER BY id";
    conn.query(sql, &[user_id.into()], read).await
}

/// Counts a user's tokens.
pub async fn count(conn: &mut Conn, user_id: UserId) -> Result<i64, DbError> {
    let sql = "SELECT count(*) FROM tokens WHERE user_id = $1";
    Ok(conn.query_opt(sql, &[user_id.into()], |row| row.get(0)).await?.unwrap_or(0))
}

/// Deletes all tokens of a user. Returns whether there were any.
pub async fn delete_all(conn: &mut Conn, user_id: UserId) -> Result<bool, DbError> {
    Ok(conn.execute("DELETE FROM tokens WHERE user_id = $1", &[user_id.into()]).await? > 0)
}

/// Deletes a token of a user. Returns whether it existed.
pub async fn delete(conn: &mut Conn, user_id: UserId, id: TokenId) -> Result<bool, DbError> {
    let sql = "DELETE FROM tokens WHERE user_id = $1 AND id = $2";
    Ok(conn.execute(sql, &[user_id.into(), id.into()]).await? == 1)
}
