//! SQL of backup and restore: a snapshot that is read in batches, and the tables that a restore replaces.

use super::{
    Conn, Db, DbError, Dialect, Lock, Row, Value,
    builder::Builder,
    checksum::checksum,
    conn::roll_back,
    movie_columns::{self, ATTRIBUTES, MOVIE, attribute_values, movie, no_attribute_values, version},
    movies, staged_imports,
    value::number,
    versions,
};
use crate::{
    backup::{Change, Deletion, Entry, LastIds, Made, Noun, Token, User},
    domain::{ChangeId, ChangeKind, Movie, MovieId, Role, Time, TokenName, UserName},
};

/// The tables that a restore empties, in the order in which writers lock them. Referencing tables come before
/// the tables they refer to.
const TABLES: [&str; 7] =
    ["idempotency_keys", "changes", "movie_rows", "movie_versions", "tokens", "sessions", "users"];

/// A consistent snapshot of the database. It does not block writers, however long it is open.
pub struct Snapshot(Option<Conn>);

impl Snapshot {
    /// Opens a snapshot on a connection for short reads.
    pub async fn begin(db: &Db) -> Result<Self, DbError> {
        Self::begin_on(db.read().await?).await
    }

    /// Opens a snapshot for a read that may take minutes.
    pub async fn begin_long(db: &Db) -> Result<Self, DbError> {
        let mut snapshot = Self::begin_on(db.read_long().await?).await?;
        snapshot.conn().allow_long_statements().await?;
        Ok(snapshot)
    }

    async fn begin_on(conn: Conn) -> Result<Self, DbError> {
        let mut snapshot = Self(Some(conn));
        let begin = match snapshot.conn().dialect() {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        snapshot.conn().batch(begin).await?;
        Ok(snapshot)
    }

    /// Returns the connection of the snapshot.
    ///
    /// # Panics
    /// Never: a snapshot has a connection until it is dropped.
    pub fn conn(&mut self) -> &mut Conn {
        self.0.as_mut().expect("a snapshot has a connection until it ends")
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            roll_back(conn);
        }
    }
}

