//! Requests about movies.

use bytes::BytesMut;
use reqwest::{Method, Response, header};

use super::{ANSWERING, Client, filters::Query};
use crate::{
    documents::{Batch, BatchDone, Operation},
    domain::{Attributes, Limit, Movie, MovieId, MoviePatch},
};

/// A list that is being received.
pub struct Listing {
    response: Response,
    held: BytesMut,
    /// The total number of films, if requested.
    pub total: Option<u64>,
    /// Whether the films are fuzzy matches.
    pub is_fuzzy: bool,
    left: usize,
}

/// The format of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Ndjson,
    Csv,
    Spreadsheet,
    Json,
}

impl Sent {
    /// Returns the media type.
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
    /// Returns the next line, without its end.
    ///
    /// # Errors
    /// If the connection fails, or is silent for a minute.
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
                None => return Ok(None), // a complete list ends with a line end
            }
        }
    }

    /// Returns the next movie of an NDJSON list.
    ///
    /// # Errors
    /// As [`Listing::next`]; if a line is not a movie.
    pub async fn next_movie(&mut self, client: &Client) -> anyhow::Result<Option<Movie>> {
        let line = self.next(client).await?;
        line.map(|line| client.read(&line)).transpose()
    }
}

impl Client {
    /// Requests a list, or its first `most` lines.
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

    /// Requests a list, to be read chunk by chunk.
    pub async fn open_list(&self, query: &Query, sent: Sent) -> anyhow::Result<Response> {
        let request = self.request(Method::GET, "/movie", query);
        self.send(request.header(header::ACCEPT, sent.media_type())).await
    }

    /// Returns the next chunk of a response.
    ///
    /// # Errors
    /// If the connection fails, or is silent for a minute.
    pub async fn piece(&self, response: &mut Response) -> anyhow::Result<Option<bytes::Bytes>> {
        match tokio::time::timeout(ANSWERING, response.chunk()).await {
            Ok(piece) => piece.map_err(|error| self.server.failed(&error)),
            Err(_) => anyhow::bail!("{} fell silent in the middle of its answer", self.server),
        }
    }

    /// Gets a movie.
    pub async fn movie(&self, id: MovieId) -> anyhow::Result<Movie> {
        self.get(&format!("/movie/{id}"), &[]).await
    }

    /// Gets the first movies of a list.
    pub async fn first_movies(&self, mut query: Query, most: usize) -> anyhow::Result<Vec<Movie>> {
        query.push(("limit", most.to_string()));
        self.get("/movie", &query).await
    }

    /// Gets a random movie.
    pub async fn random_movie(&self, query: &Query) -> anyhow::Result<Movie> {
        self.get("/movie/random", query).await
    }

    /// Creates a movie.
    pub async fn add(&self, new: &Attributes) -> anyhow::Result<Movie> {
        let request = self.request(Method::POST, "/movie", &[]).timeout(ANSWERING);
        self.answer(request.json(new)).await
    }

    /// Runs operations as one change.
    pub async fn batch(&self, batch: &Batch) -> anyhow::Result<BatchDone> {
        let request = self.request(Method::POST, "/movie/batch", &[]);
        self.answer(request.json(batch)).await
    }
}

/// Returns the operation that updates a movie of this version.
#[must_use]
pub fn update(movie: &Movie, changes: &MoviePatch) -> Operation {
    Operation::update(movie.id, Some(movie.version), changes.clone())
}

/// Returns the operation that deletes a movie of this version.
#[must_use]
pub fn delete(movie: &Movie) -> Operation {
    Operation::delete(movie.id, Some(movie.version))
}
