//! `reelshelf session`

use clap::Subcommand;
use reqwest::Method;

use super::{
    administration::{self, Cell, DatabaseOrServer, Missing},
    client::Client,
    output::message,
};
use crate::{
    documents::Session,
    domain::{SessionId, UserName},
    service::{App, Owner, sessions},
};

/// The operation on sessions.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: DatabaseOrServer,
}

#[derive(Subcommand)]
enum Command {
    /// List a user's sessions
    #[command(visible_alias = "ls")]
    List {
        /// The user [default on a server: you]
        #[arg(value_parser = UserName::parse)]
        user: Option<UserName>,
    },
    /// End a session, or all sessions of a user
    #[command(visible_alias = "rm", alias = "delete")]
    End {
        /// The session's user
        #[arg(value_parser = UserName::parse)]
        user: UserName,
        /// The session's id, as shown by `list`
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<SessionId>,
        /// All sessions of the user
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
        Command::List { user } => {
            let (_, sessions) = sessions::list_of(app, &owner, &administration::named(user)?).await?;
            print(&sessions)?;
        }
        Command::End { user, id: None, .. } => {
            sessions::end_all_of(app, &owner, &user).await?;
            message!("Ended all sessions of {}.", user.as_str());
        }
        Command::End { user, id: Some(id), .. } => {
            sessions::end_of(app, &owner, &user, id).await?;
            message!("Ended session {id} of {}.", user.as_str());
        }
    }
    Ok(())
}

async fn on_server(client: &Client, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { user } => {
            let path = client.path_of(user.as_ref(), "/session").await?;
            print(&client.get::<Vec<Session>>(&path, &[]).await?)?;
        }
        Command::End { user, id: None, .. } => {
            client.delete_all(&client.path_of(Some(&user), "/session").await?).await?;
            message!("Ended all sessions of {}.", user.as_str());
        }
        Command::End { user, id: Some(id), .. } => {
            let path = client.path_of(Some(&user), "/session").await?;
            client.change_at(Method::DELETE, &format!("{path}/{id}"), None).await?;
            message!("Ended session {id} of {}.", user.as_str());
        }
    }
    Ok(())
}

fn print(sessions: &[Session]) -> anyhow::Result<()> {
    let row = |session: &Session| {
        let Session { id, address, user_agent, created_at, seen_at, .. } = session;
        let (id, browser) = (Cell::Text(id.to_string()), Cell::from(user_agent.as_str()));
        [id, address.as_str().into(), (*created_at).into(), (*seen_at).into(), browser]
    };
    let columns = ["id", "address", "since", "last used", "browser"];
    administration::print(columns, sessions.iter().map(row).collect())
}
