//! `reelshelf login`

use std::fs;

use anyhow::{Context, bail};
use reqwest::Method;

use super::{
    client::{
        ANSWERING, Client, Credentials,
        logins::{Login, Logins},
        server::Server,
        terminal,
    },
    password,
};
use crate::{
    cli::output::message,
    documents::{MadeToken, NewToken},
    domain::{Role, TokenName, UserName},
};

/// The server and the user.
#[derive(clap::Args)]
pub struct Args {
    /// The server, such as films.example
    #[arg(value_parser = Server::parse)]
    url: Server,
    /// Your user name there; a terminal prompts for it
    #[arg(long, value_parser = UserName::parse)]
    name: Option<UserName>,
    /// Read the password from standard input, one line
    #[arg(long, requires = "name")]
    password_stdin: bool,
    /// The role of the stored token: viewer, editor or owner [default: your role]
    #[arg(long, value_parser = Role::parse)]
    role: Option<Role>,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let server = args.url;
    let mut logins = Logins::load()?;
    let name = match args.name {
        Some(name) => name,
        None if terminal::is_there() => terminal::ask_for("User name:", UserName::parse)?,
        None => bail!("give the name with --name; there is no terminal to ask at"),
    };
    let password = password::present(&name, args.password_stdin)?;
    let client = Client::new(server.clone(), Credentials::Password(name, password))?;
    let new = NewToken { name: token_name()?, role: args.role, expires_at: None };
    let request = client.request(Method::POST, "/token", &[]).timeout(ANSWERING).json(&new);
    let MadeToken { details, token } = client.answer(request).await?;

    let client = Client::new(server.clone(), Credentials::Token(token.clone()))?;
    let me = client.me().await?;
    let old = logins.remove(&server);
    let login =
        Login { server: server.clone(), user: me.name.as_str().to_owned(), token, token_id: details.id };
    logins.add(login);
    if let Err(error) = logins.save() {
        client
            .revoke_token(details.id)
            .await
            .context("a token was created and could be neither stored nor revoked")?;
        return Err(error);
    }
    if let Some(old) = old {
        revoke(&old)
            .await
            .unwrap_or_else(|error| message!("reelshelf: warning: the old token was not revoked: {error:#}"));
    }
    message!("Logged in to {server} as {} ({}).", me.name.as_str(), me.role.as_str());
    Ok(())
}

/// Revokes a stored token, if it is still valid.
pub async fn revoke(login: &Login) -> anyhow::Result<()> {
    let client = Client::new(login.server.clone(), Credentials::Token(login.token.clone()))?;
    client.revoke_token(login.token_id).await
}

/// Returns the name of the token: this machine's.
fn token_name() -> anyhow::Result<TokenName> {
    let kernel = || fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = kernel().or_else(|| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok());
    let name = format!("reelshelf on {}", host.as_deref().map_or("some machine", str::trim));
    let short: String = name.chars().filter(|c| !c.is_control()).take(TokenName::MAX_CHARS).collect();
    Ok(TokenName::parse(&short)?)
}