/// Reads up to `limit` rows of one kind behind a sort key, in order.
pub async fn page(
    snapshot: &mut Snapshot,
    noun: Noun,
    (id, version): (i64, i64),
    limit: usize,
) -> Result<Vec<Entry>, DbError> {
    type Read = fn(&Row<'_>) -> Result<Entry, DbError>;
    let (sql, read): (_, Read) = match noun {
        Noun::User => (
            "SELECT id, name, role, password_hash, created_at FROM users WHERE id > $1 ORDER BY id LIMIT $2",
            read_user,
        ),
        Noun::Token => (
            "SELECT id, user_id, name, role, secret, created_at, expires_at, narrowed FROM tokens \
             WHERE id > $1 ORDER BY id LIMIT $2",
            read_token,
        ),
        Noun::Change => (
            "SELECT id, at, user_name, via, kind, movies, undoes FROM changes \
             WHERE id > $1 ORDER BY id LIMIT $2",
            read_change,
        ),
        Noun::Movie => (
            concat!("SELECT ", movie!(), ", change_id FROM movies WHERE id > $1 ORDER BY id LIMIT $2"),
            |row| Ok(Entry::Movie(Made { change: row.get(MOVIE)?, movie: movie_columns::read(row)? })),
        ),
        Noun::MovieVersion => (
            concat!(
                "SELECT ",
                version!(),
                " FROM movie_versions WHERE (movie_id, version) > ($1, $2) ORDER BY movie_id, version LIMIT $3"
            ),
            read_version,
        ),
    };
    let place = if noun == Noun::MovieVersion { vec![id.into(), version.into()] } else { vec![id.into()] };
    snapshot.conn().query(sql, &[place, vec![number(limit).into()]].concat(), read).await
}

fn read_user(row: &Row<'_>) -> Result<Entry, DbError> {
    Ok(Entry::User(User {
        id: row.get(0)?,
        name: row.parse(1, UserName::parse)?,
        role: row.parse(2, Role::parse)?,
        password_hash: row.get(3)?,
        created_at: Time::from_millis(row.get(4)?),
    }))
}

fn read_token(row: &Row<'_>) -> Result<Entry, DbError> {
    Ok(Entry::Token(Token {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.parse(2, TokenName::parse_stored)?,
        role: row.parse(3, Role::parse)?,
        secret_hash: row.get(4)?,
        created_at: Time::from_millis(row.get(5)?),
        expires_at: row.get::<Option<i64>>(6)?.map(Time::from_millis),
        narrowed: row.get::<i64>(7)? == 1,
    }))
}

fn read_change(row: &Row<'_>) -> Result<Entry, DbError> {
    Ok(Entry::Change(Change {
        id: row.get(0)?,
        at: Time::from_millis(row.get(1)?),
        by: row.get(2)?,
        via: row.get(3)?,
        kind: row.parse(4, ChangeKind::parse)?,
        movies: row.get(5)?,
        undoes: row.get(6)?,
    }))
}

fn read_version(row: &Row<'_>) -> Result<Entry, DbError> {
    let version = versions::read_version(row)?;
    Ok(match version.movie {
        Some(movie) => Entry::MovieVersion(Made { change: version.change_id, movie }),
        None => Entry::Deletion(Deletion {
            change: version.change_id,
            movie_id: version.movie_id,
            version: version.version,
            created_at: Time::from_millis(row.get(ATTRIBUTES + 2)?),
            updated_at: Time::from_millis(row.get(ATTRIBUTES + 3)?),
        }),
    })
}

/// Reads the last id that each table has handed out.
pub async fn last_ids(conn: &mut Conn) -> Result<LastIds, DbError> {
    let (movies, of): (_, fn(&str) -> String) = match conn.dialect() {
        Dialect::Sqlite => ("SELECT next - 1 FROM movie_ids".to_owned(), |table| {
            format!("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = '{table}'")
        }),
        Dialect::Postgres => (last_of("movie_ids"), |table| last_of(&format!("{table}_id_seq"))),
    };
    let (changes, users, tokens) = (of("changes"), of("users"), of("tokens"));
    let sql = format!("SELECT ({movies}), ({changes}), ({users}), ({tokens})");
    let ids = conn.query(sql, &[], |row| {
        Ok(LastIds { movies: row.get(0)?, changes: row.get(1)?, users: row.get(2)?, tokens: row.get(3)? })
    });
    Ok(ids.await?[0])
}

fn last_of(sequence: &str) -> String {
    format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")
}

/// Raises the id counters to at least these values.
pub async fn raise_last_ids(conn: &mut Conn, ids: &LastIds) -> Result<(), DbError> {
    let tables = [("changes", ids.changes.get()), ("users", ids.users.get()), ("tokens", ids.tokens.get())];
    match conn.dialect() {
        Dialect::Sqlite => {
            let sql = "UPDATE movie_ids SET next = max(next, $1 + 1)";
            conn.execute(sql, &[ids.movies.into()]).await?;
            for (table, last) in tables {
                let sql = "UPDATE sqlite_sequence SET seq = max(seq, $1) WHERE name = $2";
                if conn.execute(sql, &[last.into(), table.into()]).await? == 0 {
                    let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
                    conn.execute(sql, &[table.into(), last.into()]).await?;
                }
            }
        }
        Dialect::Postgres => {
            let sequences = tables.map(|(table, last)| (format!("{table}_id_seq"), last));
            for (sequence, last) in sequences.into_iter().chain([("movie_ids".to_owned(), ids.movies.get())])
            {
                let sql = format!(
                    "SELECT setval('{sequence}', greatest($1, last_value)) FROM {sequence} WHERE $1 > 0"
                );
                conn.query(sql, &[last.into()], |_| Ok(())).await?;
            }
        }
    }
    Ok(())
}

/// Blocks all other writers until the transaction ends. SQLite has a single writer, so it needs no lock.
pub async fn lock(conn: &mut Conn) -> Result<(), DbError> {
    conn.lock(Lock::Imports).await?;
    conn.lock(Lock::Many).await?;
    conn.lock(Lock::Users).await?;
    if conn.dialect() == Dialect::Postgres {
        conn.batch(&format!("LOCK TABLE {} IN EXCLUSIVE MODE", TABLES.join(", "))).await?;
    }
    Ok(())
}

/// Returns whether there are no movies, changes and users.
pub async fn is_empty(conn: &mut Conn) -> Result<bool, DbError> {
    let sql = "SELECT CAST(1 AS BIGINT) WHERE EXISTS (SELECT 1 FROM movies) \
               OR EXISTS (SELECT 1 FROM changes) OR EXISTS (SELECT 1 FROM users)";
    Ok(conn.query_opt(sql, &[], |_| Ok(())).await?.is_none())
}

/// Deletes all rows, but keeps the id counters.
pub async fn clear(conn: &mut Conn) -> Result<(), DbError> {
    for table in TABLES {
        conn.execute(format!("DELETE FROM {table}"), &[]).await?;
    }
    staged_imports::forget_all(conn).await
}

/// Inserts rows with their ids, sorted by kind.
///
/// # Errors
/// [`DbError::Duplicate`] if an id exists already.
pub async fn insert(conn: &mut Conn, entries: &[Entry]) -> Result<(), DbError> {
    // PostgreSQL rejects explicit ids in identity columns without this clause.
    let (own_ids, place, first) = match conn.dialect() {
        Dialect::Sqlite => ("", "", ""),
        // Restored changes come before all positions that event streams have seen, so none is sent as new.
        Dialect::Postgres => ("OVERRIDING SYSTEM VALUE ", ", xact", ", '0'"),
    };
    let users = entries.iter().filter_map(|entry| match entry {
        Entry::User(user) => Some(user_row(user)),
        _ => None,
    });
    let into = format!("users (id, name, name_key, role, password_hash, created_at) {own_ids}");
    insert_rows(conn, &into, "", users).await?;

    let tokens = entries.iter().filter_map(|entry| match entry {
        Entry::Token(token) => Some(token_row(token)),
        _ => None,
    });
    let into =
        format!("tokens (id, user_id, name, role, secret, created_at, expires_at, narrowed) {own_ids}");
    insert_rows(conn, &into, "", tokens).await?;

    let changes = entries.iter().filter_map(|entry| match entry {
        Entry::Change(change) => Some(change_row(change)),
        _ => None,
    });
    let into = format!("changes (id, at, user_name, via, kind, movies, undoes{place}) {own_ids}");
    insert_rows(conn, &into, first, changes).await?;

    let movies = entries.iter().filter_map(|entry| match entry {
        Entry::Movie(made) => Some((made.change, &made.movie)),
        _ => None,
    });
    movies::insert_made(conn, &movies.collect::<Vec<_>>()).await?;

    let versions = entries.iter().filter_map(|entry| match entry {
        Entry::MovieVersion(made) => Some(version_row(made)),
        Entry::Deletion(deletion) => Some(deletion_row(deletion)),
        _ => None,
    });
    let into = concat!("movie_versions (", version!(), ", checksum) ");
    insert_rows(conn, into, "", versions).await
}

async fn insert_rows<'a>(
    conn: &mut Conn,
    into: &str,
    last: &str,
    rows: impl Iterator<Item = Vec<Value<'a>>>,
) -> Result<(), DbError> {
    let mut sql = Builder::new(format!("INSERT INTO {into}VALUES "));
    let mut separator = "(";
    for row in rows {
        sql.push(separator);
        sql.list(row);
        sql.push(last);
        sql.push(")");
        separator = ", (";
    }
    if separator == "(" {
        return Ok(());
    }
    sql.execute(conn).await?;
    Ok(())
}

