//! Restores a backup.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempPath;

use super::make::{MILLIS, check, piece, stamp, unless, write};
use crate::{
    backup::{Counts, Reader, Unusable},
    db::{Db, DbError, backup as db, retry_write},
    domain::{Code, Invalid, Time},
    service::{App, Error, Owner, audit::Event},
};

/// A completed restore.
#[derive(Debug, Clone)]
pub struct Restored {
    pub counts: Counts,
    /// The time of the backup.
    pub created_at: Time,
    /// The backup of the replaced data, if there was any.
    pub replaced: Option<PathBuf>,
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
    let rule = format!("{} cannot be restored: {error}; nothing was changed", path.display());
    Error::UnreadableFile(Invalid::new(Code::Malformed, rule))
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
