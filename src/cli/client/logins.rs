//! Stored logins: servers with tokens, in a file that only the user can read.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::server::Server;
use crate::{
    cli::output::message,
    domain::TokenId,
    output_file::{Access, Existing, OutputFile},
};

/// A server and a token for it.
#[derive(Serialize, Deserialize)]
pub struct Login {
    pub server: Server,
    pub user: String,
    pub token: String,
    /// The token's id, to revoke it.
    pub token_id: TokenId,
}

/// All logins, the last one first; it is the default.
#[derive(Default, Serialize, Deserialize)]
pub struct Logins(Vec<Login>);

impl Logins {
    /// Reads the file; a missing file means no login.
    ///
    /// # Errors
    /// If the file cannot be read, is invalid, or is readable by others and its mode cannot be changed.
    pub fn load() -> anyhow::Result<Self> {
        let path = path()?;
        let unusable = || format!("{} cannot be read", path.display());
        let mut file = match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            file => file.with_context(unusable)?,
        };
        keep_private(&file, &path)?;
        let text = io::read_to_string(&mut file).with_context(unusable)?;
        serde_json::from_str(&text).with_context(|| format!("{}; remove it and log in again", unusable()))
    }

    /// Returns the login to a server, or the last one.
    #[must_use]
    pub fn of(&self, server: Option<&Server>) -> Option<&Login> {
        self.0.iter().find(|login| server.is_none_or(|server| *server == login.server))
    }

    /// Removes the login to a server.
    pub fn remove(&mut self, server: &Server) -> Option<Login> {
        let place = self.0.iter().position(|login| login.server == *server)?;
        Some(self.0.remove(place))
    }

    /// Adds a login as the last one.
    pub fn add(&mut self, login: Login) {
        self.0.insert(0, login);
    }

    /// Writes the file atomically, readable only by the user. Removes it if there is no login.
    ///
    /// # Errors
    /// If the file cannot be written or removed.
    pub fn save(&self) -> anyhow::Result<()> {
        let path = path()?;
        self.write(&path).with_context(|| format!("{} cannot be written", path.display()))
    }

    fn write(&self, path: &PathBuf) -> anyhow::Result<()> {
        if self.0.is_empty() {
            return Ok(fs::remove_file(path)?);
        }
        let folder = path.parent().context("it has no folder")?;
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder)?;
        let mut file = OutputFile::create(path, Existing::Replace, Access::Private)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        Ok(file.finish()?)
    }
}

fn path() -> anyhow::Result<PathBuf> {
    let folder = dirs::config_dir().context("there is no folder for what is stored: HOME is not set")?;
    Ok(folder.join("reelshelf").join("logins.json"))
}

/// Restricts the file's mode to its user.
#[cfg(unix)]
fn keep_private(file: &fs::File, path: &std::path::Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .with_context(|| format!("{} can be read by others", path.display()))?;
        message!(
            "reelshelf: warning: {} could be read by others; this is corrected. If somebody may have read it, log in again",
            path.display()
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_private(_: &fs::File, _: &std::path::Path) -> anyhow::Result<()> {
    Ok(())
}
