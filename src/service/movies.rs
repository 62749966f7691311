//! The collection: read, add, change, remove.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{Stream, stream};
use rand::RngExt;
use serde::Serialize;

use super::{
    App, Editor, Error, Once, Viewer,
    making::Making,
    once::Begun,
    search::{self, Match},
    tally::{self, Kinds},
};
use crate::{
    db::{movies as db, retry_write},
    domain::{
        Attributes, ChangeKind, Changes, Cursor, Filter, Kind, Limit, ListQuery, Movie, MovieFormat, Rating,
        ReleaseYear, Title, fold, sort_key,
    },
};

/// What the movie's version must be for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Any.
    #[default]
    None,
    /// One of these.
    Versions(Vec<i64>),
}

impl Precondition {
    pub(super) fn check(&self, movie: &Movie) -> Result<(), Error> {
        match self {
            Self::Versions(versions) if !versions.contains(&movie.version) => {
                Err(Error::PreconditionFailed { current: movie.version })
            }
            _ => Ok(()),
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub movies: Vec<Movie>,
    /// Where the next page goes on, if there is more.
    pub next: Option<Cursor>,
    pub matched: Match,
    /// How many movies there are in all, where that is known.
    pub total: Option<usize>,
}

pub(super) fn not_found(id: i64) -> Error {
    Error::NotFound(format!("there is no movie {id}"))
}

/// One movie.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(app: &App, _: &Viewer, id: i64) -> Result<Movie, Error> {
    db::get(&mut app.db.read().await?, id).await?.ok_or_else(|| not_found(id))
}

/// The movies with this title (case and accents aside) and release year, in whatever format, by id.
///
/// # Errors
/// Those of the database.
pub async fn alike(app: &App, _: &Viewer, title: &Title, year: ReleaseYear) -> Result<Vec<Movie>, Error> {
    /// No change has this id: what is not seen yet is not looked at.
    const NO_CHANGE: i64 = 0;

    let keys = [sort_key(title.as_str())];
    let mut movies = db::with_sort_keys(&mut app.db.read().await?, NO_CHANGE, &keys).await?;
    let folded = fold(title.as_str());
    movies.retain(|movie| {
        movie.attributes.release_year == year && fold(movie.attributes.title.as_str()) == folded
    });
    Ok(movies)
}

/// A page of the movies that pass the filter. Where none does, the first is of those that pass it with
/// typing errors forgiven, and the only one.
///
/// # Errors
/// Those of the database.
pub async fn page(app: &Arc<App>, viewer: &Viewer, query: &ListQuery, limit: Limit) -> Result<Page, Error> {
    let _permit = app.searches.permit(viewer, &query.filter).await?;
    permitted_page(app, query, limit).await
}

async fn permitted_page(app: &Arc<App>, query: &ListQuery, limit: Limit) -> Result<Page, Error> {
    let sort = query.order();
    let mut conn = app.db.read().await?;
    // One more than asked for tells whether there is a next page.
    let mut movies =
        db::list(&mut conn, &query.filter, &sort, query.cursor.as_ref(), limit.get() + 1).await?;
    drop(conn);
    if movies.is_empty() && query.cursor.is_none() {
        return near_page(app, query, limit).await;
    }
    let more = movies.len() > limit.get();
    movies.truncate(limit.get());
    let next = movies.last().filter(|_| more).map(|last| Cursor::after(last, &sort));
    Ok(Page { movies, next, matched: Match::Exact, total: None })
}

async fn near_page(app: &Arc<App>, query: &ListQuery, limit: Limit) -> Result<Page, Error> {
    let mut movies = search::near(app, &query.filter).await?;
    if let Some(sort) = &query.sort {
        movies.sort_by(|one, other| sort.compare(one, other));
    }
    let (matched, total) = (Match::of_near(&movies), Some(movies.len()));
    movies.truncate(limit.get());
    Ok(Page { movies, next: None, matched, total })
}

/// All movies that pass the filter, page by page, each read when it is wanted: nothing is held open for
/// a slow reader, and memory does not grow with the collection.
pub fn all(app: Arc<App>, viewer: Viewer, query: ListQuery) -> impl Stream<Item = Result<Page, Error>> {
    stream::try_unfold(Some(query), move |query| {
        let (app, viewer) = (app.clone(), viewer.clone());
        async move {
            let Some(mut query) = query else { return Ok(None) };
            let db = app.db.clone();
            // Whoever waits for it occupies no thread.
            let permit = app.searches.permit(&viewer, &query.filter).await?;
            let page = db.run_blocking(async move {
                let _permit = permit;
                let page = permitted_page(&app, &query, Limit::LARGEST).await?;
                query.cursor.clone_from(&page.next);
                let more = page.next.is_some();
                Ok::<_, Error>((page, more.then_some(query)))
            });
            page.await.map(Some)
        }
    })
}

/// How many movies pass the filter.
///
/// # Errors
/// Those of the database.
pub async fn count(app: &Arc<App>, viewer: &Viewer, filter: Filter) -> Result<i64, Error> {
    let _permit = app.searches.permit(viewer, &filter).await?;
    if filter.words.is_empty() {
        let kinds = tally::kinds(app, &filter).await?;
        return Ok(passing(&kinds, &filter).map(|(_, movies)| movies).sum());
    }
    let shared = app.clone();
    app.db.run_blocking(async move { Ok(db::count(&mut shared.db.read().await?, &filter).await?) }).await
}

/// Those of the kinds that pass the filters beside the search.
fn passing<'a>(kinds: &'a Kinds, filter: &'a Filter) -> impl Iterator<Item = (Kind, i64)> {
    let passing = kinds.iter().filter(|(kind, _)| filter.passes(kind).all());
    passing.map(|(kind, movies)| (*kind, *movies))
}

