//! Operations on movies: read, create, update, delete.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{Stream, stream};
use rand::RngExt;

use super::{
    App, Editor, Error, IdempotencyKey, Viewer, catalogue, history::ChangeRecorder, idempotency::Claim,
    search::Match,
};
use crate::{
    catalogue::{Catalogue, Counts, Facet},
    db::{movies as db, retry_write},
    documents::Stats,
    domain::{
        Attributes, ChangeKind, Cursor, Filter, Limit, ListQuery, Movie, MovieFormat, MovieId, MoviePatch,
        ReleaseYear, Title,
    },
};

/// The version that a movie must have for a request to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Precondition {
    /// Any of these, if given.
    pub one_of: Option<Versions>,
    /// None of these, if given.
    pub none_of: Option<Versions>,
}

/// A set of versions of a movie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    All,
    These(Vec<i64>),
}

impl Versions {
    /// Returns whether a version is one of them.
    #[must_use]
    pub fn contain(&self, version: i64) -> bool {
        match self {
            Self::All => true,
            Self::These(versions) => versions.contains(&version),
        }
    }
}

impl Precondition {
    /// Requires one version, if given.
    #[must_use]
    pub fn of(version: Option<i64>) -> Self {
        Self { one_of: version.map(|version| Versions::These(vec![version])), none_of: None }
    }

    /// Checks the version of a movie.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`].
    pub fn check(&self, movie: &Movie) -> Result<(), Error> {
        let version = movie.version;
        let is_one = self.one_of.as_ref().is_none_or(|versions| versions.contain(version));
        let passes = self.none_of.as_ref().is_none_or(|versions| !versions.contain(version));
        if is_one && passes { Ok(()) } else { Err(Error::PreconditionFailed { current: version }) }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub movies: Vec<Movie>,
    /// The cursor of the next page, if there is one.
    pub next: Option<Cursor>,
    pub matched: Match,
    /// The total number of movies, if requested.
    pub total: Option<u64>,
}

pub(super) fn not_found(id: MovieId) -> Error {
    Error::NotFound(format!("there is no movie {id}"))
}

/// Returns a movie.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(app: &Arc<App>, viewer: &Viewer, id: MovieId) -> Result<Movie, Error> {
    catalogue::read(app, viewer, |catalogue| catalogue.get(id)).await?.ok_or_else(|| not_found(id))
}

/// Returns a movie with all changes that are committed now, also those since the request arrived and those that other
/// reads need not show yet.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_committed(app: &Arc<App>, _: &Viewer, id: MovieId) -> Result<Movie, Error> {
    let shared = app.clone();
    let work = async move { catalogue::read_committed(&shared, |catalogue| catalogue.get(id)).await };
    app.db.run_blocking(work).await?.ok_or_else(|| not_found(id))
}

/// Returns movies with the same release year and title (ignoring case and accents), in any format, by id.
pub async fn possible_duplicates(
    app: &Arc<App>,
    viewer: &Viewer,
    title: &Title,
    year: ReleaseYear,
) -> Result<Vec<Movie>, Error> {
    catalogue::read(app, viewer, |catalogue| catalogue.duplicates(title, year)).await
}

/// Returns a page of the movies that match the query. If there is no match, returns a single page of fuzzy
/// matches.
pub async fn page(app: &Arc<App>, viewer: &Viewer, query: &ListQuery, limit: Limit) -> Result<Page, Error> {
    let page = catalogue::read(app, viewer, |catalogue| exact_page(catalogue, query, limit)).await?;
    if !page.movies.is_empty() || query.cursor.is_some() || query.filter.words.is_empty() {
        return Ok(page);
    }
    let mut movies = Box::pin(fuzzy_matches(app, viewer, &query.filter)).await?;
    if let Some(sort) = &query.sort {
        movies.sort_by(|one, other| sort.compare(one, other));
    }
    let (matched, total) = (Match::of_fuzzy(&movies), movies.len() as u64);
    movies.truncate(limit.get());
    Ok(Page { movies, next: None, matched, total: query.total.then_some(total) })
}

