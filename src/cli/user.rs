//! `reelshelf user`

use clap::Subcommand;
use reqwest::Method;
use serde_json::json;

use super::{
    administration::{self, DatabaseOrServer, Missing},
    client::Client,
    output::message,
    password,
};
use crate::{
    documents::{NewUser, User, UserChanges},
    domain::{Role, UserName},
    service::{App, IdempotencyKey, Owner, users},
};

/// The operation on users.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: DatabaseOrServer,
}

#[derive(Subcommand)]
enum Command {
    /// Add a user; prompts for the password
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
    #[command(visible_alias = "ls")]
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
    /// Set a user's password; prompts for it, and ends the user's sessions
    #[command(visible_alias = "password")]
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
    #[command(visible_alias = "rm", alias = "delete")]
    Remove {
        /// The user's name
        #[arg(value_parser = UserName::parse)]
        name: UserName,
    },
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let missing = if matches!(args.command, Command::Add { .. }) { Missing::Create } else { Missing::Refuse };
    args.place.run(missing, args.command, on_server, on_database).await
}

async fn on_database(app: &App, command: Command) -> anyhow::Result<()> {
    let owner = Owner::console();
    match command {
        Command::Add { name, role, password_stdin } => {
            let password = password::ask(&name, password_stdin)?;
            users::add(app, &owner, &name, role, password, IdempotencyKey::default()).await?;
            added(&name, role);
        }
        Command::List => {
            print(&users::list(app, &owner).await?)?;
        }
        Command::Role { name, role } => {
            users::change(app, &owner, &name, UserChanges { role: Some(role), ..UserChanges::default() })
                .await?;
            has_role(&name, role);
        }
        Command::Passwd { name, password_stdin, revoke_tokens } => {
            let password = Some(password::ask(&name, password_stdin)?);
            users::change(app, &owner, &name, UserChanges { role: None, password, revoke_tokens }).await?;
            has_password(&name, revoke_tokens);
        }
        Command::Remove { name } => {
            users::remove(app, &owner, &name).await?;
            removed(&name);
        }
    }
    Ok(())
}

async fn on_server(client: &Client, command: Command) -> anyhow::Result<()> {
    let path = |name: &UserName| format!("/user/{}", name.as_str());
    match command {
        Command::Add { name, role, password_stdin } => {
            let password = password::ask(&name, password_stdin)?;
            let user = NewUser { name, role, password };
            client.change_at(Method::POST, "/user", Some(&json!(user))).await?;
            added(&user.name, role);
        }
        Command::List => {
            print(&client.get::<Vec<User>>("/user", &[]).await?)?;
        }
        Command::Role { name, role } => {
            let changes = UserChanges { role: Some(role), ..UserChanges::default() };
            client.change_at(Method::PATCH, &path(&name), Some(&json!(changes))).await?;
            has_role(&name, role);
        }
        Command::Passwd { name, password_stdin, revoke_tokens } => {
            let password = Some(password::ask(&name, password_stdin)?);
            let changes = UserChanges { role: None, password, revoke_tokens };
            client.change_at(Method::PATCH, &path(&name), Some(&json!(changes))).await?;
            has_password(&name, revoke_tokens);
        }
        Command::Remove { name } => {
            client.change_at(Method::DELETE, &path(&name), None).await?;
            removed(&name);
        }
    }
    Ok(())
}

fn added(name: &UserName, role: Role) {
    message!("Added {} as {}.", name.as_str(), role.as_str());
}

fn has_role(name: &UserName, role: Role) {
    message!("{} now has the role {}.", name.as_str(), role.as_str());
}

fn has_password(name: &UserName, no_tokens: bool) {
    message!("{} has a new password{}.", name.as_str(), if no_tokens { ", and no tokens" } else { "" });
}

fn removed(name: &UserName) {
    message!("Removed {}.", name.as_str());
}

fn print(users: &[User]) -> anyhow::Result<()> {
    let row = |user: &User| [user.name.as_str().into(), user.role.as_str().into(), user.created_at.into()];
    administration::print(["name", "role", "since"], users.iter().map(row).collect())
}
