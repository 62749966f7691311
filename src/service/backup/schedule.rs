//! Backups that are made by themselves: one whenever the newest is old enough, the oldest removed.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use super::{Made, SECONDS, make_by, stamp};
use crate::{
    domain::Time,
    service::{App, Error, audit::Actor},
};

/// When to look at the clock again, since it may be set; and when to try again what failed.
const SOON: Duration = Duration::from_secs(60);

/// Where backups are made, how often, and how many are kept.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub folder: PathBuf,
    pub every: Duration,
    pub keep: usize,
}

/// Makes backups until it is told to end. What the schedule says is told from the files themselves, so
/// that a restart makes none too many and none too few.
pub async fn keep(app: Arc<App>, schedule: Schedule, mut ended: watch::Receiver<bool>) {
    loop {
        let made = make_if_due(&app, &schedule, &ended).await;
        if *ended.borrow() {
            return;
        }
        let pause = made.unwrap_or_else(|error| {
            tracing::error!(%error, "the backup failed; it is tried again");
            schedule.every
        });
        tokio::select! {
            _ = ended.wait_for(|ended| *ended) => return,
            () = tokio::time::sleep(pause.min(SOON)) => {}
        }
    }
}

/// Makes a backup unless the newest is not old enough yet; tells how long it takes until the next.
async fn make_if_due(
    app: &App,
    schedule: &Schedule,
    ended: &watch::Receiver<bool>,
) -> Result<Duration, Error> {
    let folder = &schedule.folder;
    let cannot = |error: io::Error| Error::Failed(format!("{} cannot be used: {error}", folder.display()));
    make_folder(folder).map_err(cannot)?;
    let now = app.now();
    // One of the future was made while the clock was wrong.
    let newest = own(folder).map_err(cannot)?.into_iter().filter(|made| *made <= now).max();
    let age = newest.map(|made| Duration::from_millis((now.as_millis() - made.as_millis()).unsigned_abs()));
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
    remove_oldest(folder, schedule.keep).map_err(cannot)?;
    Ok(schedule.every)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// When the backups in a folder were made that were made by themselves. Other files are none of ours.
fn own(folder: &Path) -> io::Result<Vec<Time>> {
    let mut made = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        made.extend(entry?.file_name().to_str().and_then(time));
    }
    Ok(made)
}

fn remove_oldest(folder: &Path, keep: usize) -> io::Result<()> {
    let mut made = own(folder)?;
    made.sort_unstable();
    for old in made.iter().rev().skip(keep) {
        std::fs::remove_file(folder.join(name(*old)))?;
    }
    Ok(())
}

fn name(made: Time) -> String {
    format!("reelshelf-{}.backup", stamp(made, SECONDS))
}

/// The moment that a name stands for, if it is one of ours.
fn time(own: &str) -> Option<Time> {
    let made = Time::parse(own.strip_prefix("reelshelf-")?.strip_suffix(".backup")?).ok()?;
    (name(made) == own).then_some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

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