/// Adds a movie.
///
/// # Errors
/// [`Error::KeyReused`].
pub async fn add(app: &App, editor: &Editor, attributes: Attributes, once: Once) -> Result<Movie, Error> {
    retry_write(|| async {
        let tx = match once.begin(app.db.write().await?, app, editor.user_id).await? {
            Begun::First(tx) => tx,
            Begun::Again(movie) => return Ok(movie),
        };
        let mut making = Making::begin(tx, app, editor, ChangeKind::Create).await?;
        let movie = making.add(vec![attributes.clone()]).await?.remove(0);
        making.commit(movie).await
    })
    .await
}

/// Changes a movie. What changes nothing leaves it as it was.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PreconditionFailed`].
pub async fn change(
    app: &App,
    editor: &Editor,
    id: i64,
    precondition: &Precondition,
    wanted: &Changes,
) -> Result<Movie, Error> {
    retry_write(|| async {
        let mut making = Making::begin(app.db.write().await?, app, editor, ChangeKind::Update).await?;
        let movie = locked(&mut making, id, precondition).await?;
        let attributes = movie.attributes.with(wanted);
        if attributes == movie.attributes {
            return Ok(movie);
        }
        let changed = making.updated(&movie, attributes);
        making.update(&[(movie, changed.clone())]).await?;
        making.commit(changed).await
    })
    .await
}

/// Removes a movie.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PreconditionFailed`].
pub async fn remove(app: &App, editor: &Editor, id: i64, precondition: &Precondition) -> Result<(), Error> {
    retry_write(|| async {
        let mut making = Making::begin(app.db.write().await?, app, editor, ChangeKind::Delete).await?;
        locked(&mut making, id, precondition).await?;
        making.delete(&[id]).await?;
        making.commit(()).await
    })
    .await
}

async fn locked(making: &mut Making<'_>, id: i64, precondition: &Precondition) -> Result<Movie, Error> {
    let movie = db::lock(making, &[id]).await?.pop().ok_or_else(|| not_found(id))?;
    precondition.check(&movie)?;
    Ok(movie)
}

/// One movie that passes the filter, each with the same probability; where none does, one of those that
/// pass it with typing errors forgiven.
///
/// # Errors
/// [`Error::NotFound`] where none passes.
pub async fn random(app: &Arc<App>, viewer: &Viewer, filter: Filter) -> Result<(Movie, Match), Error> {
    let _permit = app.searches.permit(viewer, &filter).await?;
    let (shared, exact) = (app.clone(), filter.clone());
    if let Some(movie) = app.db.run_blocking(async move { pick(&shared, &exact).await }).await? {
        return Ok((movie, Match::Exact));
    }
    let mut near = search::near(app, &filter).await?;
    if near.is_empty() {
        return Err(Error::NotFound("no movie fits".to_owned()));
    }
    let place = rand::rng().random_range(0..near.len());
    Ok((near.swap_remove(place), Match::Fuzzy))
}

