//! SQL of users.

use super::{Conn, DbError, Row};
use crate::{
    documents::User,
    domain::{Role, Time, UserId, UserName},
};

/// A stored user with the password hash. Only password code uses it; other code gets a [`User`].
#[derive(Debug, Clone)]
pub struct StoredUser {
    pub id: UserId,
    pub name: UserName,
    pub role: Role,
    /// Argon2id in the PHC string format.
    pub password_hash: String,
    pub created_at: Time,
}

impl From<StoredUser> for User {
    fn from(StoredUser { name, role, created_at, .. }: StoredUser) -> Self {
        Self { name, role, created_at }
    }
}

fn read(row: &Row<'_>) -> Result<StoredUser, DbError> {
    Ok(StoredUser {
        id: row.get(0)?,
        name: row.parse(1, UserName::parse)?,
        role: row.parse(2, Role::parse)?,
        password_hash: row.get(3)?,
        created_at: Time::from_millis(row.get(4)?),
    })
}

/// Inserts a user.
///
/// # Errors
/// [`DbError::Duplicate`] if the name is taken.
pub async fn insert(
    conn: &mut Conn,
    name: &UserName,
    role: Role,
    password_hash: &str,
    now: Time,
) -> Result<(), DbError> {
    conn.execute(
        "INSERT INTO users (name, name_key, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
        &[
            name.as_str().into(),
            name.key().into(),
            role.as_str().into(),
            password_hash.into(),
            now.as_millis().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Reads the user with a name, ignoring case.
pub async fn by_name(conn: &mut Conn, name: &UserName) -> Result<Option<StoredUser>, DbError> {
    let sql = "SELECT id, name, role, password_hash, created_at FROM users WHERE name_key = $1";
    conn.query_opt(sql, &[name.key().into()], read).await
}

/// Reads all users, by name.
pub async fn list(conn: &mut Conn) -> Result<Vec<User>, DbError> {
    let sql = "SELECT name, role, created_at FROM users ORDER BY name_key";
    let read = |row: &Row<'_>| {
        Ok(User {
            name: row.parse(0, UserName::parse)?,
            role: row.parse(1, Role::parse)?,
            created_at: Time::from_millis(row.get(2)?),
        })
    };
    conn.query(sql, &[], read).await
}

/// Counts the users with a role.
pub async fn count_role(conn: &mut Conn, role: Role) -> Result<i64, DbError> {
    let sql = "SELECT count(*) FROM users WHERE role = $1";
    Ok(conn.query_opt(sql, &[role.as_str().into()], |row| row.get(0)).await?.unwrap_or(0))
}

/// Returns whether there is any user.
pub async fn exist(conn: &mut Conn) -> Result<bool, DbError> {
    Ok(conn.query_opt("SELECT id FROM users LIMIT 1", &[], |row| row.get::<UserId>(0)).await?.is_some())
}

/// Stores a new role.
pub async fn set_role(conn: &mut Conn, id: UserId, role: Role) -> Result<(), DbError> {
    conn.execute("UPDATE users SET role = $1 WHERE id = $2", &[role.as_str().into(), id.into()]).await?;
    Ok(())
}

/// Stores a new password hash.
pub async fn set_password(conn: &mut Conn, id: UserId, password_hash: &str) -> Result<(), DbError> {
    let sql = "UPDATE users SET password_hash = $1 WHERE id = $2";
    conn.execute(sql, &[password_hash.into(), id.into()]).await?;
    Ok(())
}

/// Replaces a hash of the same password, if it is still the given one. Returns whether it was.
pub async fn replace_hash(conn: &mut Conn, id: UserId, present: &str, new: &str) -> Result<bool, DbError> {
    let sql = "UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3";
    Ok(conn.execute(sql, &[new.into(), id.into(), present.into()]).await? == 1)
}

/// Deletes a user with all tokens and sessions.
pub async fn delete(conn: &mut Conn, id: UserId) -> Result<(), DbError> {
    conn.execute("DELETE FROM users WHERE id = $1", &[id.into()]).await?;
    Ok(())
}
