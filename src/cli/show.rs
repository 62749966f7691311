//! `reelshelf show`

use std::io::Write;

use super::client::{
    Connection,
    selection::Selection,
    table::{self, Where},
    words::shown,
};
use crate::{
    cli::output::{Out, message},
    domain::{Attributes, Length, Movie},
    format::{film_length, length, moment_local, stars},
};

/// The films.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// JSON, for programs: an object for one id, an array for several ids or for words
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let client = args.connection.client()?;
    let (films, is_fuzzy) = args.selection.films(&client).await?;
    if is_fuzzy {
        message!("No title matches; these are similar.");
    }
    let is_single = args.selection.ids().is_some_and(|ids| ids.len() == 1);
    let mut out = Out::new();
    match films.as_slice() {
        [film] if args.json && is_single => out.json(film)?,
        films if args.json => out.json(&films)?,
        [film] => write!(out, "{}", described(film))?,
        films => write!(out, "{}", table::text(&table::of_films(films, Where::Out)))?,
    }
    out.finish()
}

/// Formats a length, with its minutes if it has hours.
fn in_hours_and_minutes(of: Length) -> String {
    if of.get() < 60 { film_length(of.get()) } else { format!("{} ({} min)", length(of.get()), of.get()) }
}

/// Formats a film with all its fields, one per line.
pub fn described(film: &Movie) -> String {
    let Attributes { title, movie_format, length, release_year, rating } = &film.attributes;
    let changed = if film.version == 1 {
        String::new()
    } else {
        format!(", changed {}", moment_local(film.updated_at))
    };
    format!(
        "{}\n  id      {}\n  year    {}\n  format  {}\n  length  {}\n  rating  {}\n  added   {}{changed}\n",
        shown(title.as_str()),
        film.id,
        release_year.get(),
        movie_format.as_str(),
        in_hours_and_minutes(*length),
        stars(rating.get()),
        moment_local(film.created_at),
    )
}
