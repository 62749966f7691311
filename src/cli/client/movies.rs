//! Movies of a server, and what is done with them.

use bytes::BytesMut;
use reqwest::{Method, Response, header};
use serde_json::{Value, json};

use super::{ANSWERING, Client, filters::Query};
use crate::{
    documents::BatchDone,
    domain::{Attributes, Limit, Movie, MovieId, MoviePatch},
};

/// A list as it arrives.
pub struct Listing {
    response: Response,
    held: BytesMut,
    /// How many films there are in all, where that was asked for.
    pub total: Option<u64>,
    /// Whether no title matches the search, and similar ones stand here instead.
    pub is_fuzzy: bool,
    left: usize,
}

/// The form in which a list is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Ndjson,
    Csv,
    Spreadsheet,
    Json,
}

impl Sent {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Spreadsheet => "text/csv; profile=spreadsheet",
            Self::Json => "application/json",
        }
    }
}

impl Listing {
    /// The next line, without its end.
    ///
    /// # Errors
    /// The connection breaks, or is silent for a minute.
    pub async fn next(&mut self, client: &Client) -> anyhow::Result<Option<BytesMut>> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut searched = 0;
        loop {
            if let Some(end) = self.held[searched..].iter().position(|byte| *byte == b'\n') {
                let mut line = self.held.split_to(searched + end + 1);
                line.truncate(searched + end);
                self.left -= 1;
                return Ok(Some(line));
            }
            searched = self.held.len();
            match client.piece(&mut self.response).await? {
                Some(piece) => self.held.extend_from_slice(&piece),
                None => return Ok(None), // every line has an end
            }
        }
    }

    /// The next movie, of a list in NDJSON.
    ///
    /// # Errors
    /// Those of [`Listing::next`]; what is no movie.
    pub async fn next_movie(&mut self, client: &Client) -> anyhow::Result<Option<Movie>> {
        let line = self.next(client).await?;
        line.map(|line| client.read(&line)).transpose()
    }
}

impl Client {
    /// Asks for a list, whole or its first so many lines.
    pub async fn list(&self, mut query: Query, sent: Sent, most: Option<usize>) -> anyhow::Result<Listing> {
        if let Some(most) = most.filter(|most| *most <= Limit::MAX) {
            query.extend([("limit", most.to_string()), ("total", "true".to_owned())]);
        }
        let response = self.open_list(&query, sent).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        Ok(Listing {
            total: header("x-total-count").and_then(|total| total.parse().ok()),
            is_fuzzy: header("reelshelf-match") == Some("fuzzy"),
            left: most.map_or(usize::MAX, |most| most.saturating_add(usize::from(sent == Sent::Csv))),
            held: BytesMut::new(),
            response,
        })
    }

    /// Asks for a list, to be read piece by piece.
    pub async fn open_list(&self, query: &Query, sent: Sent) -> anyhow::Result<Response> {
        let request = self.request(Method::GET, "/movie", query);
        self.send(request.header(header::ACCEPT, sent.media_type())).await
    }

    /// The next piece of an answer.
    ///
    /// # Errors
    /// The connection breaks, or is silent for a minute.
    pub async fn piece(&self, response: &mut Response) -> anyhow::Result<Option<bytes::Bytes>> {
        match tokio::time::timeout(ANSWERING, response.chunk()).await {
            Ok(piece) => piece.map_err(|error| self.server.failed(&error)),
            Err(_) => anyhow::bail!("{} fell silent in the middle of its answer", self.server),
        }
    }

    /// One movie.
    pub async fn movie(&self, id: MovieId) -> anyhow::Result<Movie> {
        self.get(&format!("/movie/{id}"), &[]).await
    }

    /// The first movies of a list.
    pub async fn first_movies(&self, mut query: Query, most: usize) -> anyhow::Result<Vec<Movie>> {
        query.push(("limit", most.to_string()));
        self.get("/movie", &query).await
    }

    /// One movie at random.
    pub async fn random_movie(&self, query: &Query) -> anyhow::Result<Movie> {
        self.get("/movie/random", query).await
    }

    /// Adds a movie.
    pub async fn add(&self, new: &Attributes) -> anyhow::Result<Movie> {
        let request = self.request(Method::POST, "/movie", &[]).timeout(ANSWERING);
        self.answer(request.json(new)).await
    }

    /// Does operations on many movies as one change.
    pub async fn batch(&self, operations: &[Value]) -> anyhow::Result<BatchDone> {
        let request = self.request(Method::POST, "/movie/batch", &[]);
        self.answer(request.json(&json!({"operations": operations}))).await
    }
}

/// The operation that changes a movie as it is now.
#[must_use]
pub fn update(movie: &Movie, changes: &MoviePatch) -> Value {
    json!({"op": "update", "id": movie.id, "version": movie.version, "changes": changes})
}

/// The operation that deletes a movie as it is now.
#[must_use]
pub fn delete(movie: &Movie) -> Value {
    json!({"op": "delete", "id": movie.id, "version": movie.version})
}
