//! Imports: a file as one change, read as a stream.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    hash::{BuildHasher, RandomState},
    io::{self, Seek},
    sync::Arc,
};

use tokio_util::sync::CancellationToken;

use super::{App, Editor, Error, IdempotencyKey, catalogue, history::ChangeRecorder, idempotency::Claim};
use crate::{
    catalogue::Catalogue,
    db::{Lock, deadline, movies as db, retry_write},
    documents::{Note, OnDuplicate, OnError, Preview, Report, RowLabel, RowResult},
    domain::{Attributes, ChangeKind, Field, Movie, MovieFormat, MovieId, fold},
    exchange::{self, FileKind, ImportOptions, Merged, Row, Rows, Survey, check},
    limits::{MAX_UPLOADED_ARCHIVE_BYTES, REQUEST_WAIT},
};

/// Rows in a batch.
const BATCH_ROWS: usize = 500;

/// Imports a file. The file is complete before, so that a slow upload does not block writers. Dropping the
/// returned future aborts the import.
///
/// # Errors
/// [`Error::UnreadableFile`]; [`Error::ImportAborted`] for invalid rows that the options do not skip;
/// [`Error::KeyReused`].
pub async fn import(
    app: &Arc<App>,
    editor: &Editor,
    file: File,
    kind: FileKind,
    options: ImportOptions,
    key: IdempotencyKey,
) -> Result<Report, Error> {
    let gone = CancellationToken::new();
    let _when_dropped = gone.clone().drop_guard();
    let import = Import { app: app.clone(), editor: editor.clone(), kind, options, gone };
    app.db.run_blocking(async move { import.run(file, key).await }).await
}

/// Reads a file and reports its missing values, so that the user can be asked for them.
///
/// # Errors
/// [`Error::UnreadableFile`].
pub async fn survey(
    app: &App,
    _: &Editor,
    file: File,
    kind: FileKind,
    options: ImportOptions,
) -> Result<Survey, Error> {
    let work = async move { exchange::survey(file, kind, &options).map_err(Error::UnreadableFile) };
    app.db.run_blocking(work).await
}

/// Merges the files of a Letterboxd export archive into one file.
///
/// # Errors
/// [`Error::UnreadableFile`].
pub async fn unpack(app: &App, _: &Editor, archive: File, with_watchlist: bool) -> Result<Merged, Error> {
    let work = async move {
        let merged = exchange::merge_letterboxd_within(archive, with_watchlist, MAX_UPLOADED_ARCHIVE_BYTES);
        merged.map_err(Error::UnreadableFile)
    };
    app.db.run_blocking(work).await
}

/// A running import.
struct Import {
    app: Arc<App>,
    editor: Editor,
    kind: FileKind,
    options: ImportOptions,
    /// Cancelled when the client is gone.
    gone: CancellationToken,
}

impl Import {
    async fn run(&self, mut file: File, key: IdempotencyKey) -> Result<Report, Error> {
        let (app, options) = (&self.app, &self.options);
        deadline::restart(REQUEST_WAIT); // the upload does not count
        if options.on_error == OnError::Abort && !options.dry_run {
            self.check(&file)?;
            file.rewind().map_err(unreadable)?;
            deadline::restart(REQUEST_WAIT); // validation does not count either
        }
        // Imports look for duplicates, so only one runs at a time. PostgreSQL uses an advisory lock.
        let _turn = if app.db.has_one_writer() {
            Some(deadline::in_time("the import before this one", app.import.lock()).await?)
        } else {
            None
        };
        let key = if options.dry_run { IdempotencyKey::default() } else { key };
        retry_write(|| self.store_with_key(&file, &key)).await
    }

    async fn store_with_key(&self, mut file: &File, key: &IdempotencyKey) -> Result<Report, Error> {
        let (app, options) = (&self.app, &self.options);
        file.rewind().map_err(unreadable)?;
        let tx = app.db.begin_exclusive().await?;
        let tx = match key.begin(tx, app, self.editor.identity().user_id).await? {
            Claim::New(tx) => tx,
            Claim::Replay(report) => return Ok(report),
        };
        let mut recorder = ChangeRecorder::begin(tx, app, self.editor.identity(), ChangeKind::Import).await?;
        if options.on_duplicate == OnDuplicate::Update {
            recorder.conn().lock(Lock::Many).await?;
        }
        let mut report = self.store(&mut recorder, file.try_clone().map_err(unreadable)?).await?;
        if options.dry_run {
            return Ok(report);
        }
        report.change = recorder.complete().await?;
        self.check_wanted()?;
        recorder.commit(report).await
    }

