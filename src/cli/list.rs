//! `reelshelf list` and `reelshelf search`

use std::io::{IsTerminal, Write};

use super::client::{
    Client, Connection,
    filters::{Filters, Query},
    movies::{Listing, Sent},
    table::Long,
    values,
    words::{count, number},
};
use crate::{
    cli::output::{Form, Out, message},
    domain::{Filter, Invalid},
};

/// How many films a person is shown without asking for more.
const SHOWN: usize = 100;

/// Which films, in which order and form.
#[derive(clap::Args)]
pub struct Args {
    /// In which order: id, title, format, length, year, rating, createdAt, updatedAt, comma-separated;
    /// - before one turns it round
    #[arg(long, value_name = "KEYS", value_parser = values::sort, allow_hyphen_values = true)]
    sort: Option<String>,
    /// At most so many; at a terminal 100 without this
    #[arg(long, value_name = "NUMBER", value_parser = values::limit, conflicts_with = "all")]
    limit: Option<usize>,
    /// Every one, also at a terminal
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    connection: Connection,
}

/// A list of what a search finds.
#[derive(clap::Args)]
pub struct SearchArgs {
    /// The beginnings of words of the title, whatever case and accents
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    #[command(flatten)]
    list: Args,
}

pub async fn search(args: SearchArgs) -> anyhow::Result<()> {
    let words = args.query.join(" ");
    let fits = Filter::default().search(&words);
    fits.map_err(|Invalid(rule)| super::wrong_usage(&format!("QUERY {rule}")))?;
    list(args.list, Some(words)).await
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    list(args, None).await
}

async fn list(args: Args, search: Option<String>) -> anyhow::Result<()> {
    let client = args.connection.client()?;
    let Form { json, csv } = args.form;
    let for_people = !json && !csv && std::io::stdout().is_terminal() && !args.all;
    let most = args.limit.or(for_people.then_some(SHOWN));
    let mut query: Query = args.filters.query();
    query.extend(search.map(|words| ("q", words)));
    query.extend(args.sort.map(|sort| ("sort", sort)));
    let mut films = client.list(query, if csv { Sent::Csv } else { Sent::Ndjson }, most).await?;
    if films.is_fuzzy {
        message!("No title matches; these are similar.");
    }
    let mut out = Out::new();
    match (json, csv) {
        (true, _) => as_json(&mut films, &client, &mut out).await?,
        (_, true) => as_csv(&mut films, &client, &mut out).await?,
        _ => as_table(&mut films, &client, &mut out, for_people && args.limit.is_none()).await?,
    }
    out.finish()
}

/// An array with a film a line, as it arrives.
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

async fn as_table(films: &mut Listing, client: &Client, out: &mut Out, is_cut: bool) -> anyhow::Result<()> {
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
    Ok(())
}
