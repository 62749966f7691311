//! `reelshelf edit`

use super::client::{
    Connection,
    batch::{self, Plan},
    movies::update,
    selection::Selection,
    table::{self, Where},
    terminal, values,
    words::{differences, named, shown},
};
use crate::{
    cli::{output::message, wrong_usage},
    documents::Batch,
    domain::{Length, Movie, MovieFormat, MoviePatch, Rating, ReleaseYear, Title},
    format::film_length,
};

/// The films and their new values. Without a value, a terminal prompts for each.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// The new title
    #[arg(long, value_parser = Title::parse, allow_hyphen_values = true)]
    title: Option<Title>,
    /// The new release year
    #[arg(long, alias = "release-year", value_parser = values::year)]
    year: Option<ReleaseYear>,
    /// The new format
    #[arg(long, alias = "movie-format", value_parser = values::format_option(), ignore_case = true)]
    format: Option<MovieFormat>,
    /// The new length, such as 2h50 or 170
    #[arg(long, value_parser = values::length)]
    length: Option<Length>,
    /// The new rating, from 1 to 5
    #[arg(long, value_parser = values::rating)]
    rating: Option<Rating>,
    #[command(flatten)]
    consent: batch::Consent,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut changes = MoviePatch {
        title: args.title,
        movie_format: args.format,
        length: args.length,
        release_year: args.year,
        rating: args.rating,
    };
    let is_asked = changes == MoviePatch::default();
    if is_asked && !terminal::is_there() {
        return Err(wrong_usage(
            "give what to change: --title, --year, --format, --length or --rating; there is no terminal to ask at",
        ));
    }
    let client = args.connection.client()?;
    let mut films = if is_asked {
        let film = args.selection.one(&client).await?;
        changes = ask(&film)?;
        vec![film]
    } else {
        args.selection.exact(&client).await?
    };
    films.retain(|film| film.attributes.with(&changes) != film.attributes);
    let plan = Plan {
        verb: "Change",
        done: "Changed",
        batch: Batch { operations: films.iter().map(|film| update(film, &changes)).collect() },
        preview: preview(&films, &changes),
        films: &films,
    };
    batch::run(&client, &plan, &args.consent).await
}

/// Prompts for each field of a film, with its current value.
fn ask(film: &Movie) -> anyhow::Result<MoviePatch> {
    message!("{}: Enter keeps a value.", shown(&named(film)));
    let now = &film.attributes;
    let question = |name: &str, value: &str| format!("{name} [{}]:", shown(value));
    Ok(MoviePatch {
        title: terminal::ask_to_change(&question("Title", now.title.as_str()), Title::parse)?,
        release_year: terminal::ask_to_change(
            &question("Release year", &now.release_year.get().to_string()),
            values::year,
        )?,
        movie_format: terminal::ask_to_change(
            &question("Format", now.movie_format.as_str()),
            MovieFormat::parse_any_case,
        )?,
        length: terminal::ask_to_change(&question("Length", &film_length(now.length.get())), values::length)?,
        rating: terminal::ask_to_change(&question("Rating", &now.rating.get().to_string()), values::rating)?,
    })
}

fn preview(films: &[Movie], changes: &MoviePatch) -> String {
    let mut table = table::new(&[("film", false), ("changes", false)], Where::Err);
    table.add_rows(films.iter().map(|film| {
        let after = film.attributes.with(changes);
        [shown(&named(film)), shown(&differences(&film.attributes, &after))]
    }));
    table::text(&table)
}
