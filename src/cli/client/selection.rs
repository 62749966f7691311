//! The films of a command, selected by id or search.

use anyhow::bail;
use clap_complete::engine::ArgValueCompleter;

use super::{
    Client,
    filters::word,
    movies::Sent,
    refusal::Refusal,
    table::{self, Where},
    titles,
};
use crate::{
    documents::Problem,
    domain::{Movie, MovieId, query_words},
    format::count,
    limits::MAX_BATCH_OPERATIONS,
};

/// Ids or a search.
#[derive(clap::Args)]
pub struct Selection {
    /// Words of the title or their beginnings; a number alone is the id of a film
    #[arg(required = true, value_name = "QUERY", value_parser = word, add = ArgValueCompleter::new(titles::complete))]
    given: Vec<String>,
    /// Search titles for a number such as 1984, instead of using it as an id
    #[arg(long, alias = "search")]
    by_title: bool,
}

impl Selection {
    /// Creates a selection from other arguments.
    #[must_use]
    pub fn of(given: Vec<String>) -> Self {
        Self { given, by_title: false }
    }

    /// Returns the ids, if only ids were given.
    #[must_use]
    pub fn ids(&self) -> Option<Vec<MovieId>> {
        if self.by_title {
            return None;
        }
        let mut ids: Vec<MovieId> = self.given.iter().map(|text| id(text)).collect::<Option<_>>()?;
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }

    /// Returns the search, if it is one.
    #[must_use]
    pub fn search(&self) -> String {
        self.given.join(" ")
    }

    /// Returns the film of each id, or all films that match the search, and whether the match is fuzzy.
    ///
    /// # Errors
    /// If an id does not exist, or the search matches no film or more than can be changed at once.
    pub async fn films(&self, client: &Client) -> anyhow::Result<(Vec<Movie>, bool)> {
        let mut films = Vec::new();
        if let Some(ids) = self.ids() {
            for id in ids {
                films.push(client.movie(id).await.map_err(|error| or_title(error, id))?);
            }
            return Ok((films, false));
        }
        if query_words(&self.search()).is_empty() {
            bail!("QUERY has no word: {:?} would match all films", self.search());
        }
        let query = vec![("q", self.search()), ("sort", "title".to_owned())];
        let mut list = client.list(query, Sent::Ndjson, None).await?;
        while let Some(film) = list.next_movie(client).await? {
            films.push(film);
            if films.len() > MAX_BATCH_OPERATIONS {
                bail!(
                    "{:?} finds more than {}; add words to the query",
                    self.search(),
                    count(MAX_BATCH_OPERATIONS, "film")
                );
            }
        }
        if films.is_empty() {
            bail!("no film matches {:?}", self.search());
        }
        Ok((films, list.is_fuzzy))
    }

    /// Returns the only film of the selection.
    ///
    /// # Errors
    /// As [`Selection::exact`]; if several films match, with a list of them.
    pub async fn one(&self, client: &Client) -> anyhow::Result<Movie> {
        let mut films = self.exact(client).await?;
        if let [_] = films.as_slice() {
            return Ok(films.remove(0));
        }
        bail!(
            "these are {}; give the id of one\n{}",
            count(films.len(), "film"),
            table::text(&table::of_films(&films, Where::Err)).trim_end()
        )
    }

    /// Returns films to change: exact matches only.
    ///
    /// # Errors
    /// As [`Selection::films`]; if there is no exact match.
    pub async fn exact(&self, client: &Client) -> anyhow::Result<Vec<Movie>> {
        let (films, is_fuzzy) = self.films(client).await?;
        if is_fuzzy {
            let similar = table::text(&table::of_films(&films, Where::Err));
            bail!("no film matches {:?}; similar are\n{}", self.search(), similar.trim_end());
        }
        Ok(films)
    }
}

/// Adds how to search for a title that is a number, if this id does not exist.
fn or_title(error: anyhow::Error, id: MovieId) -> anyhow::Error {
    match error.downcast_ref::<Refusal>() {
        Some(Refusal(Problem { status: 404, detail, .. })) => {
            anyhow::anyhow!("{detail}; to search titles for {id}, add --by-title")
        }
        _ => error,
    }
}

/// Parses an id of digits only.
#[must_use]
pub fn id(text: &str) -> Option<MovieId> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
