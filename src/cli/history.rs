//! `reelshelf history`: the list of changes, of a server; and its pruning, on the database itself.

use std::io::{self, Write};

use anyhow::bail;
use clap::Subcommand;
use clap_complete::engine::ArgValueCompleter;

use super::{
    client::{
        Client, Connection,
        history::{Changes, tell},
        selection::{Selection, word},
        table::{self, Where},
        titles, values,
        words::count,
    },
    database::Database,
};
use crate::{
    cli::output::{Out, message},
    domain::Time,
    service::{Owner, changes},
};

/// How many changes are shown without asking for more.
const SHOWN: usize = 20;

/// Which changes, or what else can be done with them.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_help_heading = "Administration",
    disable_help_subcommand = true
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Only what was done with this film; its id, or words of its title. What was deleted has only its id
    #[arg(value_name = "ID|SEARCH", value_parser = word, add = ArgValueCompleter::new(titles::complete))]
    film: Vec<String>,
    /// At most so many changes, the newest first; 20 without this
    #[arg(long, value_name = "NUMBER", value_parser = values::limit, conflicts_with = "all")]
    limit: Option<usize>,
    /// Every change
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
    /// Remove old changes for good, on the database itself: they can be neither shown nor undone any more
    Prune(Prune),
}

#[derive(clap::Args)]
pub struct Prune {
    /// Remove the changes before this moment (a date, or RFC 3339)
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
    let most = if args.all { usize::MAX } else { args.limit.unwrap_or(SHOWN) };
    let film = if args.film.is_empty() { None } else { Some(one(args.film, &client).await?) };
    let mut changes = Changes::new(&client, film, Some(most));
    let mut out = Out::new();
    let mut told = 0;
    while told < most
        && let Some(change) = changes.next().await?
    {
        match (args.json, told) {
            (false, 0) => tell(&change, &mut out)?,
            (false, _) => {
                writeln!(out)?;
                tell(&change, &mut out)?;
            }
            (true, told) => {
                write!(out, "{}", if told == 0 { "[\n" } else { ",\n" })?;
                serde_json::to_writer(&mut out, &change).map_err(io::Error::from)?;
            }
        }
        told += 1;
    }
    match (args.json, told) {
        (true, 0) => writeln!(out, "[]")?,
        (true, _) => writeln!(out, "\n]")?,
        (false, 0) => message!("No changes."),
        (false, _) => {}
    }
    out.finish()
}

/// The id of the one film that is meant.
async fn one(film: Vec<String>, client: &Client) -> anyhow::Result<i64> {
    let selection = Selection::of(film);
    if let Some([id]) = selection.ids().as_deref() {
        return Ok(*id);
    }
    match selection.exact(client).await?.as_slice() {
        [film] => Ok(film.id),
        films => bail!(
            "these are {}; give the id of one\n{}",
            count(films.len(), "film"),
            table::text(&table::of_films(films, Where::Err)).trim_end()
        ),
    }
}

/// Prunes the history of a database.
async fn prune(args: Prune) -> anyhow::Result<()> {
    let app = args.database.open().await?;
    let pruned = changes::prune(&app, &Owner::console(), args.before).await?;
    message!("Removed {pruned} {}.", if pruned == 1 { "change" } else { "changes" });
    app.db.close().await;
    Ok(())
}
