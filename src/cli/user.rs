//! `reelshelf user`

use std::io::Write;

use clap::Subcommand;

use super::{
    database::Database,
    output::{Out, message},
    password,
};
use crate::{
    domain::{Role, UserName},
    service::{
        App, Once, Owner,
        users::{self, UserChanges},
    },
};

/// What can be done with users.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    database: Database,
}

#[derive(Subcommand)]
enum Command {
    /// Add a user; asks for the password
    Add {
        /// The user's name
        #[arg(value_parser = UserName::parse_new)]
        name: UserName,
        /// viewer (reads), editor (changes too), owner (manages users too)
        #[arg(long, default_value = "viewer", value_parser = Role::parse)]
        role: Role,
        /// Read the password from standard input, one line
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the users
    List,
    /// Change a user's role; ends the user's sessions
    Role {
        /// The user's name
        #[arg(value_parser = UserName::parse)]
        name: UserName,
        /// viewer, editor or owner
        #[arg(value_parser = Role::parse)]
        role: Role,
    },
    /// Set a user's password; asks for it, and ends the user's sessions
    Passwd {
        /// The user's name
        #[arg(value_parser = UserName::parse)]
        name: UserName,
        /// Read the password from standard input, one line
        #[arg(long)]
        password_stdin: bool,
        /// Revoke the user's API tokens, too
        #[arg(long)]
        revoke_tokens: bool,
    },
    /// Remove a user, with all tokens and sessions
    Remove {
        /// The user's name
        #[arg(value_parser = UserName::parse)]
        name: UserName,
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
        Command::Add { name, role, password_stdin } => {
            let password = password::ask(&name, password_stdin)?;
            users::add(app, &owner, &name, role, password, Once::default()).await?;
            message!("Added {} as {}.", name.as_str(), role.as_str());
        }
        Command::List => {
            let mut out = Out::new();
            for user in users::list(app, &owner).await? {
                writeln!(out, "{}\t{}\t{}", user.name.as_str(), user.role.as_str(), user.created_at)?;
            }
            out.finish()?;
        }
        Command::Role { name, role } => {
            users::change(app, &owner, &name, UserChanges { role: Some(role), ..UserChanges::default() })
                .await?;
            message!("{} is {} now.", name.as_str(), role.as_str());
        }
        Command::Passwd { name, password_stdin, revoke_tokens } => {
            let password = Some(password::ask(&name, password_stdin)?);
            users::change(app, &owner, &name, UserChanges { role: None, password, revoke_tokens }).await?;
            let tokens = if revoke_tokens { ", and no tokens" } else { "" };
            message!("{} has a new password{tokens}.", name.as_str());
        }
        Command::Remove { name } => {
            users::remove(app, &owner, &name).await?;
            message!("Removed {}.", name.as_str());
        }
    }
    Ok(())
}
