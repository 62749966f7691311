//! Backups: a consistent snapshot that is verified after writing. A restore is atomic.

mod schedule;
mod status;

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::TempPath;

use super::{
    App, Error, Owner,
    audit::{Actor, Event},
};
use crate::{
    backup::{Counts, Entry, FORMAT, Header, Noun, Reader, Unusable, Writer},
    db::{Db, DbError, backup as db, retry_write},
    domain::Time,
    output_file::{Access, Existing, OutputFile},
};

pub use schedule::{Schedule, keep};
pub use status::{Report, Status};

/// Rows in a batch.
const BATCH_ENTRIES: usize = 500;

/// A completed backup.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    pub counts: Counts,
    /// The file size in bytes.
    pub bytes: u64,
}

/// A completed restore.
#[derive(Debug, Clone)]
pub struct Restored {
    pub counts: Counts,
    /// The time of the backup.
    pub created_at: Time,
    /// The backup of the replaced data, if there was any.
    pub replaced: Option<PathBuf>,
}

/// Creates a backup; can be interrupted. The file gets its name after it was synced and verified.
///
/// # Errors
/// [`Error::Conflict`] if the file exists and must not be overwritten; [`Error::Failed`] if it cannot be
/// written. Leaves no file behind then.
pub async fn make(
    app: &App,
    owner: &Owner,
    path: &Path,
    overwrite: bool,
    interrupted: impl Future<Output = ()> + Send + 'static,
) -> Result<Made, Error> {
    make_by(app, &owner.identity().into(), path, overwrite, interrupted).await
}

async fn make_by(
    app: &App,
    actor: &Actor<'_>,
    path: &Path,
    overwrite: bool,
    interrupted: impl Future<Output = ()> + Send + 'static,
) -> Result<Made, Error> {
    let (db, file, now) = (app.db.clone(), path.to_owned(), app.now());
    let made = app
        .db
        .run_blocking(unless(interrupted, async move { write(&db, &file, overwrite, now).await }))
        .await?;
    let file = path.to_string_lossy();
    app.audit(actor, &Event::BackupMade { file: &file, movies: made.counts.movies });
    Ok(made)
}

/// Restores a backup with all ids, versions, times, changes, users and tokens; can be interrupted. Other
/// writers are blocked meanwhile. With `replace` it replaces existing data, after a backup of them beside the
/// file.
///
/// # Errors
/// [`Error::UnreadableFile`] if it is not a complete backup; [`Error::Conflict`] if the database has data and
/// `replace` is not set; [`Error::Failed`] if the file cannot be read or the existing data not be backed up.
/// Nothing is changed then.
pub async fn restore(
    app: &App,
    owner: &Owner,
    path: &Path,
    replace: bool,
    interrupted: impl Future<Output = ()> + Send + 'static,
) -> Result<Restored, Error> {
    let (db, file, now) = (app.db.clone(), path.to_owned(), app.now());
    let restored = app
        .db
        .run_blocking(unless(interrupted, async move { put_back(&db, &file, replace, now).await }))
        .await?;
    let file = path.to_string_lossy();
    let (made_at, movies) = (restored.created_at, restored.counts.movies);
    app.audit(&owner.identity().into(), &Event::BackupRestored { file: &file, made_at, movies });
    Ok(restored)
}

async fn unless<T>(
    interrupted: impl Future<Output = ()>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        () = interrupted => Err(Error::Failed("interrupted; nothing was changed".to_owned())),
        done = work => done,
    }
}

async fn write(db: &Db, path: &Path, overwrite: bool, now: Time) -> Result<Made, Error> {
    let cannot = |error: io::Error| Error::Failed(format!("{} cannot be written: {error}", path.display()));
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Conflict(format!(
            "{} is there already, and was not overwritten; --force does",
            path.display()
        )),
        _ => cannot(error),
    };
    let existing = if overwrite { Existing::Replace } else { Existing::Refuse };
    let output = OutputFile::create(path, existing, Access::Private).map_err(failed)?;
    let Some(file) = output.written() else {
        return Err(cannot(io::Error::other("it cannot be read back")));
    };
    let counts = copy(db, file, now, &cannot).await?;
    file.sync_all().map_err(cannot)?;
    match check(file).await {
        Ok(found) if found == counts => {}
        Ok(_) => return Err(cannot(io::Error::other("it does not hold what was written"))),
        Err(error) => return Err(cannot(io::Error::other(error))),
    }
    let bytes = file.metadata().map_err(cannot)?.len();
    output.finish().map_err(failed)?;
    Ok(Made { counts, bytes })
}