/// Counts the movies that match a filter.
pub async fn count(app: &Arc<App>, viewer: &Viewer, filter: &Filter) -> Result<i64, Error> {
    let filter = filter.clone();
    let count = catalogue::read_long(app, viewer, move |catalogue| catalogue.count(&filter)).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

fn exact_page(catalogue: &Catalogue, query: &ListQuery, limit: Limit) -> Page {
    let sort = query.order();
    // One more than the limit, to tell whether there is a next page.
    let (filter, after, limit_and_next) = (&query.filter, query.cursor.as_ref(), limit.get() + 1);
    let (mut movies, total) = if query.total {
        let (movies, total) = catalogue.page_with_total(filter, &sort, after, limit_and_next);
        (movies, Some(total))
    } else {
        (catalogue.page(filter, &sort, after, limit_and_next), None)
    };
    let more = movies.len() > limit.get();
    movies.truncate(limit.get());
    let next = movies.last().filter(|_| more).map(|last| Cursor::after(last, &sort));
    Page { movies, next, matched: Match::Exact, total }
}

async fn fuzzy_matches(app: &Arc<App>, viewer: &Viewer, filter: &Filter) -> Result<Vec<Movie>, Error> {
    let filter = filter.clone();
    catalogue::read_long(app, viewer, move |catalogue| catalogue.fuzzy_matches(&filter)).await
}

/// Streams all movies that match a query. Each page is read on demand: a slow client holds nothing open, and
/// memory use does not depend on the collection. The first page has the total.
pub fn all(app: Arc<App>, viewer: Viewer, query: ListQuery) -> impl Stream<Item = Result<Page, Error>> {
    stream::try_unfold(Some(query), move |query| {
        let (app, viewer) = (app.clone(), viewer.clone());
        async move {
            let Some(mut query) = query else { return Ok(None) };
            // A client that reads fast would otherwise keep a thread of the runtime busy for many pages.
            tokio::task::yield_now().await;
            let page = page(&app, &viewer, &query, Limit::LARGEST).await?;
            query.cursor.clone_from(&page.next);
            query.total = false;
            let more = page.next.is_some();
            Ok(Some((page, more.then_some(query))))
        }
    })
}

/// Creates a movie.
///
/// # Errors
/// [`Error::KeyReused`].
pub async fn add(
    app: &App,
    editor: &Editor,
    attributes: Attributes,
    key: IdempotencyKey,
) -> Result<Movie, Error> {
    retry_write(|| async {
        let tx = match key.begin(app.db.write().await?, app, editor.identity().user_id).await? {
            Claim::New(tx) => tx,
            Claim::Replay(movie) => return Ok(movie),
        };
        let mut recorder = ChangeRecorder::begin(tx, app, editor.identity(), ChangeKind::Create).await?;
        let movie = recorder.add(vec![attributes.clone()]).await?.remove(0);
        recorder.commit(movie).await
    })
    .await
}

/// Updates a movie. An update without a difference does nothing.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PreconditionFailed`].
pub async fn change(
    app: &App,
    editor: &Editor,
    id: MovieId,
    precondition: &Precondition,
    wanted: &MoviePatch,
) -> Result<Movie, Error> {
    retry_write(|| async {
        let mut recorder =
            ChangeRecorder::begin(app.db.write().await?, app, editor.identity(), ChangeKind::Update).await?;
        let movie = locked(&mut recorder, id, precondition).await?;
        let attributes = movie.attributes.with(wanted);
        if attributes == movie.attributes {
            return Ok(movie);
        }
        let changed = recorder.updated(&movie, attributes);
        recorder.update(&[(movie, changed.clone())]).await?;
        recorder.commit(changed).await
    })
    .await
}

/// Deletes a movie.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PreconditionFailed`].
pub async fn remove(
    app: &App,
    editor: &Editor,
    id: MovieId,
    precondition: &Precondition,
) -> Result<(), Error> {
    retry_write(|| async {
        let mut recorder =
            ChangeRecorder::begin(app.db.write().await?, app, editor.identity(), ChangeKind::Delete).await?;
        locked(&mut recorder, id, precondition).await?;
        recorder.delete(&[id]).await?;
        recorder.commit(()).await
    })
    .await
}

async fn locked(
    recorder: &mut ChangeRecorder<'_>,
    id: MovieId,
    precondition: &Precondition,
) -> Result<Movie, Error> {
    let movie = db::lock(recorder.conn(), &[id]).await?.pop().ok_or_else(|| not_found(id))?;
    precondition.check(&movie)?;
    Ok(movie)
}

/// Returns a random movie that matches the filter, with uniform probability. If there is no match, returns a
/// random fuzzy match.
///
/// # Errors
/// [`Error::NotFound`] if there is no match.
pub async fn random(app: &Arc<App>, viewer: &Viewer, filter: Filter) -> Result<(Movie, Match), Error> {
    let exact = catalogue::read(app, viewer, |catalogue| catalogue.random(&filter, &mut rand::rng()));
    if let Some(movie) = exact.await? {
        return Ok((movie, Match::Exact));
    }
    let mut matches = fuzzy_matches(app, viewer, &filter).await?;
    if matches.is_empty() {
        return Err(Error::NotFound("no movie fits".to_owned()));
    }
    let place = rand::rng().random_range(0..matches.len());
    Ok((matches.swap_remove(place), Match::Fuzzy))
}

/// Returns statistics of the movies that match the filter, or of the fuzzy matches if there is no match.
pub async fn stats(app: &Arc<App>, viewer: &Viewer, filter: Filter) -> Result<(Stats, Match), Error> {
    catalogue::read_long(app, viewer, move |catalogue| {
        let counts = catalogue.counts(&filter);
        if counts.movies > 0 {
            return (stats_of(&counts), Match::Exact);
        }
        let matches = catalogue.fuzzy_matches(&filter);
        (stats_of(&Counts::of(matches.iter())), Match::of_fuzzy(&matches))
    })
    .await
}

fn stats_of(counts: &Counts) -> Stats {
    let by_value = |facet| counts.by_value(facet).map(|(value, movies)| (value, unsigned(movies)));
    let sum = |facet| counts.by_value(facet).map(|(value, movies)| value * movies).sum();
    let release_year: BTreeMap<_, _> =
        by_value(Facet::ReleaseYear).filter(|(_, movies)| *movies > 0).collect();
    let mut decade = BTreeMap::new();
    for (year, movies) in &release_year {
        *decade.entry(year / 10 * 10).or_default() += movies;
    }
    let (movies, total_length) = (counts.movies, sum(Facet::Length));
    let without_length: i64 =
        counts.by_value(Facet::Length).filter(|(minutes, _)| *minutes == 0).map(|(_, movies)| movies).sum();
    let formats = MovieFormat::ALL.iter().zip(by_value(Facet::MovieFormat));
    Stats {
        movies: unsigned(movies),
        total_length: unsigned(total_length),
        mean_length: mean(total_length, movies - without_length),
        mean_rating: mean(sum(Facet::Rating), movies),
        movie_format: formats.map(|(format, (_, movies))| (format.as_str().to_owned(), movies)).collect(),
        rating: by_value(Facet::Rating).collect(),
        release_year,
        decade,
    }
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// Returns the mean, rounded to two decimals.
#[expect(clippy::cast_precision_loss, reason = "sums of minutes stay far below 2^53")]
fn mean(sum: i64, count: i64) -> Option<f64> {
    (count > 0).then(|| (sum as f64 / count as f64 * 100.0).round() / 100.0)
}
