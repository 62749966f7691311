//! The connection pool.

use std::sync::Arc;

use deadpool::managed::{self, PoolError};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::{sync::Semaphore, time::timeout_at};
use tokio_postgres::AsyncMessage;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Client, address::Address, connect::Connector, tls};
use crate::{
    db::{DbError, deadline},
    limits::{MAX_DATABASE_CONNECTIONS, MAX_DATABASE_WRITE_CONNECTIONS},
};

/// The notification channel that announces new changes to other instances.
const CHANNEL: &str = "reelshelf_changes";

pub type Pool = managed::Pool<Connector>;
pub type Object = managed::Object<Connector>;

pub struct Postgres {
    pool: Pool,
    /// Permits for writes and long work, so that connections stay free for short reads.
    writers: Arc<Semaphore>,
}

impl Postgres {
    /// Parses the address and creates the pool. The first use connects.
    pub fn open(address: &str) -> Result<Self, DbError> {
        let address = Address::parse(address)?;
        let tls = MakeRustlsConnect::new(tls::config(&address.trust)?);
        let pool = Pool::builder(Connector::new(address, tls)).max_size(MAX_DATABASE_CONNECTIONS);
        let pool = pool.build().map_err(|error| DbError::Failed(Arc::new(error)))?;
        Ok(Self { pool, writers: Arc::new(Semaphore::new(MAX_DATABASE_WRITE_CONNECTIONS)) })
    }

    /// Returns a connection for reads, by the request's deadline.
    pub async fn read(&self) -> Result<Client, DbError> {
        Ok(Client::new(self.get().await?, self.pool.clone(), None))
    }

    /// Returns a connection for writes or long work, by the request's deadline.
    pub async fn write(&self) -> Result<Client, DbError> {
        let permit = match timeout_at(deadline::current(), self.writers.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(closed)) => return Err(DbError::Unavailable(closed.to_string())),
            Err(_) => return Err(DbError::Unavailable("too many write at once".to_owned())),
        };
        Ok(Client::new(self.get().await?, self.pool.clone(), Some(permit)))
    }

    pub(super) async fn get(&self) -> Result<Object, DbError> {
        match timeout_at(deadline::current(), Box::pin(self.pool.get())).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(error)) => Err(DbError::Unavailable(error.to_string())),
            Err(_) => Err(DbError::Unavailable("no connection was free in time".to_owned())),
        }
    }

    pub fn close(&self) {
        self.pool.close();
    }

    /// Sends a notification without a payload. It may be lost. It is a transaction of its own, since
    /// PostgreSQL serializes the commits of transactions with NOTIFY.
    pub async fn announce(&self) -> Result<(), DbError> {
        self.read().await?.batch(&format!("NOTIFY {CHANNEL}")).await
    }

    /// Listens on a separate connection until it is lost.
    pub async fn listen(&self, announced: impl Fn()) -> Result<(), DbError> {
        let (client, mut connection) = Box::pin(self.pool.manager().connect()).await?;
        let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
        let command = format!("{}; LISTEN {CHANNEL}", self.pool.manager().keepalives());
        let mut listening = std::pin::pin!(client.batch_execute(&command).fuse());
        loop {
            tokio::select! {
                listens = &mut listening => {
                    listens?;
                    announced(); // earlier notifications were missed
                }
                message = messages.next() => match message.transpose()? {
                    Some(AsyncMessage::Notification(_)) => announced(),
                    Some(_) => {}
                    None => return Err(DbError::Unavailable("the connection was closed".to_owned())),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_certificate_that_is_not_there_is_refused_by_name() {
        let error =
            Postgres::open("postgres://h/d?sslmode=verify-full&sslrootcert=/no/such.pem").err().unwrap();
        assert!(error.to_string().contains("/no/such.pem"), "{error}");
    }
}
