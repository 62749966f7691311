//! The database that a command works on.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

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
    database: String,

    /// A file with the database's address, instead of --database: it may hold a password
    #[arg(
        long,
        global = true,
        env = "REELSHELF_DATABASE_FILE",
        value_name = "FILE",
        conflicts_with = "database"
    )]
    database_file: Option<PathBuf>,
}

impl Database {
    /// Its address, for [`Db::open`].
    ///
    /// # Errors
    /// A file that cannot be read, or in which is none.
    pub fn address(self) -> anyhow::Result<String> {
        let Some(file) = self.database_file else { return Ok(self.database) };
        let address = super::without_line_end(&file)?;
        if address.is_empty() {
            bail!("there is no database's address in {}", file.display());
        }
        Ok(address)
    }

    /// Opens it as [`Database::open`] does, but makes no new file.
    ///
    /// # Errors
    /// Those of [`Database::open`]; a SQLite file that is not there.
    pub async fn open_existing(self) -> anyhow::Result<App> {
        let address = self.address()?;
        let path = address.strip_prefix("sqlite:").map(Path::new);
        if let Some(path) = path.filter(|path| !path.exists()) {
            bail!("there is no database {}", path.display());
        }
        open(&address).await
    }

    /// Opens it for an administrator's command.
    ///
    /// # Errors
    /// Those of [`Database::address`] and of [`Db::open`].
    pub async fn open(self) -> anyhow::Result<App> {
        open(&self.address()?).await
    }
}

async fn open(address: &str) -> anyhow::Result<App> {
    Ok(App::new(Db::open(address).await?, Arc::new(Time::now)))
}