    /// Validates the whole file before anything is stored.
    fn check(&self, file: &File) -> Result<(), Error> {
        let mut report = check(file, self.kind, &self.options, None).map_err(Error::UnreadableFile)?;
        report.dry_run = false; // the client did not request the check
        report.preview.clear();
        aborted_if_any_failed(report).map(drop)
    }

    async fn store(&self, recorder: &mut ChangeRecorder<'_>, file: File) -> Result<Report, Error> {
        let options = &self.options;
        let mut rows = Rows::open(file, self.kind, options).map_err(Error::UnreadableFile)?;
        let mut report = rows.report();
        let mut stored = Stored::default();
        let mut batch = Vec::with_capacity(BATCH_ROWS);
        let mut more = true;
        while more {
            match rows.next_movie(&mut report).map_err(Error::UnreadableFile)? {
                None => more = false,
                Some(row) => batch.push(row),
            }
            if batch.len() == BATCH_ROWS || !more {
                self.check_wanted()?;
                let batch = std::mem::take(&mut batch);
                store_batch(&self.app, recorder, &mut stored, batch, options.on_duplicate, &mut report)
                    .await?;
                // A staged import cannot update existing movies, since reads would see that.
                if more && options.on_duplicate != OnDuplicate::Update {
                    recorder.yield_writer(&self.app, &self.gone).await?;
                }
            }
        }
        report.sort();
        match options.on_error {
            OnError::Abort => aborted_if_any_failed(report),
            OnError::Skip => Ok(report),
        }
    }

    /// Aborts if the client is gone.
    fn check_wanted(&self) -> Result<(), Error> {
        if self.gone.is_cancelled() {
            return Err(Error::Failed("the client has closed the connection".to_owned()));
        }
        Ok(())
    }
}

/// Returns the error of a temporary file that cannot be read.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "so that it can be passed to map_err")]
pub fn unreadable(error: io::Error) -> Error {
    Error::Failed(format!("a temporary file cannot be read: {error}"))
}

fn aborted_if_any_failed(report: Report) -> Result<Report, Error> {
    match report.failed {
        0 => Ok(report),
        _ => Err(Error::ImportAborted(Box::new(report.without_effect()))),
    }
}

type MovieKey = (String, i64, MovieFormat);

/// Returns the key of duplicates: title (ignoring case and accents), release year and format.
fn key_of(attributes: &Attributes) -> MovieKey {
    (fold(attributes.title.as_str()), attributes.release_year.get(), attributes.movie_format)
}

/// A movie that equals a row.
enum ExistingMovie {
    /// A movie of the collection, and its new attributes if it is updated.
    Stored(Box<Movie>, Option<Attributes>),
    /// A movie of this batch, by its index among the new ones.
    New(usize),
}

/// The movies that this import has stored so far.
#[derive(Default)]
struct Stored {
    /// By a hash of the key, to limit the memory of an import of millions of movies.
    ids: HashMap<u64, MovieId>,
    hasher: RandomState,
}

impl Stored {
    fn note(&mut self, hash: u64, id: MovieId) {
        self.ids.entry(hash).or_insert(id);
    }

    /// Returns the ids of the possible duplicates of rows.
    fn possible_duplicates(&self, batch: &[(Row, MovieKey)]) -> Vec<MovieId> {
        batch.iter().filter_map(|(_, key)| self.ids.get(&self.hasher.hash_one(key)).copied()).collect()
    }
}

/// Returns the duplicates of rows, from the collection and from this import.
async fn duplicates(
    app: &App,
    recorder: &mut ChangeRecorder<'_>,
    stored: &Stored,
    batch: &[(Row, MovieKey)],
    on_duplicate: OnDuplicate,
) -> Result<HashMap<MovieKey, ExistingMovie>, Error> {
    let mut known = HashMap::new();
    if on_duplicate == OnDuplicate::Add {
        return Ok(known);
    }
    let same =
        |catalogue: &Catalogue| batch.iter().filter_map(|(row, _)| catalogue.same(&row.attributes)).collect();
    let mut movies: Vec<Movie> = catalogue::read_committed(app, same).await?;
    if on_duplicate == OnDuplicate::Update {
        let ids: Vec<MovieId> = movies.iter().map(|movie| movie.id).collect();
        movies = db::lock(recorder.conn(), &ids).await?;
    }
    let change = recorder.id();
    movies.extend(db::made_by(recorder.conn(), change, &stored.possible_duplicates(batch)).await?);
    movies.sort_unstable_by_key(|movie| movie.id);
    for movie in movies {
        // The oldest of several.
        known
            .entry(key_of(&movie.attributes))
            .or_insert_with(|| ExistingMovie::Stored(Box::new(movie), None));
    }
    Ok(known)
}