async fn pick(app: &App, filter: &Filter) -> Result<Option<Movie>, Error> {
    /// Enough guesses to hit nearly always where every twentieth id is a movie that passes.
    const GUESSES: usize = 64;

    let mut conn = app.db.read().await?;
    if let Some((least, greatest)) = db::id_range(&mut conn).await? {
        // The first of uniform guesses that is a hit is uniform among the hits.
        let guesses: Vec<i64> = {
            let mut random = rand::rng();
            (0..GUESSES).map(|_| random.random_range(least..=greatest)).collect()
        };
        let hits = db::with_ids(&mut conn, filter, &guesses).await?;
        let first = guesses.iter().find_map(|id| hits.iter().find(|movie| movie.id == *id));
        if let Some(movie) = first {
            return Ok(Some(movie.clone()));
        }
        // Few pass: count them and take one by its place. It may be deleted in between.
        for _ in 0..3 {
            let count = db::count(&mut conn, filter).await?;
            if count == 0 {
                break;
            }
            let place = rand::rng().random_range(0..count);
            if let Some(movie) = db::nth(&mut conn, filter, place).await? {
                return Ok(Some(movie));
            }
        }
    }
    Ok(None)
}

/// Counts and means of the movies that pass a filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// How many there are.
    pub movies: i64,
    /// All their lengths together, in minutes.
    pub total_length: i64,
    /// In minutes; none where there is no movie.
    pub mean_length: Option<f64>,
    pub mean_rating: Option<f64>,
    /// Every format, also one of which there is no movie.
    pub movie_format: BTreeMap<&'static str, i64>,
    /// Every rating, also one of which there is no movie.
    pub rating: BTreeMap<i64, i64>,
    /// The years of which there are movies.
    pub release_year: BTreeMap<i64, i64>,
    /// The decades of which there are movies, each by its first year.
    pub decade: BTreeMap<i64, i64>,
}

/// The statistics of the movies that pass the filter; where none does, of those that pass it with typing
/// errors forgiven.
///
/// # Errors
/// Those of the database.
pub async fn stats(app: &Arc<App>, viewer: &Viewer, filter: Filter) -> Result<(Stats, Match), Error> {
    let _permit = app.searches.permit(viewer, &filter).await?;
    let kinds = tally::kinds(app, &filter).await?;
    let stats = Stats::of(passing(&kinds, &filter));
    if stats.movies > 0 {
        return Ok((stats, Match::Exact));
    }
    let near = search::near(app, &filter).await?;
    Ok((Stats::of(near.iter().map(|movie| (Kind::of(movie), 1))), Match::of_near(&near)))
}

impl Stats {
    fn of(kinds: impl IntoIterator<Item = (Kind, i64)>) -> Self {
        let mut stats = Self {
            movie_format: MovieFormat::ALL.map(|format| (format.as_str(), 0)).into(),
            rating: (Rating::MIN..=Rating::MAX).map(|rating| (rating, 0)).collect(),
            ..Self::default()
        };
        let mut ratings = 0;
        for (kind, movies) in kinds {
            let (year, rating) = (kind.release_year.get(), kind.rating.get());
            stats.movies += movies;
            stats.total_length += kind.length.get() * movies;
            ratings += rating * movies;
            *stats.movie_format.entry(kind.movie_format.as_str()).or_default() += movies;
            *stats.rating.entry(rating).or_default() += movies;
            *stats.release_year.entry(year).or_default() += movies;
            *stats.decade.entry(year / 10 * 10).or_default() += movies;
        }
        stats.mean_length = mean(stats.total_length, stats.movies);
        stats.mean_rating = mean(ratings, stats.movies);
        stats
    }
}

/// The mean, rounded to two decimals.
#[expect(clippy::cast_precision_loss, reason = "sums of minutes stay far below 2^53")]
fn mean(sum: i64, count: i64) -> Option<f64> {
    (count > 0).then(|| (sum as f64 / count as f64 * 100.0).round() / 100.0)
}
