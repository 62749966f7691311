//! PostgreSQL: a connection pool.

mod address;
mod check;
mod client;
mod connect;
mod pool;
mod tls;

pub(super) use client::Client;
pub(super) use pool::Postgres;
use pool::{Object, Pool};
