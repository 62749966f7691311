//! The database file on SQLite: detects that it was moved or replaced, and locks it for one service.

use std::{
    fs::{File, Metadata, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak},
};

use crate::{
    db::{DbError, unchanged::Committed},
    domain::Time,
};

/// The open database file.
pub(super) struct DatabaseFile {
    path: PathBuf,
    file: Arc<File>,
    /// SQLite's write-ahead log (`-wal`).
    log: PathBuf,
    /// The index of the log (`-shm`), shared by all processes.
    index: OnceLock<Arc<File>>,
    opened: RwLock<Option<[Identity; 2]>>,
    /// Set once the database file or its log was moved, removed or replaced.
    displaced: OnceLock<()>,
    /// Set before the last connection is closed, which removes the log.
    closed: OnceLock<()>,
    service: Mutex<Option<ServiceLock>>,
}

/// The identity of a file, independent of its name: device and inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(file: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(file.dev(), file.ino())
    }

    /// Returns the number of names (hard links) of a file.
    #[cfg(unix)]
    fn names(file: &Metadata) -> u64 {
        std::os::unix::fs::MetadataExt::nlink(file)
    }

    #[cfg(not(unix))]
    fn names(_: &Metadata) -> u64 {
        1
    }

    /// Other systems do not allow an open file to be renamed or removed.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self(0, 0)
    }
}

impl DatabaseFile {
    /// Opens or creates the file with access for its owner only. To be served, no other process may serve it.
    pub(super) fn open(path: &Path, to_be_served: bool) -> Result<Self, DbError> {
        let refused = |error: io::Error| {
            let missing = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
            if let Some(folder) = missing {
                return DbError::Refused(format!("the folder {} does not exist", folder.display()));
            }
            let path = path.display();
            DbError::Refused(match error.kind() {
                io::ErrorKind::ReadOnlyFilesystem => format!(
                    "{path} is on a read-only file system, where SQLite cannot write its log; copy it to another one"
                ),
                _ => format!("{path} cannot be opened: {error}"),
            })
        };
        let file = open_shared(path, &options()).map_err(refused)?;
        let path = path.canonicalize().map_err(refused)?;
        if !file.metadata().map_err(refused)?.is_file() {
            return Err(DbError::Refused(format!(
                "{} is not a regular file, which SQLite needs",
                path.display()
            )));
        }
        if to_be_served && Identity::names(&file.metadata().map_err(refused)?) > 1 {
            return Err(DbError::Refused(format!(
                "{} has another name, too (a hard link); under each, SQLite would have a log of its own and lose \
                 writes. Remove the other name, or copy the file instead",
                path.display()
            )));
        }
        let service = if to_be_served { Some(ServiceLock::take(&path)?) } else { None };
        let log = with_suffix(&path, "-wal");
        Ok(Self {
            path,
            file,
            log,
            index: OnceLock::new(),
            opened: RwLock::default(),
            displaced: OnceLock::new(),
            closed: OnceLock::new(),
            service: Mutex::new(service),
        })
    }