fn user_row(user: &User) -> Vec<Value<'_>> {
    vec![
        user.id.into(),
        user.name.as_str().into(),
        user.name.key().into(),
        user.role.as_str().into(),
        user.password_hash.as_str().into(),
        user.created_at.as_millis().into(),
    ]
}

fn token_row(token: &Token) -> Vec<Value<'_>> {
    vec![
        token.id.into(),
        token.user_id.into(),
        token.name.as_str().into(),
        token.role.as_str().into(),
        token.secret_hash.as_str().into(),
        token.created_at.as_millis().into(),
        token.expires_at.map(Time::as_millis).into(),
        i64::from(token.narrowed).into(),
    ]
}

fn change_row(change: &Change) -> Vec<Value<'_>> {
    vec![
        change.id.into(),
        change.at.as_millis().into(),
        change.by.as_str().into(),
        change.via.as_str().into(),
        change.kind.as_str().into(),
        change.movies.into(),
        change.undoes.into(),
    ]
}

fn version_row(Made { change, movie }: &Made) -> Vec<Value<'_>> {
    let Movie { id, attributes, version, created_at, updated_at } = movie;
    let checksum = Some(checksum(*id, attributes));
    row((*id, *version, *change), attribute_values(attributes), (*created_at, *updated_at), checksum)
}

fn deletion_row(deletion: &Deletion) -> Vec<Value<'_>> {
    let Deletion { change, movie_id, version, created_at, updated_at } = deletion;
    row((*movie_id, *version, *change), no_attribute_values(), (*created_at, *updated_at), None)
}

fn row(
    (id, version, change): (MovieId, i64, ChangeId),
    attributes: [Value<'_>; ATTRIBUTES],
    (created_at, updated_at): (Time, Time),
    checksum: Option<i64>,
) -> Vec<Value<'_>> {
    let mut row = vec![id.into()];
    row.extend(attributes);
    row.extend([version.into(), created_at.as_millis().into(), updated_at.as_millis().into()]);
    row.extend([change.into(), checksum.into()]);
    row
}
