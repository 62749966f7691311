//! `reelshelf add`

use std::io::Write;

use super::client::{
    Client, Connection, terminal, values,
    words::{named, shown},
};
use crate::{
    cli::output::{Out, message},
    domain::{Attributes, Length, Movie, MovieFormat, Rating, ReleaseYear, Title, fold},
};

/// The film; what is missing is asked for at the terminal.
#[derive(clap::Args)]
pub struct Args {
    /// The title, of 1 to 50 characters
    #[arg(long, value_parser = Title::parse, allow_hyphen_values = true)]
    title: Option<Title>,
    /// The release year, from 1800 to 2100
    #[arg(long, value_parser = values::year)]
    year: Option<ReleaseYear>,
    /// What the film is on
    #[arg(long, value_parser = values::format_option(), ignore_case = true)]
    format: Option<MovieFormat>,
    /// How long it runs, such as 2h50 or 170, up to 500 minutes
    #[arg(long, value_parser = values::length)]
    length: Option<Length>,
    /// How good it is, from 1 to 5
    #[arg(long, value_parser = values::rating)]
    rating: Option<Rating>,
    /// JSON, for programs: the film
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    if !terminal::is_there() {
        args.complete()?;
    }
    let client = args.connection.client()?;
    let json = args.json;
    let film = client.add(&ask_for_the_rest(args, &client).await?).await?;
    let mut out = Out::new();
    if json {
        out.json(&film)?;
    } else {
        writeln!(out, "Added {}.", shown(&named(&film)))?;
    }
    out.finish()
}

impl Args {
    /// Checks that nothing is missing.
    fn complete(&self) -> anyhow::Result<()> {
        let given = [
            ("--title", self.title.is_some()),
            ("--year", self.year.is_some()),
            ("--format", self.format.is_some()),
            ("--length", self.length.is_some()),
            ("--rating", self.rating.is_some()),
        ];
        let missing: Vec<&str> =
            given.into_iter().filter(|(_, given)| !given).map(|(name, _)| name).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join(", ");
        Err(super::wrong_usage(&format!("{missing} must be given where there is no terminal to ask at")))
    }
}

async fn ask_for_the_rest(args: Args, client: &Client) -> anyhow::Result<Attributes> {
    let title = given_or(args.title, || terminal::ask_for("Title:", Title::parse))?;
    let release_year = given_or(args.year, || terminal::ask_for("Release year:", values::year))?;
    for film in same(client, &title, release_year).await? {
        message!("There is already {}.", shown(&named(&film)));
    }
    Ok(Attributes {
        movie_format: given_or(args.format, || {
            terminal::ask_for("Format (VHS, DVD, Streaming):", values::format)
        })?,
        length: given_or(args.length, || terminal::ask_for("Length (such as 2h50 or 170):", values::length))?,
        rating: given_or(args.rating, || terminal::ask_for("Rating (1 to 5):", values::rating))?,
        title,
        release_year,
    })
}

fn given_or<T>(given: Option<T>, ask: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    given.map_or_else(ask, Ok)
}

/// The films of that title, case and accents aside, and year.
async fn same(client: &Client, title: &Title, year: ReleaseYear) -> anyhow::Result<Vec<Movie>> {
    const MOST: usize = 100;
    let query = vec![("q", title.as_str().to_owned()), ("releaseYear", year.get().to_string())];
    let mut films = client.first_movies(query, MOST).await?;
    films.retain(|film| fold(film.attributes.title.as_str()) == fold(title.as_str()));
    Ok(films)
}
