//! The films that a command is to do something with: by their ids, or by a search.

use anyhow::bail;
use clap_complete::engine::ArgValueCompleter;

use super::{
    Client,
    movies::Sent,
    table::{self, Where},
    titles,
    words::count,
};
use crate::{
    domain::{Filter, Invalid, Movie},
    limits::MAX_BATCH_OPERATIONS,
};

/// Ids or a search.
#[derive(clap::Args)]
pub struct Selection {
    /// Ids of films, or words of a title; what is digits alone is an id
    #[arg(required = true, value_name = "ID|SEARCH", value_parser = word, add = ArgValueCompleter::new(titles::complete))]
    given: Vec<String>,
    /// Take it for words of a title even where it is digits alone, as in 1984
    #[arg(long)]
    search: bool,
}

/// Checks that words can be searched for.
pub fn word(text: &str) -> Result<String, Invalid> {
    Filter::default().search(text).map(|()| text.to_owned())
}

impl Selection {
    /// What was given in another way.
    #[must_use]
    pub fn of(given: Vec<String>) -> Self {
        Self { given, search: false }
    }

    /// The ids, where ids are what was given.
    #[must_use]
    pub fn ids(&self) -> Option<Vec<i64>> {
        if self.search {
            return None;
        }
        let mut ids: Vec<i64> = self.given.iter().map(|text| id(text)).collect::<Option<_>>()?;
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }

    /// The search, where a search is what was given.
    #[must_use]
    pub fn search(&self) -> String {
        self.given.join(" ")
    }

    /// The films: one for each id, or all that the search finds, and whether these are but similar.
    ///
    /// # Errors
    /// An id of no film; a search that finds none, or more than can be changed at once.
    pub async fn films(&self, client: &Client) -> anyhow::Result<(Vec<Movie>, bool)> {
        let mut films = Vec::new();
        if let Some(ids) = self.ids() {
            for id in ids {
                films.push(client.movie(id).await?);
            }
            return Ok((films, false));
        }
        let query = vec![("q", self.search()), ("sort", "title".to_owned())];
        let mut list = client.list(query, Sent::Ndjson, None).await?;
        while let Some(film) = list.next_movie(client).await? {
            films.push(film);
            if films.len() > MAX_BATCH_OPERATIONS {
                bail!(
                    "{:?} finds more than {}; search for more",
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

    /// The films that are to be changed; never those of which the titles are but similar.
    ///
    /// # Errors
    /// Those of [`Selection::films`]; no title matches.
    pub async fn exact(&self, client: &Client) -> anyhow::Result<Vec<Movie>> {
        let (films, is_fuzzy) = self.films(client).await?;
        if is_fuzzy {
            let similar = table::text(&table::of_films(&films, Where::Err));
            bail!("no film matches {:?}; similar are\n{}", self.search(), similar.trim_end());
        }
        Ok(films)
    }
}

/// Reads an id: digits alone.
#[must_use]
pub fn id(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
