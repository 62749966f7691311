//! `reelshelf logout`

use anyhow::{Context, bail};

use super::{
    client::{logins::Logins, server::Server},
    login::revoke,
};
use crate::cli::output::message;

/// The server.
#[derive(clap::Args)]
pub struct Args {
    /// The server [default: the server of the last login]
    #[arg(value_parser = Server::parse)]
    url: Option<Server>,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut logins = Logins::load()?;
    let server = logins.of(args.url.as_ref()).map(|login| login.server.clone());
    let Some(login) = server.and_then(|server| logins.remove(&server)) else {
        bail!("there is no login{}", args.url.map(|url| format!(" to {url}")).unwrap_or_default());
    };
    let server = &login.server;
    logins.save()?;
    revoke(&login).await.with_context(|| {
        format!(
            "the token is removed from this machine, but {server} has not revoked it (token {} of {})",
            login.token_id, login.user
        )
    })?;
    message!("Logged out of {server}; the token is revoked.");
    if let Some(next) = logins.of(None) {
        message!("Commands now use {}.", next.server);
    }
    Ok(())
}