async fn copy(
    db: &Db,
    file: &File,
    created_at: Time,
    cannot: &(impl Fn(io::Error) -> Error + Sync),
) -> Result<Counts, Error> {
    let mut snapshot = db::Snapshot::begin_long(db).await?;
    let last_ids = db::last_ids(snapshot.conn()).await?;
    let program = env!("CARGO_PKG_VERSION").to_owned();
    let header = Header { reelshelf_backup: FORMAT, created_at, program, last_ids };
    let mut writer = Writer::new(BufWriter::new(file), &header).map_err(cannot)?;
    for noun in Noun::ALL {
        let mut place = (0, 0);
        loop {
            let entries = db::page(&mut snapshot, noun, place, BATCH_ENTRIES).await?;
            let Some(last) = entries.last() else { break };
            place = last.place();
            for entry in &entries {
                writer.write(entry).map_err(cannot)?;
            }
            tokio::task::yield_now().await; // allows an interruption
        }
    }
    let (mut out, counts) = writer.finish().map_err(cannot)?;
    out.flush().map_err(cannot)?;
    Ok(counts)
}

/// Reads and verifies a whole file.
async fn check(file: &File) -> Result<Counts, Unusable> {
    let mut reader = Reader::open(file)?;
    while !piece(&mut reader)?.is_empty() {
        tokio::task::yield_now().await; // allows an interruption
    }
    Ok(reader.counts())
}

fn piece(reader: &mut Reader<&File>) -> Result<Vec<Entry>, Unusable> {
    reader.by_ref().take(BATCH_ENTRIES).collect()
}

async fn put_back(db: &Db, path: &Path, replace: bool, now: Time) -> Result<Restored, Error> {
    let unreadable = |error| unreadable(path, &error);
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("it is no file")));
    }
    check(&file).await.map_err(|error| unusable(path, &error))?;
    retry_write(|| replace_all(db, &file, path, replace, now)).await
}

/// Replaces all data with those of a verified file.
async fn replace_all(db: &Db, file: &File, path: &Path, replace: bool, now: Time) -> Result<Restored, Error> {
    let mut tx = db.begin_exclusive().await?;
    db::lock(tx.conn()).await?;
    let (unreadable, unusable) = (|error| unreadable(path, &error), |error| unusable(path, &error));
    let mut replaced = None;
    if !db::is_empty(tx.conn()).await? {
        if !replace {
            return Err(Error::Conflict(
                "the collection is not empty and was not changed; --replace replaces it, after a backup of the existing data"
                    .to_owned(),
            ));
        }
        // Other writers are blocked, so this backup is exactly what is replaced.
        let before = path.with_file_name(format!("replaced-{}.backup", stamp(now, MILLIS)));
        write(db, &before, false, now).await?;
        replaced = Some(TempPath::try_from_path(before).map_err(unreadable)?); // deleted if the restore fails
    }
    db::clear(tx.conn()).await?;
    let mut reader = Reader::open(file).map_err(unusable)?;
    db::raise_last_ids(tx.conn(), &reader.header().last_ids).await?;
    loop {
        let entries = piece(&mut reader).map_err(unusable)?;
        if entries.is_empty() {
            break;
        }
        db::insert(tx.conn(), &entries).await.map_err(|error| contradictory(error, unusable))?;
        tokio::task::yield_now().await; // allows an interruption
    }
    let replaced = replaced.map(TempPath::keep).transpose().map_err(|kept| unreadable(kept.error))?;
    let committed = tx.commit().await;
    if let (Err(DbError::RolledBack(_)), Some(replaced)) = (&committed, &replaced) {
        let _ = fs::remove_file(replaced); // the data was not replaced
    }
    committed?;
    Ok(Restored { counts: reader.counts(), created_at: reader.header().created_at, replaced })
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Failed(format!("{} cannot be read: {error}", path.display()))
}

fn unusable(path: &Path, error: &Unusable) -> Error {
    Error::UnreadableFile(format!("{} cannot be restored: {error}; nothing was changed", path.display()))
}

/// If the database rejects the rows of an intact file, the file is at fault.
fn contradictory(error: DbError, unusable: impl Fn(Unusable) -> Error) -> Error {
    match error {
        DbError::Unavailable(_) | DbError::RolledBack(_) => error.into(),
        error => {
            let error = error.to_string(); // PostgreSQL adds lines with details
            unusable(Unusable::Contradictory(error.lines().next().unwrap_or_default().to_owned()))
        }
    }
}

const SECONDS: usize = "2026-11-24T20:15:00".len();
const MILLIS: usize = "2026-11-24T20:15:00.123".len();

/// Formats a time for a file name, such as `20261124T201500Z`, from its first `length` characters.
fn stamp(time: Time, length: usize) -> String {
    format!("{}Z", time.to_string()[..length].replace(['-', ':'], ""))
}
