//! `reelshelf history`: lists changes of a server, and prunes changes in the database.

use std::io::{self, Write};

use clap::Subcommand;
use clap_complete::engine::ArgValueCompleter;

use super::{
    client::{
        Client, Connection,
        filters::word,
        history::{Changes, tell},
        selection::Selection,
        titles, values,
    },
    database::Database,
};
use crate::{
    cli::output::{Out, message},
    domain::{MovieId, Time},
    format::count,
    service::{Owner, history},
};

/// The number of changes listed without --limit or --all.
const DEFAULT_CHANGES: usize = 20;

/// Which changes to list, or prune.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_help_heading = "Administration",
    disable_help_subcommand = true
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Only the changes of one film: words of its title, or its id. A deleted film has only its id
    #[arg(value_name = "QUERY", value_parser = word, add = ArgValueCompleter::new(titles::complete))]
    film: Vec<String>,
    /// List at most this number of changes, the newest first [default: 20]
    #[arg(long, value_name = "NUMBER", value_parser = values::limit, conflicts_with = "all")]
    limit: Option<usize>,
    /// List all changes
    #[arg(long)]
    all: bool,
    /// JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Subcommand)]
pub enum Command {
    /// Delete old changes for good, in the database itself; they can no longer be shown or undone
    Prune(Prune),
}

#[derive(clap::Args)]
pub struct Prune {
    /// Delete the changes before this time (a date, or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Time::parse_date)]
    before: Time,
    #[command(flatten)]
    database: Database,
}

/// Lists changes.
pub async fn run(args: Args) -> anyhow::Result<()> {
    if let Some(Command::Prune(args)) = args.command {
        return prune(args).await;
    }
    let client = args.connection.client()?;
    let most = if args.all { usize::MAX } else { args.limit.unwrap_or(DEFAULT_CHANGES) };
    let film = if args.film.is_empty() { None } else { Some(one(args.film, &client).await?) };
    let mut changes = Changes::new(&client, film, Some(most));
    let mut out = Out::new();
    let mut printed = 0;
    while printed < most
        && let Some(change) = changes.next().await?
    {
        match (args.json, printed) {
            (false, 0) => tell(&change, &mut out)?,
            (false, _) => {
                writeln!(out)?;
                tell(&change, &mut out)?;
            }
            (true, printed) => {
                write!(out, "{}", if printed == 0 { "[\n" } else { ",\n" })?;
                serde_json::to_writer(&mut out, &change).map_err(io::Error::from)?;
            }
        }
        printed += 1;
    }
    match (args.json, printed) {
        (true, 0) => writeln!(out, "[]")?,
        (true, _) => writeln!(out, "\n]")?,
        (false, 0) => message!("No changes."),
        (false, _) => {}
    }
    out.finish()
}

/// Returns the id of the selected film.
async fn one(film: Vec<String>, client: &Client) -> anyhow::Result<MovieId> {
    let selection = Selection::of(film);
    if let Some([id]) = selection.ids().as_deref() {
        return Ok(*id);
    }
    Ok(selection.one(client).await?.id)
}

/// Prunes the history of a database.
async fn prune(args: Prune) -> anyhow::Result<()> {
    let app = args.database.open_existing().await?;
    let pruned = history::prune(&app, &Owner::console(), args.before).await;
    app.db.close().await;
    message!("Removed {}.", count(pruned?, "change"));
    Ok(())
}
