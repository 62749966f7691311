//! `reelshelf edit`

use super::client::{
    Connection,
    batch::{self, Plan},
    movies::update,
    selection::Selection,
    table::{self, Where},
    values,
    words::{differences, named, shown},
};
use crate::domain::{Changes, Length, Movie, MovieFormat, Rating, ReleaseYear, Title};

/// Which films, and what of them becomes different.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Another title
    #[arg(long, value_parser = Title::parse, group = "change", allow_hyphen_values = true)]
    title: Option<Title>,
    /// Another release year
    #[arg(long, value_parser = values::year, group = "change")]
    year: Option<ReleaseYear>,
    /// Another format
    #[arg(long, value_parser = values::format_option(), ignore_case = true, group = "change")]
    format: Option<MovieFormat>,
    /// Another length, such as 2h50 or 170
    #[arg(long, value_parser = values::length, group = "change")]
    length: Option<Length>,
    /// Another rating, from 1 to 5
    #[arg(long, value_parser = values::rating, group = "change")]
    rating: Option<Rating>,
    #[command(flatten)]
    consent: batch::Consent,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let client = args.connection.client()?;
    let changes = Changes {
        title: args.title,
        movie_format: args.format,
        length: args.length,
        release_year: args.year,
        rating: args.rating,
    };
    let mut films = args.selection.exact(&client).await?;
    films.retain(|film| film.attributes.with(&changes) != film.attributes);
    let plan = Plan {
        verb: "Change",
        done: "Changed",
        operations: films.iter().map(|film| update(film, &changes)).collect(),
        preview: preview(&films, &changes),
        films: &films,
    };
    batch::run(&client, &plan, &args.consent).await
}

fn preview(films: &[Movie], changes: &Changes) -> String {
    let mut table = table::new(&[("film", false), ("becomes different in", false)], Where::Err);
    table.add_rows(films.iter().map(|film| {
        let after = film.attributes.with(changes);
        [shown(&named(film)), shown(&differences(&film.attributes, &after))]
    }));
    table::text(&table)
}
