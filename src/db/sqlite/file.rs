//! The file of a SQLite database: whether it is still in its place, and the service that serves it.

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

/// The file of an open database.
pub(super) struct DatabaseFile {
    path: PathBuf,
    file: Arc<File>,
    /// SQLite's write-ahead log beside it.
    log: PathBuf,
    /// The index of the log, which all processes share.
    index: OnceLock<Arc<File>>,
    opened: RwLock<Option<[Identity; 2]>>,
    /// Set for good when another file, or none, was found in the place of one of the two.
    displaced: OnceLock<()>,
    service: Mutex<Option<ServiceLock>>,
}

/// By what a file is known, whatever its name: its device and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(file: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(file.dev(), file.ino())
    }

    /// Elsewhere a file that is open can be neither renamed nor removed.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self(0, 0)
    }
}

impl DatabaseFile {
    /// Opens the file, or makes it, readable and writable for its owner alone. To be served, it must be
    /// served by no other process.
    pub(super) fn open(path: &Path, to_be_served: bool) -> Result<Self, DbError> {
        let refused = |error: io::Error| {
            let path = path.display();
            DbError::Refused(match error.kind() {
                io::ErrorKind::ReadOnlyFilesystem => format!(
                    "{path} lies on a read-only file system, where SQLite cannot keep its log; copy it to another one"
                ),
                _ => format!("{path} cannot be opened: {error}"),
            })
        };
        let file = open_shared(path, &options()).map_err(refused)?;
        let path = path.canonicalize().map_err(refused)?;
        let service = if to_be_served { Some(ServiceLock::take(&path)?) } else { None };
        let log = with_suffix(&path, "-wal");
        Ok(Self {
            path,
            file,
            log,
            index: OnceLock::new(),
            opened: RwLock::default(),
            displaced: OnceLock::new(),
            service: Mutex::new(service),
        })
    }

    /// Its path, without symbolic links.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes which files a connection has opened: from now on they must stay in their places.
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

    /// What is committed now, by whatever process: every commit changes the header of the log's index.
    #[cfg(unix)]
    pub(super) fn committed(&self) -> Option<Committed> {
        use std::os::unix::fs::FileExt;
        let mut header = [0; Committed::BYTES];
        self.index.get()?.read_exact_at(&mut header, 0).ok()?;
        Some(Committed(header))
    }

    /// Elsewhere reading the index waits for the locks that SQLite has on it.
    #[cfg(not(unix))]
    pub(super) fn committed(&self) -> Option<Committed> {
        None
    }

    /// That both files are in their places. Costs some microseconds.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] from the moment on when one was found moved, removed or replaced.
    pub(super) fn check(&self) -> Result<(), DbError> {
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
                        "the database file, or its log, was moved, removed or replaced while it was open: nothing \
                         is written any more until it is back in its place and the program was started anew"
                    );
                }
                return Err(displaced());
            }
        }
        Ok(())
    }

    /// How long the log is, in bytes.
    pub(super) fn log_bytes(&self) -> u64 {
        self.log.metadata().map_or(0, |log| log.len())
    }

    /// What an error of SQLite really was: it takes a disk that cannot be read for a damaged file.
    pub(super) fn why(&self, error: rusqlite::Error) -> DbError {
        if super::is_corrupt(&error)
            && let Err(error) = self.read_whole()
        {
            return DbError::Unavailable(format!("the disk cannot be read: {error}"));
        }
        error.into()
    }

    /// What the disk says to reading all of the file and of the log.
    fn read_whole(&self) -> io::Result<()> {
        let mut log = File::open(&self.log)?; // on which SQLite has no locks
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

    /// Whether the log in its place is the one that was opened, which may be removed then.
    pub(super) fn has_own_log(&self) -> bool {
        let opened = *self.opened.read().unwrap_or_else(PoisonError::into_inner);
        self.log.metadata().is_ok_and(|log| opened.is_none_or(|opened| opened[1] == Identity::of(&log)))
    }

    /// Whether the log in its place is another one than that which was opened.
    pub(super) fn has_other_log(&self) -> bool {
        let opened = *self.opened.read().unwrap_or_else(PoisonError::into_inner);
        let is_other = |log: Metadata| opened.is_some_and(|opened| opened[1] != Identity::of(&log));
        self.log.metadata().is_ok_and(is_other)
    }

    /// Lets another process serve the file, when all connections are closed.
    pub(super) fn end_service(&self) {
        self.service.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Opens a file on which SQLite has locks, once in this process: whoever closes such a file gives back all locks that
/// the process has on it (POSIX, `fcntl`), SQLite's too.
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

/// The lock of the one process that serves a file: on a file beside it, which names the process. The system
/// gives the lock back when that process ends, however it ends.
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
            // Who had it before may have removed it between these two steps; then it locks nothing.
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
        // Before the lock is given back. An error: the file stays, and is locked by the next.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The refusal that names the process which serves a file, as that has written it into the lock's file.
fn is_served(database: &Path, lock: &mut File) -> DbError {
    let mut holder = String::new();
    let read = lock.take(100).read_to_string(&mut holder);
    let holder = read.ok().and_then(|_| holder.lines().next()).unwrap_or("another process");
    DbError::Refused(format!(
        "{} is served already, by {holder}; only one service at a time serves a SQLite file",
        database.display()
    ))
}
