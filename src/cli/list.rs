//! `reelshelf list`, and `reelshelf search` with words to search for

use std::io::{IsTerminal, Write};

use super::client::{
    Client, Connection,
    filters::Filters,
    movies::{Listing, Sent},
    selection::id,
    table::Long,
    values,
};
use crate::{
    cli::output::{Form, Out, message},
    format::{count, number},
};

/// The number of films listed at a terminal without --all.
const DEFAULT_MOVIES: usize = 100;

/// The films, their order and the format.
#[derive(clap::Args)]
pub struct Args {
    /// The order: id, title, format, length, year, rating, added, changed, comma-separated;
    /// - before a name reverses it
    #[arg(long, value_name = "KEYS", value_parser = values::sort, allow_hyphen_values = true)]
    sort: Option<String>,
    /// List at most this number of films [default at a terminal: 100]
    #[arg(long, value_name = "NUMBER", value_parser = values::limit, conflicts_with = "all")]
    limit: Option<usize>,
    /// List all films, at a terminal too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut query = args.filters.query()?;
    let client = args.connection.client()?;
    let Form { json, csv } = args.form;
    let for_people = !json && !csv && std::io::stdout().is_terminal() && !args.all;
    let most = args.limit.or(for_people.then_some(DEFAULT_MOVIES));
    query.extend(args.sort.map(|sort| ("sort", sort)));
    let mut films = client.list(query, if csv { Sent::Csv } else { Sent::Ndjson }, most).await?;
    if films.is_fuzzy {
        message!("No title matches; these are similar.");
    }
    let mut out = Out::new();
    match (json, csv) {
        (true, _) => as_json(&mut films, &client, &mut out).await?,
        (_, true) => as_csv(&mut films, &client, &mut out).await?,
        _ => {
            let is_cut = for_people && args.limit.is_none();
            let is_empty = as_table(&mut films, &client, &mut out, is_cut).await? == 0;
            if let ([number], true) = (args.filters.words(), is_empty)
                && id(number).is_some()
            {
                message!("`reelshelf show {number}` shows the film with this id.");
            }
        }
    }
    out.finish()
}

/// Writes a JSON array with one film per line, as it arrives.
async fn as_json(films: &mut Listing, client: &Client, out: &mut Out) -> anyhow::Result<()> {
    out.write_all(b"[")?;
    let mut between = "\n";
    while let Some(film) = films.next(client).await? {
        out.write_all(between.as_bytes())?;
        out.write_all(&film)?;
        between = ",\n";
    }
    out.write_all(if between == "\n" { b"]\n" } else { b"\n]\n" })?;
    Ok(())
}

async fn as_csv(films: &mut Listing, client: &Client, out: &mut Out) -> anyhow::Result<()> {
    while let Some(line) = films.next(client).await? {
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

async fn as_table(films: &mut Listing, client: &Client, out: &mut Out, is_cut: bool) -> anyhow::Result<u64> {
    let mut table = Long::new();
    let mut shown = 0;
    while let Some(film) = films.next_movie(client).await? {
        table.add(film, out)?;
        shown += 1;
    }
    table.finish(out)?;
    out.flush()?;
    match films.total {
        _ if shown == 0 => message!("No films."),
        Some(total) if is_cut && total > shown => {
            message!("{} of {}; --all shows every one.", number(shown), count(total, "film"));
        }
        _ => {}
    }
    Ok(shown)
}
