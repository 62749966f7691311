//! `reelshelf history`

use clap::Subcommand;

use super::database::Database;
use crate::{
    domain::Time,
    service::{Owner, changes},
};

/// What can be done with the history of the collection.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    database: Database,
}

#[derive(Subcommand)]
enum Command {
    /// Remove old changes for good: they can be neither shown nor undone any more
    Prune {
        /// Remove the changes before this moment (a date, or RFC 3339)
        #[arg(long, value_name = "DATE", value_parser = Time::parse_date)]
        before: Time,
    },
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let app = args.database.open().await?;
    match args.command {
        Command::Prune { before } => {
            let pruned = changes::prune(&app, &Owner::console(), before).await?;
            eprintln!("Removed {pruned} {}.", if pruned == 1 { "change" } else { "changes" });
        }
    }
    app.db.close().await;
    Ok(())
}
