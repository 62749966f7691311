//! The database that a command works on.

use std::{path::PathBuf, sync::Arc};

use anyhow::bail;
use clap::Args;

use crate::{
    db::{self, Db},
    domain::Time,
    service::{App, Owner},
};

/// Where the collection is.
#[derive(Args)]
pub struct Database {
    /// The database: `sqlite:PATH`, or `postgres://…` as libpq writes it (several hosts, `sslmode`, `sslrootcert`)
    /// [default: sqlite:reelshelf.db]
    #[arg(long, global = true, env = "REELSHELF_DATABASE", value_name = "ADDRESS", hide_env_values = true)]
    database: Option<String>,

    /// A file with the database's address, instead of --database: it may hold a password
    #[arg(long, global = true, env = "REELSHELF_DATABASE_FILE", value_name = "FILE")]
    database_file: Option<PathBuf>,
}

impl Database {
    /// Its address, for [`Db::open`].
    ///
    /// # Errors
    /// An address and a file with one, which the parser of the command line does not see where one stands before the
    /// command's name and the other behind it; a file that cannot be read, or in which is none.
    pub fn address(self) -> anyhow::Result<String> {
        let file = match (self.database, self.database_file) {
            (Some(_), Some(_)) => {
                return Err(super::wrong_usage("--database cannot be used with --database-file"));
            }
            (None, Some(file)) => file,
            (address, None) => return Ok(address.unwrap_or_else(|| "sqlite:reelshelf.db".to_owned())),
        };
        let address = super::text_file::read_line_of(&file)?.trim().to_owned();
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
        let path = db::sqlite_path(&address)?;
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
    let app = App::new(Db::open(address).await?, Arc::new(Time::now));
    app.audit_migrations(&(&*Owner::console()).into());
    Ok(app)
}