/// Returns the attributes of an update by a row. Those that the row lacks stay as they are now.
fn keeping(mut row: Attributes, now: &Attributes, missing: &[Field]) -> Attributes {
    for field in missing {
        match field {
            Field::Title => row.title = now.title.clone(),
            Field::Length => row.length = now.length,
            Field::Rating => row.rating = now.rating,
            Field::MovieFormat | Field::ReleaseYear => {} // duplicates have the same
        }
    }
    row
}

/// A batch of rows: the movies to add, and the duplicates with their updates.
struct Batch {
    on_duplicate: OnDuplicate,
    known: HashMap<MovieKey, ExistingMovie>,
    /// The movies to add, with the hashes of their keys.
    new: Vec<(u64, Attributes)>,
}

impl Batch {
    /// Decides what becomes of a row.
    fn add(&mut self, row: Row, key: MovieKey, hash: u64, report: &mut Report) {
        let Row { line, number, attributes, missing } = row;
        let preview = |report: &mut Report, attributes: &Attributes, becomes: RowResult, id| {
            report.preview(number, || {
                let (becomes, movie) = (becomes.into(), Some(attributes.clone().into()));
                Preview { line, label: RowLabel::from(attributes), becomes, movie, id }
            });
        };
        let mut occupied = match self.known.entry(key) {
            Entry::Occupied(occupied) => occupied,
            Entry::Vacant(vacant) => {
                preview(report, &attributes, RowResult::Created, None);
                if self.on_duplicate != OnDuplicate::Add {
                    vacant.insert(ExistingMovie::New(self.new.len()));
                }
                self.new.push((hash, attributes));
                return;
            }
        };
        let (id, now) = match occupied.get() {
            ExistingMovie::Stored(movie, wanted) => {
                (Some(movie.id), wanted.as_ref().unwrap_or(&movie.attributes))
            }
            ExistingMovie::New(place) => (None, &self.new[*place].1),
        };
        let attributes = match self.on_duplicate {
            OnDuplicate::Update => keeping(attributes, now, &missing),
            OnDuplicate::Skip | OnDuplicate::Add => attributes,
        };
        if self.on_duplicate == OnDuplicate::Skip || *now == attributes {
            preview(report, &attributes, RowResult::Skipped, id);
            report.skip(line, |note| {
                let detail = match id {
                    Some(id) => format!("is there already as movie {id}"),
                    None => "is the same as an earlier row".to_owned(),
                };
                let label = RowLabel::from(&attributes);
                Note { detail, value: label.title.clone(), label, id, ..note }
            });
            return;
        }
        preview(report, &attributes, RowResult::Updated, id);
        report.updated += 1;
        match occupied.get_mut() {
            ExistingMovie::New(place) => self.new[*place].1 = attributes,
            ExistingMovie::Stored(_, wanted) => *wanted = Some(attributes),
        }
    }
}

async fn store_batch(
    app: &App,
    recorder: &mut ChangeRecorder<'_>,
    stored: &mut Stored,
    rows: Vec<Row>,
    on_duplicate: OnDuplicate,
    report: &mut Report,
) -> Result<(), Error> {
    let with_key = |row: Row| {
        let key = key_of(&row.attributes);
        (row, key)
    };
    let rows: Vec<(Row, MovieKey)> = rows.into_iter().map(with_key).collect();
    let known = duplicates(app, recorder, stored, &rows, on_duplicate).await?;
    let mut batch = Batch { on_duplicate, known, new: Vec::new() };
    for (row, key) in rows {
        let hash = stored.hasher.hash_one(&key);
        batch.add(row, key, hash, report);
    }
    let updated = batch.known.into_values().filter_map(|known| match known {
        ExistingMovie::Stored(movie, Some(wanted)) if wanted != movie.attributes => {
            let updated = recorder.updated(&movie, wanted);
            Some((*movie, updated))
        }
        _ => None,
    });
    let updated: Vec<(Movie, Movie)> = updated.collect();
    recorder.update(&updated).await?;
    let (hashes, new): (Vec<u64>, Vec<Attributes>) = batch.new.into_iter().unzip();
    report.created += new.len() as u64;
    let added = recorder.add(new).await?;
    if on_duplicate != OnDuplicate::Add {
        hashes.into_iter().zip(&added).for_each(|(hash, movie)| stored.note(hash, movie.id));
    }
    Ok(())
}
