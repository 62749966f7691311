//! `reelshelf token`

use std::io::Write;

use anyhow::bail;
use clap::Subcommand;
use reqwest::Method;

use super::{
    administration::{self, Cell, DatabaseOrServer, Missing},
    client::{ANSWERING, Client},
    output::{Out, message},
};
use crate::{
    documents::{MadeToken, NewToken, Token},
    domain::{Role, Time, TokenId, TokenName, UserName},
    service::{App, Owner, tokens},
};

/// The operation on API tokens.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: DatabaseOrServer,
}

#[derive(Subcommand)]
enum Command {
    /// Create a token and print it; it is not shown again
    #[command(alias = "add")]
    Create {
        /// The token's user
        #[arg(value_parser = UserName::parse)]
        user: UserName,
        /// A name for the token, such as the program that uses it
        #[arg(value_parser = TokenName::parse)]
        name: TokenName,
        /// Limit the token to this role [default: the user's role]
        #[arg(long, value_parser = Role::parse)]
        role: Option<Role>,
        /// The expiry: a date, or RFC 3339 such as 2027-01-01T00:00:00Z [default: never]
        #[arg(long, value_parser = Time::parse_date)]
        expires: Option<Time>,
    },
    /// List a user's tokens
    #[command(visible_alias = "ls")]
    List {
        /// The user [default on a server: you]
        #[arg(value_parser = UserName::parse)]
        user: Option<UserName>,
    },
    /// Revoke a token, or all tokens of a user
    #[command(visible_alias = "rm", alias = "delete")]
    Revoke {
        /// The token's user
        #[arg(value_parser = UserName::parse)]
        user: UserName,
        /// The token's id, as shown by `list`
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<TokenId>,
        /// All tokens of the user
        #[arg(long)]
        all: bool,
    },
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    args.place.run(Missing::Refuse, args.command, on_server, on_database).await
}

async fn on_database(app: &App, command: Command) -> anyhow::Result<()> {
    let owner = Owner::console();
    match command {
        Command::Create { user, name, role, expires } => {
            let new = NewToken { name, role, expires_at: expires };
            let (token, secret) = tokens::create_for(app, &owner, &user, &new).await?;
            if let Err(unwritten) = show(secret.reveal()) {
                tokens::revoke_of(app, &owner, &user, token.id).await?;
                bail!("{unwritten}; token {} was revoked again", token.id); // also if nobody reads the output
            }
            created(token.id, &user, token.role);
        }
        Command::List { user } => {
            print(&tokens::list_of(app, &owner, &administration::named(user)?).await?)?;
        }
        Command::Revoke { user, id: None, .. } => {
            tokens::revoke_all_of(app, &owner, &user).await?;
            message!("Revoked all tokens of {}.", user.as_str());
        }
        Command::Revoke { user, id: Some(id), .. } => {
            tokens::revoke_of(app, &owner, &user, id).await?;
            message!("Revoked token {id} of {}.", user.as_str());
        }
    }
    Ok(())
}

async fn on_server(client: &Client, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create { user, name, role, expires } => {
            if client.me().await?.name != user {
                bail!(
                    "a server creates tokens only for the user who asks; for {}, use --database on its machine",
                    user.as_str()
                );
            }
            let new = NewToken { name, role, expires_at: expires };
            let request = client.request(Method::POST, "/token", &[]).timeout(ANSWERING).json(&new);
            let MadeToken { details: Token { id, role, .. }, token } = client.answer(request).await?;
            if let Err(unwritten) = show(&token) {
                client.change_at(Method::DELETE, &format!("/token/{id}"), None).await?;
                bail!("{unwritten}; token {id} was revoked again");
            }
            created(id, &user, role);
        }
        Command::List { user } => {
            let path = client.path_of(user.as_ref(), "/token").await?;
            print(&client.get::<Vec<Token>>(&path, &[]).await?)?;
        }
        Command::Revoke { user, id: None, .. } => {
            let path = client.path_of(Some(&user), "/token").await?;
            if path == "/token" {
                bail!(
                    "this would revoke the token of this login; use `reelshelf logout`, or revoke single tokens"
                );
            }
            client.delete_all(&path).await?;
            message!("Revoked all tokens of {}.", user.as_str());
        }
        Command::Revoke { user, id: Some(id), .. } => {
            let path = client.path_of(Some(&user), "/token").await?;
            client.change_at(Method::DELETE, &format!("{path}/{id}"), None).await?;
            message!("Revoked token {id} of {}.", user.as_str());
        }
    }
    Ok(())
}

/// Prints the secret.
fn show(secret: &str) -> std::io::Result<()> {
    let mut out = Out::new();
    writeln!(out, "{secret}")?;
    out.flush()
}

fn created(id: TokenId, user: &UserName, role: Role) {
    message!("Created token {id} of {}, as {}; it is shown only now.", user.as_str(), role.as_str());
}

fn print(tokens: &[Token]) -> anyhow::Result<()> {
    let row = |token: &Token| {
        let expires = token.expires_at.map_or_else(|| "never".into(), Cell::from);
        [Cell::Text(token.id.to_string()), token.name.as_str().into(), token.role.as_str().into(), expires]
    };
    administration::print(["id", "name", "role", "expires"], tokens.iter().map(row).collect())
}
