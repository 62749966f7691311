//! Management of users, tokens and sessions, in the database or on a server.

use std::{
    env,
    io::{IsTerminal, Write},
};

use anyhow::bail;
use reqwest::Method;
use serde_json::Value;

use super::{
    client::{
        ANSWERING, Client, Connection,
        table::{self, Where},
        words::shown,
    },
    database::Database,
    output::{Out, message},
};
use crate::{
    domain::{Time, UserName},
    format::moment_local,
    service::App,
};

/// Options that select the database or the server.
#[derive(clap::Args)]
pub struct DatabaseOrServer {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    connection: Connection,
}

/// The target of a command.
enum Target {
    Database(Box<App>),
    Server(Client),
}

/// Whether a command may create a missing database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Create,
    Refuse,
}

impl DatabaseOrServer {
    /// Runs a command on the server, or on the database and closes it.
    pub async fn run<C>(
        self,
        missing: Missing,
        command: C,
        on_server: impl AsyncFnOnce(&Client, C) -> anyhow::Result<()>,
        on_database: impl AsyncFnOnce(&App, C) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self.open(missing).await? {
            Target::Server(client) => on_server(&client, command).await,
            Target::Database(app) => {
                let done = on_database(&app, command).await;
                app.db.close().await;
                done
            }
        }
    }

    /// Options take precedence over environment variables, and a database over a server. Without either, uses
    /// `reelshelf.db` in the current folder if it exists, or else the server of the last login.
    ///
    /// # Errors
    /// If both a database and a server are given, or neither a database nor a login exists; as
    /// [`Database::open`].
    async fn open(self, missing: Missing) -> anyhow::Result<Target> {
        let Self { database, connection } = self;
        let is_option = |given: Option<String>, variable: &str| {
            given.is_some_and(|given| env::var(variable).ok().is_none_or(|value| value != given))
        };
        let server_option = is_option(connection.given_server(), Connection::SERVER_VARIABLE);
        if server_option && database.is_option() {
            return Err(super::wrong_usage("--database and --database-file cannot be used with --server"));
        }
        let names_server = connection.given_server().is_some();
        if server_option || (names_server && !database.is_given()) {
            return Ok(Target::Server(connection.client()?));
        }
        if database.is_given() || Database::default_exists() {
            return Ok(Target::Database(open(database, missing).await?.into()));
        }
        if Connection::is_stored()? {
            let client = connection.client()?;
            message!("At {}:", client.server);
            return Ok(Target::Server(client));
        }
        if missing == Missing::Create {
            return Ok(Target::Database(database.open().await?.into()));
        }
        bail!(
            "there is no database reelshelf.db in this folder and no login to a server; name the database with \
             --database, or use `reelshelf login URL`"
        )
    }
}

async fn open(database: Database, missing: Missing) -> anyhow::Result<App> {
    match missing {
        Missing::Create => database.open().await,
        Missing::Refuse => database.open_existing().await,
    }
}

/// Requires the name of a user: the database does not know who runs the command.
pub fn named(user: Option<UserName>) -> anyhow::Result<UserName> {
    user.ok_or_else(|| super::wrong_usage("name the user; only a server knows who you are"))
}

impl Client {
    /// Sends a change to the server and ignores the response body.
    pub async fn change_at(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<()> {
        let request = self.request(method, path, &[]).timeout(ANSWERING);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.send(request).await.map(drop)
    }

    /// Returns the path of a user's tokens or sessions: `/token` and `/session` for oneself, or the owner's
    /// path of any user.
    pub async fn path_of(&self, user: Option<&UserName>, own: &str) -> anyhow::Result<String> {
        Ok(match user {
            Some(user) if self.me().await?.name != *user => format!("/user/{}{own}", user.as_str()),
            _ => own.to_owned(),
        })
    }

    /// Deletes every item of a list on the server, one by one.
    pub async fn delete_all(&self, path: &str) -> anyhow::Result<()> {
        #[derive(serde::Deserialize)]
        struct Listed {
            id: i64,
        }

        for Listed { id } in self.get::<Vec<Listed>>(path, &[]).await? {
            self.change_at(Method::DELETE, &format!("{path}/{id}"), None).await?;
        }
        Ok(())
    }
}

/// A cell of a list.
pub enum Cell {
    Text(String),
    Moment(Time),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(shown(text))
    }
}

impl From<Time> for Cell {
    fn from(time: Time) -> Self {
        Self::Moment(time)
    }
}

/// Prints a list: a table with local times at a terminal, or tab-separated lines with RFC 3339 times for
/// programs.
pub fn print<const N: usize>(columns: [&'static str; N], rows: Vec<[Cell; N]>) -> anyhow::Result<()> {
    let mut out = Out::new();
    if std::io::stdout().is_terminal() && !rows.is_empty() {
        let mut table = table::new(&columns.map(|name| (name, false)), Where::Out);
        table.add_rows(rows.into_iter().map(|row| {
            row.map(|cell| match cell {
                Cell::Text(text) => text,
                Cell::Moment(time) => moment_local(time),
            })
        }));
        write!(out, "{}", table::text(&table))?;
        return out.finish();
    }
    for row in rows {
        let cells = row.map(|cell| match cell {
            Cell::Text(text) => text,
            Cell::Moment(time) => time.to_string(),
        });
        writeln!(out, "{}", cells.join("\t"))?;
    }
    out.finish()
}
