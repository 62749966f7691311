//! Automatic backups: one whenever the newest is old enough; the oldest are deleted.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use tokio::sync::watch;

use super::make::{Made, SECONDS, make_by, stamp};
use crate::{
    domain::Time,
    service::{App, Error, audit::Actor},
};

/// The interval of checks, since the clock may be set, and of retries.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The folder, interval and number of automatic backups.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub folder: PathBuf,
    pub every: Duration,
    pub keep: usize,
}

impl Schedule {
    /// Creates the folder if it is missing, and checks that files can be written there.
    ///
    /// # Errors
    /// If it is not writable.
    pub fn check(&self) -> anyhow::Result<()> {
        let written = make_folder(&self.folder).and_then(|()| tempfile::tempfile_in(&self.folder));
        written.map(drop).with_context(|| {
            format!("the folder for backups, {} (--backup-dir), cannot be written", self.folder.display())
        })
    }
}

/// Creates backups until the service ends. The schedule follows from the files, so a restart changes nothing.
pub async fn keep(app: Arc<App>, schedule: Schedule, mut ended: watch::Receiver<bool>) {
    app.backups.begin(&schedule, app.now());
    let mut reported = Vec::new();
    loop {
        let made = make_if_due(&app, &schedule, &mut reported, &ended).await;
        if *ended.borrow() {
            return;
        }
        let pause = made.unwrap_or_else(|error| {
            tracing::error!(%error, "the backup failed; it is tried again");
            app.backups.count_failure();
            schedule.every
        });
        tokio::select! {
            _ = ended.wait_for(|ended| *ended) => return,
            () = tokio::time::sleep(pause.min(RETRY_AFTER)) => {}
        }
    }
}

/// Creates a backup if due. Returns the time until the next one. Files with a future time are logged once
/// (`reported`).
async fn make_if_due(
    app: &App,
    schedule: &Schedule,
    reported: &mut Vec<Time>,
    ended: &watch::Receiver<bool>,
) -> Result<Duration, Error> {
    let folder = &schedule.folder;
    let cannot = |error: io::Error| Error::Failed(format!("{} cannot be used: {error}", folder.display()));
    make_folder(folder).map_err(cannot)?;
    let now = app.now();
    let Own { past, future } = Own::list(folder, now).map_err(cannot)?;
    report_future(folder, &future, reported);
    app.backups.set_newest(past.last().copied());
    let age = past.last().and_then(|made| now.since(*made));
    if let Some(left) = age.and_then(|age| schedule.every.checked_sub(age)).filter(|left| !left.is_zero()) {
        return Ok(left);
    }
    let path = folder.join(name(now));
    let mut ended = ended.clone();
    let interrupted = async move {
        let _ = ended.wait_for(|ended| *ended).await;
    };
    let Made { counts, bytes } = make_by(app, &Actor::service(), &path, false, interrupted).await?;
    tracing::info!(file = %path.display(), bytes, movies = counts.movies, "made a backup");
    app.backups.set_newest(Some(now));
    remove_oldest(folder, schedule.keep, now);
    Ok(schedule.every)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// The times of the automatic backups in a folder, in order. Other files are ignored.
///
/// Files with a future time were made with a wrong clock, or the clock is wrong now. They are ignored: they
/// are not the newest, do not count, and are not deleted.
struct Own {
    past: Vec<Time>,
    future: Vec<Time>,
}

impl Own {
    fn list(folder: &Path, now: Time) -> io::Result<Self> {
        let mut own = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            own.extend(entry?.file_name().to_str().and_then(time));
        }
        own.sort_unstable();
        let (past, future) = own.into_iter().partition(|made| *made <= now);
        Ok(Self { past, future })
    }
}

fn report_future(folder: &Path, future: &[Time], reported: &mut Vec<Time>) {
    if !future.is_empty() && future != reported.as_slice() {
        let files = future.iter().map(|made| name(*made)).collect::<Vec<_>>().join(", ");
        tracing::warn!(
            folder = %folder.display(),
            files,
            "ignoring backups with a future time, made with a wrong clock; they are never deleted"
        );
    }
    future.clone_into(reported);
}

/// Deletes all but the newest. If one cannot be deleted, it continues with the others.
fn remove_oldest(folder: &Path, keep: usize, now: Time) {
    let own = Own::list(folder, now).map(|own| own.past);
    let removed = own.and_then(|past| {
        let old = past.iter().rev().skip(keep).map(|old| std::fs::remove_file(folder.join(name(*old))));
        old.collect::<Vec<_>>().into_iter().collect::<io::Result<()>>()
    });
    if let Err(error) = removed {
        tracing::error!(%error, folder = %folder.display(), "an old backup cannot be removed");
    }
}

fn name(made: Time) -> String {
    format!("reelshelf-{}.backup", stamp(made, SECONDS))
}

/// Returns the time in a file name, if it is one of ours.
fn time(own: &str) -> Option<Time> {
    let made = Time::parse(own.strip_prefix("reelshelf-")?.strip_suffix(".backup")?).ok()?;
    (name(made) == own).then_some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_of_the_future_count_for_nothing_on_either_side_of_now() {
        let folder = tempfile::tempdir().unwrap();
        let at = |second| Time::parse(&format!("2026-11-24T20:15:{second:02}Z")).unwrap();
        for second in [1, 2, 3, 4, 5] {
            std::fs::write(folder.path().join(name(at(second))), "").unwrap();
        }
        let Own { past, future } = Own::list(folder.path(), at(3)).unwrap();
        assert_eq!((past, future), (vec![at(1), at(2), at(3)], vec![at(4), at(5)]));
        remove_oldest(folder.path(), 2, at(3));
        let Own { past, future } = Own::list(folder.path(), at(3)).unwrap();
        assert_eq!((past, future), (vec![at(2), at(3)], vec![at(4), at(5)]));
    }

    #[test]
    fn what_cannot_be_removed_keeps_no_other_from_being_removed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |second| Time::parse(&format!("2026-11-24T20:15:{second:02}Z")).unwrap();
        for second in [1, 3, 4] {
            std::fs::write(folder.path().join(name(at(second))), "").unwrap();
        }
        std::fs::create_dir(folder.path().join(name(at(2)))).unwrap(); // not a file
        remove_oldest(folder.path(), 1, at(4));
        assert_eq!(Own::list(folder.path(), at(4)).unwrap().past, [at(2), at(4)]);
    }

    #[test]
    fn a_name_tells_when_the_backup_was_made_and_no_other_name_does() {
        let made = Time::parse("2026-11-24T20:15:00Z").unwrap();
        assert_eq!(name(made), "reelshelf-20261124T201500Z.backup");
        assert_eq!(time("reelshelf-20261124T201500Z.backup"), Some(made));
        for other in [
            "",
            "reelshelf-.backup",
            "reelshelf-20261124T201500Z.backup.old",
            "reelshelf-20261124T201500Z",
            "reelshelf-20261124.backup",
            "reelshelf-20261324T201500Z.backup",
            "reelshelf-20261124T211500+01.backup",
            "reelshelf-2026-11-24T20:15:00Z.backup",
            "replaced-20261124T201500Z.backup",
        ] {
            assert_eq!(time(other), None, "{other}");
        }
    }
}
