//! `reelshelf stats`

use std::io::{self, Write};

use serde::Deserialize;
use serde_json::Value;

use super::client::{
    Connection,
    filters::Filters,
    table::{self, Where},
};
use crate::{
    cli::output::Out,
    documents::Stats,
    format::{count, length, number, stars},
};

/// The films.
#[derive(clap::Args)]
pub struct Args {
    /// JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let query = args.filters.query()?;
    let client = args.connection.client()?;
    let stats: Value = client.get("/stats", &query).await?;
    let mut out = Out::new();
    if args.json {
        out.json(&stats)?;
    } else {
        tell(&Stats::deserialize(&stats)?, &mut out)?;
    }
    out.finish()
}

fn tell(stats: &Stats, out: &mut Out) -> io::Result<()> {
    let mean = |mean: f64| format!(", {} on average", minutes(mean.round()));
    writeln!(out, "{}", count(stats.movies, "film"))?;
    let (hours, minutes) = (number(stats.total_length / 60), stats.total_length % 60);
    match stats.mean_length {
        Some(length) => writeln!(out, "{hours} h {minutes:02} in all{}", mean(length))?,
        None => writeln!(out, "no lengths known")?,
    }
    if let Some(rating) = stats.mean_rating {
        writeln!(out, "rated {rating} on average")?;
    }
    bars("format", stats.movie_format.iter().map(|(format, films)| (format.clone(), *films)), out)?;
    let ratings = stats.rating.iter().rev();
    let ratings = ratings.map(|(rating, films)| (stars(*rating).to_owned(), *films));
    bars("rating", ratings, out)?;
    bars("decade", stats.decade.iter().map(|(decade, films)| (format!("{decade}s"), *films)), out)
}

/// Formats a mean length to the minute.
#[expect(clippy::cast_possible_truncation, reason = "a mean of lengths is a length, of 500 minutes at most")]
fn minutes(mean: f64) -> String {
    length(mean as i64)
}

/// Writes a table with a bar in each row, scaled to the largest number.
fn bars(name: &'static str, rows: impl Iterator<Item = (String, u64)>, out: &mut Out) -> io::Result<()> {
    const MAX_BAR_CHARS: u64 = 40;

    let rows: Vec<(String, u64)> = rows.collect();
    let Some(most) = rows.iter().map(|(_, films)| *films).max() else { return Ok(()) };
    let mut table = table::new(&[(name, false), ("films", true), ("", false)], Where::Out);
    table.add_rows(rows.into_iter().map(|(name, films)| {
        let length = (films * MAX_BAR_CHARS).div_ceil(most.max(1)); // at least 1 if there is a film
        [name, number(films), "█".repeat(usize::try_from(length).unwrap_or_default())]
    }));
    write!(out, "\n{}", table::text(&table))
}
