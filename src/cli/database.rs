//! The database that a command works on.

use std::{path::Path, sync::Arc};

use anyhow::bail;
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
    /// Opens it as [`Database::open`] does, but makes no new file.
    ///
    /// # Errors
    /// Those of [`Database::open`]; a SQLite file that is not there.
    pub async fn open_existing(&self) -> anyhow::Result<App> {
        let path = self.database.strip_prefix("sqlite:").map(Path::new);
        if let Some(path) = path.filter(|path| !path.exists()) {
            bail!("there is no database {}", path.display());
        }
        self.open().await
    }

    /// Opens it for an administrator's command.
    ///
    /// # Errors
    /// Those of [`Db::open`].
    pub async fn open(&self) -> anyhow::Result<App> {
        Ok(App::new(Db::open(&self.database).await?, Arc::new(Time::now)))
    }
}
