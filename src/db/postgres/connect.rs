//! Connects to PostgreSQL: tries the hosts in turn, each with a time limit.

use std::{fmt::Write, net::IpAddr, time::Duration};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use rand::seq::SliceRandom;
use tokio::{net::lookup_host, time::timeout};
use tokio_postgres::{Client, Config, Socket, config::Host, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Address, HostAndPort};
use crate::{
    db::DbError,
    limits::{DATABASE_CONNECT_WAIT, REQUEST_WAIT},
};

pub(super) type Connection =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Returns the settings of every session. JIT compilation costs more than it saves: a fuzzy search took 300
/// ms instead of 20 ms. All transactions are written for READ COMMITTED unless they state otherwise. The
/// timeouts apply when the service cannot cancel a statement.
fn session() -> String {
    let wait = REQUEST_WAIT.as_millis();
    format!(
        "SET jit = off; SET default_transaction_isolation = 'read committed'; SET lock_timeout = {wait}; \
         SET statement_timeout = {wait}; SET idle_in_transaction_session_timeout = {wait}"
    )
}

/// Returns statements that set the server's TCP keepalives like the client's. They let the server detect a
/// dead client quickly: until then its session keeps its locks, those of long work for minutes. 0 is the
/// system's default.
fn keepalives(settings: &Config) -> String {
    let user_timeout = settings.get_tcp_user_timeout().copied().unwrap_or_default().as_millis();
    let mut sql = format!("SET tcp_user_timeout = {user_timeout}");
    if settings.get_keepalives() {
        let idle = settings.get_keepalives_idle().as_secs();
        let interval = settings.get_keepalives_interval().unwrap_or_default().as_secs();
        let count = settings.get_keepalives_retries().unwrap_or_default();
        let _ = write!(
            sql,
            "; SET tcp_keepalives_idle = {idle}; SET tcp_keepalives_interval = {interval}; \
             SET tcp_keepalives_count = {count}"
        );
    }
    sql
}

/// The connection factory of the pool.
pub(in crate::db) struct Connector {
    address: Address,
    pub(super) tls: MakeRustlsConnect,
}

impl Connector {
    pub(super) fn new(address: Address, tls: MakeRustlsConnect) -> Self {
        Self { address, tls }
    }

    /// Connects to the first host that accepts. Unlike the driver, it also gives up a host that accepts but
    /// does not answer.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] with the reason of each host.
    pub(super) async fn connect(&self) -> Result<(Client, Connection), DbError> {
        let mut hosts: Vec<&HostAndPort> = self.address.hosts.iter().collect();
        if self.address.is_shuffled() {
            hosts.shuffle(&mut rand::rng());
        }
        let mut reasons = Vec::new();
        let last = hosts.len().saturating_sub(1);
        for (n, host) in hosts.into_iter().enumerate() {
            // A busy server may need more time, and after the last host no other one waits for its turn.
            let limit = if n == last { REQUEST_WAIT } else { 2 * self.limit() };
            match self.connect_host(host, limit).await {
                Ok(connected) => return Ok(connected),
                Err(error) => reasons.push(format!("{}: {error}", host.name())),
            }
        }
        Err(DbError::Unavailable(reasons.join("; ")))
    }

    /// Connects to the first IP address of a host that accepts.
    async fn connect_host(
        &self,
        host: &HostAndPort,
        limit: Duration,
    ) -> Result<(Client, Connection), String> {
        let ips = timeout(limit, ips(host)).await.map_err(|_| no_answer(limit))?;
        let mut reason = "the name has no IP address".to_owned();
        for ip in ips.map_err(|error| error.to_string())? {
            let config = self.config(host, ip);
            match timeout(limit, config.connect(self.tls.clone())).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => reason = crate::db::error::whole(&error),
                Err(_) => reason = no_answer(limit),
            }
        }
        Err(reason)
    }

    /// Returns the statements that set the server's TCP keepalives.
    pub(super) fn keepalives(&self) -> String {
        keepalives(&self.address.settings)
    }

    /// Returns the time limit for one IP address to accept a connection.
    fn limit(&self) -> Duration {
        self.address.settings.get_connect_timeout().copied().unwrap_or(DATABASE_CONNECT_WAIT)
    }

    fn config(&self, host: &HostAndPort, ip: Option<IpAddr>) -> Config {
        let mut config = self.address.settings.clone();
        match &host.host {
            Some(Host::Tcp(name)) => {
                config.host(name);
            }
            #[cfg(unix)]
            Some(Host::Unix(folder)) => {
                config.host_path(folder);
            }
            None => {}
        }
        if let Some(ip) = ip {
            config.hostaddr(ip);
        }
        config.port(host.port);
        config
    }
}

fn no_answer(limit: Duration) -> String {
    format!("no answer within {} seconds", limit.as_secs())
}

/// Resolves the IP addresses of a host. A Unix socket has none.
async fn ips(host: &HostAndPort) -> std::io::Result<Vec<Option<IpAddr>>> {
    match (&host.host, host.ip) {
        (Some(Host::Tcp(name)), None) => {
            Ok(lookup_host((name.as_str(), host.port)).await?.map(|address| Some(address.ip())).collect())
        }
        (_, ip) => Ok(vec![ip]),
    }
}

/// Lets the pool create and check connections.
impl managed::Manager for Connector {
    type Type = ClientWrapper;
    type Error = DbError;

    async fn create(&self) -> Result<ClientWrapper, DbError> {
        let (client, connection) = self.connect().await?;
        let running = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(
                    error = crate::db::error::whole(&error),
                    "a connection to the database was lost"
                );
            }
        });
        let client = ClientWrapper::new(client, running); // closes the connection when dropped
        let sql = format!("{}; {}", session(), self.keepalives());
        let limit = REQUEST_WAIT;
        match timeout(limit, client.batch_execute(&sql)).await {
            Ok(done) => done?,
            Err(_) => return Err(DbError::Unavailable(no_answer(limit))),
        }
        Ok(client)
    }

    async fn recycle(&self, client: &mut ClientWrapper, _: &Metrics) -> RecycleResult<DbError> {
        if client.is_closed() {
            return Err(RecycleError::message("the connection was closed"));
        }
        Ok(())
    }
}
