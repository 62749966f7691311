//! Schema migrations at start: forward only, in one transaction, by one process at a time.

use sha2::{Digest, Sha256};

use super::{Conn, Db, DbError, Dialect, Lock, log, retry_write};
use crate::domain::{Time, hex};

/// A migration, the same on both databases. A released migration never changes.
struct Migration {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

impl Migration {
    const fn sql(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    /// The SHA-256 of its SQL, in hexadecimal.
    fn checksum(&self, dialect: Dialect) -> String {
        hex(&Sha256::digest(self.sql(dialect)))
    }
}

macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        &[$(Migration {
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }),+]
    };
}

const MIGRATIONS: &[Migration] = migrations![
    "0001_movies",
    "0002_users",
    "0003_history",
    "0004_idempotency",
    "0005_imports",
    "0006_narrowed_tokens",
    "0007_catalogue",
    "0008_checksums",
    "0009_step_checksums",
    "0010_fast_checks",
];

/// Since this migration the database stores the checksums of all migrations.
const STEP_CHECKSUMS: &str = "0009_step_checksums";

/// Runs the pending migrations. Returns their names.
pub(super) async fn run(db: &Db) -> Result<Vec<&'static str>, DbError> {
    retry_write(|| run_once(db)).await
}

async fn run_once(db: &Db) -> Result<Vec<&'static str>, DbError> {
    if pending(&mut db.read().await?).await?.is_empty() {
        // The usual start: do not wait for a long write of another process.
        if log::are_copied(&mut db.read().await?).await? {
            let mut tx = db.write().await?;
            tx.conn().allow_long_statements().await?;
            tx.conn().lock(Lock::Migrations).await?;
            log::put_copied_first(tx.conn()).await?;
            tx.commit().await?;
        }
        return Ok(Vec::new());
    }
    let mut tx = db.write().await?;
    tx.conn().allow_long_statements().await?;
    tx.conn().lock(Lock::Migrations).await?;
    let pending = pending(tx.conn()).await?;
    tx.conn().batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied_at BIGINT NOT NULL)",
    )
    .await?;
    let dialect = tx.conn().dialect();
    for migration in pending {
        tx.conn().batch(migration.sql(dialect)).await?;
        tx.conn()
            .execute(
                "INSERT INTO schema_migrations (name, applied_at) VALUES ($1, $2)",
                &[migration.name.into(), Time::now().as_millis().into()],
            )
            .await?;
    }
    for migration in MIGRATIONS {
        let sql = "UPDATE schema_migrations SET checksum = $1 WHERE name = $2 AND checksum IS NULL";
        tx.conn().execute(sql, &[migration.checksum(dialect).into(), migration.name.into()]).await?;
    }
    tx.commit().await?;
    Ok(pending.iter().map(|migration| migration.name).collect())
}

/// Returns whether the database has no tables.
pub(super) async fn is_empty(db: &Db) -> Result<bool, DbError> {
    Ok(tables(&mut db.read().await?).await?.is_empty())
}

/// Returns the pending migrations.
///
/// # Errors
/// [`DbError::Refused`] if the tables belong to another program, a migration is unknown, or a checksum
/// differs.
async fn pending(conn: &mut Conn) -> Result<&'static [Migration], DbError> {
    let tables = tables(conn).await?;
    if tables.is_empty() {
        return Ok(MIGRATIONS);
    }
    if !tables.iter().any(|table| table == "schema_migrations") {
        return Err(foreign());
    }
    let applied = conn
        .query("SELECT name FROM schema_migrations ORDER BY name", &[], |row| row.get::<String>(0))
        .await?;
    let known = applied.iter().zip(MIGRATIONS).all(|(applied, ours)| applied == ours.name);
    if !known || applied.len() > MIGRATIONS.len() {
        return Err(DbError::Refused(
            "the database was written by a newer version of this program; use that version".to_owned(),
        ));
    }
    if applied.iter().any(|name| name == STEP_CHECKSUMS) {
        check_checksums(conn).await?;
    }
    Ok(&MIGRATIONS[applied.len()..])
}

async fn check_checksums(conn: &mut Conn) -> Result<(), DbError> {
    let sql = "SELECT name, checksum FROM schema_migrations ORDER BY name";
    let applied = conn.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?))).await?;
    let dialect = conn.dialect();
    let mut steps = applied.into_iter().zip(MIGRATIONS);
    match steps.find(|((_, checksum), ours)| *checksum != ours.checksum(dialect)) {
        None => Ok(()),
        Some(((name, _), _)) => Err(DbError::Refused(format!(
            "the database was created with another {name} than this program has; use the program that created it"
        ))),
    }
}

async fn tables(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let tables = match conn.dialect() {
        Dialect::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table'",
        Dialect::Postgres => "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()",
    };
    conn.query(tables, &[], |row| row.get::<String>(0)).await
}

/// The error for a database of another program.
pub(super) fn foreign() -> DbError {
    DbError::Refused("the database has the tables of another program; nothing was changed".to_owned())
}
