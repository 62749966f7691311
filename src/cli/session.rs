//! `reelshelf session`

use std::io::Write;

use clap::Subcommand;

use super::{
    client::words::shown,
    database::Database,
    output::{Out, message},
};
use crate::{
    domain::UserName,
    service::{App, Owner, sessions},
};

/// What can be done with sessions.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    database: Database,
}

#[derive(Subcommand)]
enum Command {
    /// List a user's sessions
    List {
        /// Whose sessions
        #[arg(value_parser = UserName::parse)]
        user: UserName,
    },
    /// End a session, or all sessions of a user
    End {
        /// Whose session it is
        #[arg(value_parser = UserName::parse)]
        user: UserName,
        /// The session's id, as `list` shows it
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<i64>,
        /// All sessions of the user
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
        Command::List { user } => {
            let (_, sessions) = sessions::list_of(app, &owner, &user).await?;
            let mut out = Out::new();
            for session in sessions {
                // A browser calls itself what it likes.
                let browser = shown(&session.user_agent);
                let (id, address) = (session.id, session.address);
                writeln!(out, "{id}\t{address}\t{}\t{}\t{browser}", session.created_at, session.seen_at)?;
            }
            out.finish()?;
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
