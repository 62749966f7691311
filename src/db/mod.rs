//! Access to SQLite and PostgreSQL: connections, transactions and queries that are written once for both.
//!
//! A query is one SQL text with `$1`, `$2`, … numbered in order of first appearance, in an `async fn` over
//! [`Conn`]. On SQLite such a function blocks its thread; on PostgreSQL it awaits the driver. A [`WriteTx`]
//! that is dropped without a commit is rolled back.

pub mod backup;
mod blocking;
mod builder;
pub mod changes;
pub mod check;
mod checksum;
mod conn;
mod credentials;
mod database;
pub mod deadline;
mod dialect;
mod error;
mod fragments;
pub mod idempotency;
mod ids;
pub mod log;
mod migrations;
mod movie_columns;
pub mod movies;
mod postgres;
mod retry;
pub mod sessions;
pub mod settle;
mod shared_queries;
mod sqlite;
pub mod staged_imports;
pub mod tokens;
mod unchanged;
pub mod users;
mod value;
pub mod versions;

use self::dialect::Dialect;
pub use self::{
    conn::{Conn, Lock, WriteTx},
    credentials::{Credential, Credentials},
    database::{Db, sqlite_path},
    error::DbError,
    retry::{WriteError, retry_write},
    unchanged::Unchanged,
    value::{Column, Row, Sql, Value},
};
