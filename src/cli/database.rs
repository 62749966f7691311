//! The database of a command.

use std::{
    env,
    ffi::OsStr,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::bail;
use clap::Args;

use crate::{
    db::{self, Db},
    domain::Time,
    service::{App, Owner},
};

/// The default database.
const DEFAULT: &str = "sqlite:reelshelf.db";

/// The database.
#[derive(Args)]
pub struct Database {
    /// The database: `sqlite:PATH`, or `postgres://…` as libpq writes it (several hosts, `sslmode`, `sslrootcert`)
    /// [default: sqlite:reelshelf.db]
    #[arg(long, global = true, env = "REELSHELF_DATABASE", value_name = "ADDRESS", hide_env_values = true)]
    database: Option<String>,

    /// A file with the database address, which may contain a password; instead of --database
    #[arg(long, global = true, env = "REELSHELF_DATABASE_FILE", value_name = "FILE")]
    database_file: Option<PathBuf>,
}

impl Database {
    /// Returns whether an option or environment variable names it.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.database.is_some() || self.database_file.is_some()
    }

    /// Returns whether an option names it.
    #[must_use]
    pub fn is_option(&self) -> bool {
        self.options().contains(&true)
    }

    /// Returns whether the address and the file come from an option rather than an environment variable.
    fn options(&self) -> [bool; 2] {
        let is_option = |given: Option<&OsStr>, variable: &str| {
            given.is_some_and(|given| env::var_os(variable).is_none_or(|value| value != given))
        };
        [
            is_option(self.database.as_deref().map(OsStr::new), "REELSHELF_DATABASE"),
            is_option(self.database_file.as_deref().map(Path::as_os_str), "REELSHELF_DATABASE_FILE"),
        ]
    }

    /// Returns whether the default database exists.
    #[must_use]
    pub fn default_exists() -> bool {
        matches!(db::sqlite_path(DEFAULT), Ok(Some(path)) if path.exists())
    }

    /// Returns the address, for [`Db::open`]. An option takes precedence over an environment variable.
    ///
    /// # Errors
    /// If both an address and a file are given by options, or both by variables. If the file cannot be read or
    /// has no address.
    pub fn address(self) -> anyhow::Result<String> {
        let options = self.options();
        let file = match (self.database, self.database_file) {
            (Some(_), Some(_)) if options[0] == options[1] => {
                return Err(super::wrong_usage("--database cannot be used with --database-file"));
            }
            (address, Some(file)) if address.is_none() || options[1] => file,
            (address, _) => return Ok(address.unwrap_or_else(|| DEFAULT.to_owned())),
        };
        let address = super::text_file::read_line_of(&file)?.trim().to_owned();
        if address.is_empty() {
            bail!("there is no database's address in {}", file.display());
        }
        Ok(address)
    }

    /// Opens an existing database for a command that must not create one.
    ///
    /// # Errors
    /// As [`Database::open`]; if an SQLite file does not exist or is empty, or PostgreSQL has no tables.
    pub async fn open_existing(self) -> anyhow::Result<App> {
        let address = self.address()?;
        if let Some(path) = db::sqlite_path(&address)? {
            let name = path.display();
            match path.metadata() {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    bail!("there is no database {name}; {NAME_IT}");
                }
                Ok(file) if file.is_file() && file.len() == 0 => {
                    bail!("{name} is empty and no database; {NAME_IT}");
                }
                _ => {} // opening it reports the error
            }
        }
        Ok(app(Db::open_existing(&address).await?))
    }

    /// Opens the database for a command that may create it.
    pub async fn open(self) -> anyhow::Result<App> {
        Ok(app(Db::open(&self.address()?).await?))
    }
}

/// How to select the right database.
const NAME_IT: &str = "this command works on the database itself, so name it with --database";

fn app(db: Db) -> App {
    let app = App::new(db, Arc::new(Time::now));
    app.audit_migrations(&Owner::console().identity().into());
    app
}
