//! Makes a backup.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use crate::{
    backup::{Counts, Entry, FORMAT, Header, Noun, Reader, Unusable, Writer},
    db::{Db, backup as db},
    domain::Time,
    output_file::{Access, Existing, OutputFile},
    service::{
        App, Error, Owner,
        audit::{Actor, Event},
    },
};

/// Rows in a batch.
const BATCH_ENTRIES: usize = 500;

/// A completed backup.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    pub counts: Counts,
    /// The file size in bytes.
    pub bytes: u64,
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

pub(super) async fn make_by(
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

pub(super) async fn unless<T>(
    interrupted: impl Future<Output = ()>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        () = interrupted => Err(Error::Failed("interrupted; nothing was changed".to_owned())),
        done = work => done,
    }
}

pub(super) async fn write(db: &Db, path: &Path, overwrite: bool, now: Time) -> Result<Made, Error> {
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
pub(super) async fn check(file: &File) -> Result<Counts, Unusable> {
    let mut reader = Reader::open(file)?;
    while !piece(&mut reader)?.is_empty() {
        tokio::task::yield_now().await; // allows an interruption
    }
    Ok(reader.counts())
}

pub(super) fn piece(reader: &mut Reader<&File>) -> Result<Vec<Entry>, Unusable> {
    reader.by_ref().take(BATCH_ENTRIES).collect()
}

pub(super) const SECONDS: usize = "2026-11-24T20:15:00".len();
pub(super) const MILLIS: usize = "2026-11-24T20:15:00.123".len();

/// Formats a time for a file name, such as `20261124T201500Z`, from its first `length` characters.
pub(super) fn stamp(time: Time, length: usize) -> String {
    format!("{}Z", time.to_string()[..length].replace(['-', ':'], ""))
}
