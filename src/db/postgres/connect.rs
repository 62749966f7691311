//! Connecting to PostgreSQL: the hosts one after the other, each for a limited time.

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

/// What every session relies on. Compiling a query takes longer than any of ours runs: for a forgiving search
/// 300 ms instead of 20. All transactions are written for READ COMMITTED, unless they say otherwise.
/// The limits hold where the service is not there to cancel a statement.
fn session() -> String {
    let wait = REQUEST_WAIT.as_millis();
    format!(
        "SET jit = off; SET default_transaction_isolation = 'read committed'; SET lock_timeout = {wait}; \
         SET statement_timeout = {wait}; SET idle_in_transaction_session_timeout = {wait}"
    )
}

/// Lets the server notice a client that is gone without a word as fast as the client notices such a server: until then
/// a session keeps its locks, those of long work for minutes. 0 is what the server's system has.
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

/// Makes connections.
pub(in crate::db) struct Connector {
    address: Address,
    pub(super) tls: MakeRustlsConnect,
}

impl Connector {
    pub(super) fn new(address: Address, tls: MakeRustlsConnect) -> Self {
        Self { address, tls }
    }

    /// Connects to the first host that accepts. Unlike the driver, gives up a host that takes the connection but
    /// does not answer.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] with each host's reason.
    pub(super) async fn connect(&self) -> Result<(Client, Connection), DbError> {
        let mut hosts: Vec<&HostAndPort> = self.address.hosts.iter().collect();
        if self.address.is_shuffled() {
            hosts.shuffle(&mut rand::rng());
        }
        let mut reasons = Vec::new();
        let last = hosts.len().saturating_sub(1);
        for (n, host) in hosts.into_iter().enumerate() {
            // A busy server may need more time, which no other host needs then.
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

    /// The statements that let the server look after its client as the client looks after it.
    pub(super) fn keepalives(&self) -> String {
        keepalives(&self.address.settings)
    }

    /// How long one IP address may take to accept a connection.
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

/// The IP addresses of a host; none for a Unix socket.
async fn ips(host: &HostAndPort) -> std::io::Result<Vec<Option<IpAddr>>> {
    match (&host.host, host.ip) {
        (Some(Host::Tcp(name)), None) => {
            Ok(lookup_host((name.as_str(), host.port)).await?.map(|address| Some(address.ip())).collect())
        }
        (_, ip) => Ok(vec![ip]),
    }
}

/// Makes the connections of the pool.
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
        let client = ClientWrapper::new(client, running); // dropped, it ends the connection
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
