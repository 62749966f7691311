//! Shell completion of titles.

use std::{ffi::OsStr, time::Duration};

use clap::Parser;
use clap_complete::CompletionCandidate;

use super::Connection;
use crate::domain::{Movie, fold};

/// The time limit: users do not wait longer.
const TIMEOUT: Duration = Duration::from_millis(800);
/// The maximum number of titles, which fills a terminal.
const MAX_TITLES: usize = 50;

/// The environment variables that select the server.
#[derive(Parser)]
struct Environment {
    #[command(flatten)]
    connection: Connection,
}

/// Returns the titles that begin with a word; none if no server is reachable.
#[must_use]
pub fn complete(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(word) = current.to_str().filter(|word| !word.is_empty()) else { return Vec::new() };
    let films = tokio::runtime::Builder::new_current_thread().enable_all().build().ok().and_then(|runtime| {
        runtime.block_on(async { tokio::time::timeout(TIMEOUT, find(word)).await.ok().flatten() })
    });
    let begins = |film: &Movie| fold(film.attributes.title.as_str()).starts_with(&fold(word));
    let candidate = |film: Movie| {
        let a = film.attributes;
        CompletionCandidate::new(a.title.as_str())
            .help(Some(format!("{}, {}", a.release_year.get(), a.movie_format.as_str()).into()))
    };
    films.unwrap_or_default().into_iter().filter(begins).map(candidate).collect()
}

async fn find(word: &str) -> Option<Vec<Movie>> {
    let client = Environment::try_parse_from(["reelshelf"]).ok()?.connection.client().ok()?;
    let query = vec![("q", word.to_owned()), ("sort", "title".to_owned())];
    client.first_movies(query, MAX_TITLES).await.ok()
}