    /// Returns the path without symbolic links.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Records the identity of the files that a connection has opened. From then on they must stay in place.
    pub(super) fn note_opened(&self) -> Result<(), DbError> {
        let opened = [self.path.metadata(), self.log.metadata()];
        let [file, log] = opened.map(|found| found.map(|file| Identity::of(&file)));
        let cannot =
            |error| DbError::Unavailable(format!("{} cannot be found: {error}", self.path.display()));
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) =
            Some([file.map_err(cannot)?, log.map_err(cannot)?]);
        if let Ok(index) = open_shared(&with_suffix(&self.path, "-shm"), OpenOptions::new().read(true)) {
            let _ = self.index.set(index);
        }
        Ok(())
    }

    /// Returns a fingerprint of the last commit of any process: every commit changes the header of the log's
    /// index.
    #[cfg(unix)]
    pub(super) fn committed(&self) -> Option<Committed> {
        use std::os::unix::fs::FileExt;
        let mut header = [0; Committed::BYTES];
        self.index.get()?.read_exact_at(&mut header, 0).ok()?;
        Some(Committed(header))
    }

    /// On other systems, reading the index would wait for SQLite's locks on it.
    #[cfg(not(unix))]
    pub(super) fn committed(&self) -> Option<Committed> {
        None
    }

    /// Checks that both files are in place. Takes a few microseconds.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] once a file was found moved, removed or replaced, and after [`Self::close`].
    pub(super) fn check(&self) -> Result<(), DbError> {
        if self.closed.get().is_some() {
            return Err(DbError::Unavailable("the database is closed".to_owned()));
        }
        let displaced = || {
            DbError::Unavailable(
                "the database file was moved, removed or replaced while it was open".to_owned(),
            )
        };
        let opened = *self.opened.read().unwrap_or_else(PoisonError::into_inner);
        if self.displaced.get().is_some() {
            return Err(displaced());
        }
        let found = [self.path.metadata(), self.log.metadata()];
        for (place, found) in found.iter().enumerate() {
            let is_in_place = match found {
                Ok(file) => opened.is_none_or(|opened| opened[place] == Identity::of(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => opened.is_none(),
                Err(error) => return Err(DbError::Unavailable(format!("the file cannot be found: {error}"))),
            };
            if !is_in_place {
                if self.displaced.set(()).is_ok() {
                    tracing::error!(
                        file = %self.path.display(),
                        "the database file, or its log, was moved, removed or replaced while it was open: nothing is written until it is back in its place and the program is restarted"
                    );
                }
                return Err(displaced());
            }
        }
        Ok(())
    }

    /// Returns the size of the log in bytes.
    pub(super) fn log_bytes(&self) -> u64 {
        self.log.metadata().map_or(0, |log| log.len())
    }

    /// Finds the cause of an SQLite error: SQLite reports a disk that cannot be read as corruption.
    pub(super) fn diagnose(&self, error: rusqlite::Error) -> DbError {
        if super::is_corrupt(&error)
            && let Err(error) = self.read_whole()
        {
            return DbError::Unavailable(format!("the disk cannot be read: {error}"));
        }
        error.into()
    }

    /// Reads the whole file and log, to get the error of the disk.
    fn read_whole(&self) -> io::Result<()> {
        let mut log = File::open(&self.log)?; // SQLite has no locks on the log
        io::copy(&mut log, &mut io::sink())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileExt;
            let (mut piece, mut place) = (vec![0; 1024 * 1024], 0);
            loop {
                match self.file.read_at(&mut piece, place)? {
                    0 => break,
                    read => place += read as u64,
                }
            }
        }
        Ok(())
    }

    /// Returns whether the log in place is the one that was opened, so that it may be removed.
    pub(super) fn has_own_log(&self) -> bool {
        let opened = *self.opened.read().unwrap_or_else(PoisonError::into_inner);
        self.log.metadata().is_ok_and(|log| opened.is_none_or(|opened| opened[1] == Identity::of(&log)))
    }

    /// Returns whether the log in place is not the one that was opened.
    pub(super) fn has_other_log(&self) -> bool {
        let opened = *self.opened.read().unwrap_or_else(PoisonError::into_inner);
        let is_other = |log: Metadata| opened.is_some_and(|opened| opened[1] != Identity::of(&log));
        self.log.metadata().is_ok_and(is_other)
    }

    /// Records that the connections are being closed. From now on no new one is opened.
    pub(super) fn close(&self) {
        let _ = self.closed.set(()); // an error: it was closed before
    }

    /// Releases the service lock, after all connections are closed.
    pub(super) fn end_service(&self) {
        self.service.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Opens a file that SQLite has locks on, once in this process. With POSIX locks (`fcntl`), closing any
/// descriptor of a file releases all locks of the process on it, including SQLite's.
fn open_shared(path: &Path, options: &OpenOptions) -> io::Result<Arc<File>> {
    static OPENED: Mutex<Vec<(Identity, Weak<File>)>> = Mutex::new(Vec::new());

    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    opened.retain(|(_, file)| file.strong_count() > 0);
    if cfg!(unix)
        && let Ok(found) = path.metadata()
    {
        let identity = Identity::of(&found);
        if let Some(file) =
            opened.iter().filter(|(other, _)| *other == identity).find_map(|(_, f)| f.upgrade())
        {
            return Ok(file);
        }
    }
    let file = Arc::new(options.open(path)?);
    opened.push((Identity::of(&file.metadata()?), Arc::downgrade(&file)));
    Ok(file)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The service lock: a locked file beside the database that names the process. The system releases the lock
/// when the process ends, even after a crash.
struct ServiceLock {
    _file: File,
    path: PathBuf,
}

impl ServiceLock {
    fn take(database: &Path) -> Result<Self, DbError> {
        let path = with_suffix(database, "-serve");
        let refused =
            |error: io::Error| DbError::Refused(format!("{} cannot be locked: {error}", path.display()));
        loop {
            let mut file = options().open(&path).map_err(refused)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(is_served(database, &mut file)),
                Err(TryLockError::Error(error)) => return Err(refused(error)),
            }
            // The previous owner may have removed the file between open and lock. Then the lock is on a
            // deleted file.
            let locked = Identity::of(&file.metadata().map_err(refused)?);
            if path.metadata().is_ok_and(|found| Identity::of(&found) == locked) {
                file.set_len(0).map_err(refused)?;
                writeln!(file, "process {} since {}", std::process::id(), Time::now()).map_err(refused)?;
                return Ok(Self { _file: file, path });
            }
        }
    }
}

impl Drop for ServiceLock {
    fn drop(&mut self) {
        // Remove it while the lock is held. After an error the file stays, and the next service locks it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Returns the error that names the serving process, as read from the lock file.
fn is_served(database: &Path, lock: &mut File) -> DbError {
    let mut holder = String::new();
    let read = lock.take(100).read_to_string(&mut holder);
    let holder = read.ok().and_then(|_| holder.lines().next()).unwrap_or("another process");
    DbError::Refused(format!(
        "{} is served already, by {holder}; only one service at a time serves a SQLite file",
        database.display()
    ))
}
