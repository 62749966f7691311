//! `reelshelf pick`

use std::io::Write;

use super::{
    client::{Connection, filters::Filters, values},
    show::described,
};
use crate::{
    cli::output::Out,
    domain::{Length, Rating},
};

/// Requirements for the film.
#[derive(clap::Args)]
pub struct Args {
    /// The maximum length, such as 2h or 90; leaves out films of unknown length
    #[arg(long, value_name = "LENGTH", value_parser = values::length, conflicts_with = "length")]
    max_length: Option<Length>,
    /// The minimum rating, from 1 to 5
    #[arg(long, value_name = "RATING", value_parser = values::rating, conflicts_with = "rating")]
    min_rating: Option<Rating>,
    /// JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut query = args.filters.query()?;
    let client = args.connection.client()?;
    query.extend(args.max_length.map(|most| ("length", format!("1..{}", most.get()))));
    query.extend(args.min_rating.map(|least| ("rating", format!("{}..", least.get()))));
    let film = client.random_movie(&query).await?;
    let mut out = Out::new();
    if args.json {
        out.json(&film)?;
    } else {
        write!(out, "{}", described(&film))?;
    }
    out.finish()
}
