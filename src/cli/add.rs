//! `reelshelf add`

use std::io::Write;

use anyhow::bail;

use super::client::{
    Client, Connection, terminal, values,
    words::{named, shown},
};
use crate::{
    cli::{
        output::{Out, message},
        wrong_usage,
    },
    domain::{Attributes, Length, Movie, MovieFormat, Rating, ReleaseYear, Title, fold},
};

/// The film. A terminal prompts for missing values.
#[derive(clap::Args)]
pub struct Args {
    /// The title, of 1 to 50 characters
    #[arg(value_name = "TITLE")]
    title: Vec<String>,
    /// The old spelling of TITLE
    #[arg(long = "title", value_name = "TITLE", hide = true, value_parser = Title::parse, allow_hyphen_values = true, conflicts_with = "title")]
    title_option: Option<Title>,
    /// The release year, from 1800 to 2100
    #[arg(long, alias = "release-year", value_parser = values::year)]
    year: Option<ReleaseYear>,
    /// What the film is on
    #[arg(long, alias = "movie-format", value_parser = values::format_option(), ignore_case = true)]
    format: Option<MovieFormat>,
    /// How long it runs, such as 2h50 or 170, up to 500 minutes
    #[arg(long, value_parser = values::length)]
    length: Option<Length>,
    /// How good it is, from 1 to 5
    #[arg(long, value_parser = values::rating)]
    rating: Option<Rating>,
    /// Add the film even if it is in the collection already, and do not ask
    #[arg(long, short)]
    yes: bool,
    /// JSON, for programs: the film
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let title = args.title()?;
    if !terminal::is_there() {
        args.complete(title.is_some())?;
    }
    let client = args.connection.client()?;
    let film = args.ask_for_the_rest(title, &client).await?;
    let film = client.add(&film).await?;
    let mut out = Out::new();
    if args.json {
        out.json(&film)?;
    } else {
        writeln!(out, "Added {}.", shown(&named(&film)))?;
    }
    out.finish()
}

impl Args {
    /// Returns the title from the words of the command line.
    fn title(&self) -> anyhow::Result<Option<Title>> {
        if self.title.is_empty() {
            return Ok(self.title_option.clone());
        }
        let title = Title::parse(&self.title.join(" "));
        title.map(Some).map_err(|invalid| wrong_usage(&format!("TITLE {invalid}")))
    }

    /// Checks that no value is missing.
    fn complete(&self, has_title: bool) -> anyhow::Result<()> {
        let given = [
            ("TITLE", has_title),
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
        Err(wrong_usage(&format!("{missing} must be given; there is no terminal to ask at")))
    }

    async fn ask_for_the_rest(&self, title: Option<Title>, client: &Client) -> anyhow::Result<Attributes> {
        let title = given_or(title, || terminal::ask_for("Title:", Title::parse))?;
        let release_year = given_or(self.year, || terminal::ask_for("Release year:", values::year))?;
        self.check_duplicates(&same(client, &title, release_year).await?)?;
        Ok(Attributes {
            movie_format: given_or(self.format, || {
                terminal::ask_for("Format (VHS, DVD, Streaming):", MovieFormat::parse_any_case)
            })?,
            length: given_or(self.length, || {
                terminal::ask_for("Length (such as 2h50 or 170):", values::length)
            })?,
            rating: given_or(self.rating, || terminal::ask_for("Rating (1 to 5):", values::rating))?,
            title,
            release_year,
        })
    }

    /// Lists films with the same title and year, and asks whether to add another one. Without a terminal, a
    /// film with the same format is rejected as a duplicate, as in an import.
    fn check_duplicates(&self, same: &[Movie]) -> anyhow::Result<()> {
        for film in same {
            message!("There is already {}.", shown(&named(film)));
        }
        if same.is_empty() || self.yes {
            return Ok(());
        }
        if terminal::is_there() {
            anyhow::ensure!(terminal::agrees("Add another one?")?, "nothing was added");
            return Ok(());
        }
        match same.iter().find(|film| Some(film.attributes.movie_format) == self.format) {
            Some(_) => bail!("nothing was added; --yes adds the film anyway"),
            None => Ok(()),
        }
    }
}

fn given_or<T>(given: Option<T>, ask: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    given.map_or_else(ask, Ok)
}

/// Returns the films with this title, ignoring case and accents, and year.
async fn same(client: &Client, title: &Title, year: ReleaseYear) -> anyhow::Result<Vec<Movie>> {
    const MAX_LOOKED_AT: usize = 100;
    let query = vec![("q", title.as_str().to_owned()), ("releaseYear", year.get().to_string())];
    let mut films = client.first_movies(query, MAX_LOOKED_AT).await?;
    films.retain(|film| fold(film.attributes.title.as_str()) == fold(title.as_str()));
    Ok(films)
}
