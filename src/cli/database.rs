//! The database that a command works on.

use std::sync::Arc;

use clap::Args;

use crate::{db::Db, domain::Time, service::App};

/// Where the collection is.
#[derive(Args)]
pub struct Database {
    /// The database: `sqlite:PATH`, or `postgres://…` as libpq writes it (several hosts, `sslmode`, `sslrootcert`)
    #[arg(
        long,
        global = true,
        env = "REELSHELF_DATABASE",
        value_name = "ADDRESS",
        default_value = "sqlite:reelshelf.db",
        hide_env_values = true
    )]
    pub database: String,
}

impl Database {
    /// Opens it for an administrator's command.
    ///
    /// # Errors
    /// Those of [`Db::open`].
    pub async fn open(&self) -> anyhow::Result<App> {
        Ok(App::new(Db::open(&self.database).await?, Arc::new(Time::now)))
    }
}
