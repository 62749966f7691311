//! `reelshelf token`

use std::io::Write;

use anyhow::bail;
use clap::Subcommand;

use super::{
    database::Database,
    output::{Out, message},
};
use crate::{
    domain::{Role, Time, TokenName, UserName},
    service::{
        App, Owner,
        tokens::{self, NewToken},
    },
};

/// What can be done with API tokens.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    database: Database,
}

#[derive(Subcommand)]
enum Command {
    /// Make a token; standard output shows it, this once
    Create {
        /// Whose token it is
        #[arg(value_parser = UserName::parse)]
        user: UserName,
        /// What it is for
        #[arg(value_parser = TokenName::parse)]
        name: TokenName,
        /// The most that it allows; without it, what the user may
        #[arg(long, value_parser = Role::parse)]
        role: Option<Role>,
        /// When it expires (a date, or RFC 3339, such as 2027-01-01T00:00:00Z); without it, never
        #[arg(long, value_parser = Time::parse_date)]
        expires: Option<Time>,
    },
    /// List a user's tokens
    List {
        /// Whose tokens
        #[arg(value_parser = UserName::parse)]
        user: UserName,
    },
    /// Revoke a token, or all tokens of a user
    Revoke {
        /// Whose token it is
        #[arg(value_parser = UserName::parse)]
        user: UserName,
        /// The token's id, as `list` shows it
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<i64>,
        /// All tokens of the user
        #[arg(long)]
        all: bool,
    },
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let app = args.database.open().await?;
    let done = command(&app, args.command).await;
    app.db.close().await;
    done
}

async fn command(app: &App, command: Command) -> anyhow::Result<()> {
    let owner = Owner::console();
    match command {
        Command::Create { user, name, role, expires } => {
            let new = NewToken { name, role, expires_at: expires };
            let (token, secret) = tokens::create_for(app, &owner, &user, &new).await?;
            let mut out = Out::new();
            let shown = writeln!(out, "{}", secret.reveal()).and_then(|()| out.flush());
            if let Err(unwritten) = shown {
                tokens::revoke_of(app, &owner, &user, token.id).await?;
                bail!("{unwritten}; token {} was revoked again", token.id); // also where nobody reads
            }
            message!(
                "Made token {} of {}, as {}; it is shown only now.",
                token.id,
                user.as_str(),
                token.role.as_str()
            );
        }
        Command::List { user } => {
            let mut out = Out::new();
            for token in tokens::list_of(app, &owner, &user).await? {
                let expires = token.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
                let (id, name, role) = (token.id, token.name.as_str(), token.role.as_str());
                writeln!(out, "{id}\t{name}\t{role}\t{expires}")?;
            }
            out.finish()?;
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
