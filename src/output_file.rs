//! Atomic output files: complete or not at all. Only regular files are replaced.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Seek, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tempfile::NamedTempFile;

/// The prefix and suffix of an incomplete file.
const PREFIX: &str = ".reelshelf-";
const SUFFIX: &str = ".tmp";
/// The age after which an unlocked incomplete file is considered abandoned.
const LEFTOVER_AGE: Duration = Duration::from_secs(60);
/// The maximum number of symbolic links to follow, as on Linux.
const MAX_LINKS: usize = 40;

/// What to do with an existing regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    Replace,
    Refuse,
}

/// Who may read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The same users as the replaced file; for a new file according to the umask.
    Kept,
    /// Only the user of this program.
    Private,
}

/// An output file. [`OutputFile::finish`] puts it in place; dropping it before leaves everything unchanged.
/// Anything other than a regular file, such as a pipe, is written directly.
#[derive(Debug)]
pub struct OutputFile {
    to: To,
}

#[derive(Debug)]
enum To {
    /// A new file in the target folder.
    Beside { file: NamedTempFile<File>, path: PathBuf, existing: Existing },
    /// An unnamed temporary file, to be copied into an existing one that cannot be replaced.
    Into { spool: File, file: File },
    /// Not a regular file, written directly.
    Through(File),
}

/// The target of a path.
enum Target {
    Nothing(PathBuf),
    Plain(PathBuf, Metadata),
    Special(PathBuf),
}

impl OutputFile {
    /// Creates a file at the end of a path's symbolic links.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if a regular file must not be replaced;
    /// [`io::ErrorKind::PermissionDenied`].
    pub fn create(path: &Path, existing: Existing, access: Access) -> io::Result<Self> {
        let to = match find(path)? {
            Target::Special(_) if access == Access::Private => {
                return Err(io::Error::other("it is no plain file, which others could not read"));
            }
            Target::Special(path) => To::Through(open_special(&path)?),
            Target::Plain(..) if existing == Existing::Refuse => {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            Target::Nothing(path) => {
                let mode = if access == Access::Private { 0o600 } else { 0o666 };
                To::Beside { file: beside(&path, mode)?, path, existing }
            }
            Target::Plain(path, _) if access == Access::Private => {
                To::Beside { file: beside(&path, 0o600)?, path, existing }
            }
            Target::Plain(path, metadata) => replace(path, &metadata)?,
        };
        Ok(Self { to })
    }

    /// Returns the file written so far, if it can be read back.
    #[must_use]
    pub fn written(&self) -> Option<&File> {
        match &self.to {
            To::Beside { file, .. } => Some(file.as_file()),
            To::Into { spool, .. } => Some(spool),
            To::Through(_) => None,
        }
    }

    /// Syncs the file to disk and puts it in place.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if a file that must not be replaced was created meanwhile. Other
    /// errors say if the target may be incomplete.
    pub fn finish(self) -> io::Result<()> {
        match self.to {
            To::Beside { file, path, existing } => {
                file.as_file().sync_all()?;
                match existing {
                    Existing::Replace => file.persist(&path)?,
                    Existing::Refuse => file.persist_noclobber(&path)?,
                };
                sync_folder(folder_of(&path))
            }
            To::Into { spool, file } => copy_into(spool, file).map_err(|error| {
                io::Error::new(error.kind(), format!("only a part of it was written: {error}"))
            }),
            To::Through(mut file) => file.flush(),
        }
    }

    fn file(&mut self) -> &mut File {
        match &mut self.to {
            To::Beside { file, .. } => file.as_file_mut(),
            To::Into { spool, .. } => spool,
            To::Through(file) => file,
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

/// Follows symbolic links. A path without a target is the place of a new file.
fn find(path: &Path) -> io::Result<Target> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if is_descriptor(&path) {
            return Ok(Target::Special(path));
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => path = folder_of(&path).join(fs::read_link(&path)?),
            Ok(found) if found.is_file() => return Ok(Target::Plain(path, found)),
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => return Ok(Target::Special(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Target::Nothing(path)),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Returns whether a path is an open file descriptor of this process. Even a regular file then belongs to
/// whoever opened it, such as a shell, so it is written and not replaced.
fn is_descriptor(path: &Path) -> bool {
    cfg!(unix)
        && (["/dev/stdin", "/dev/stdout", "/dev/stderr"].iter().any(|name| path == Path::new(name))
            || path.starts_with("/dev/fd")
            || path.starts_with("/proc"))
}

fn open_special(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let standard = |number: u8| {
            let folders =
                ["/dev/fd", "/proc/self/fd"].map(|folder| Path::new(folder).join(number.to_string()));
            folders.iter().any(|name| path == name)
        };
        // The same file offset: `>>` continues to append.
        if path == Path::new("/dev/stdout") || standard(1) {
            return Ok(io::stdout().as_fd().try_clone_to_owned()?.into());
        }
        if path == Path::new("/dev/stderr") || standard(2) {
            return Ok(io::stderr().as_fd().try_clone_to_owned()?.into());
        }
    }
    File::options().write(true).open(path)
}

/// Prepares the replacement of a regular file: a new file with its mode and owner. If that is impossible, or
/// the file has hard links, the content is copied into the existing file.
fn replace(path: PathBuf, metadata: &Metadata) -> io::Result<To> {
    let file = File::options().write(true).open(&path)?; // fails if the user lacks the permission
    let new = if has_one_name(metadata) {
        beside(&path, 0o600).and_then(|new| like(new, metadata))
    } else {
        Ok(None)
    };
    match new {
        Ok(Some(new)) => Ok(To::Beside { file: new, path, existing: Existing::Replace }),
        Ok(None) => Ok(To::Into { spool: tempfile::tempfile()?, file }),
        // The file is writable, but its folder is not.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Ok(To::Into { spool: tempfile::tempfile()?, file })
        }
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn has_one_name(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) == 1
}

#[cfg(not(unix))]
fn has_one_name(_: &Metadata) -> bool {
    true
}

/// Gives a new file the owner and mode of another one, if permitted.
fn like(new: NamedTempFile<File>, metadata: &Metadata) -> io::Result<Option<NamedTempFile<File>>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let own = new.as_file().metadata()?;
        let (uid, gid) = (metadata.uid(), metadata.gid());
        if (own.uid(), own.gid()) != (uid, gid) && fchown(new.as_file(), Some(uid), Some(gid)).is_err() {
            return Ok(None);
        }
    }
    new.as_file().set_permissions(metadata.permissions())?;
    Ok(Some(new))
}

/// Creates a file in the same folder. A lock shows other processes that it is being written.
fn beside(path: &Path, mode: u32) -> io::Result<NamedTempFile<File>> {
    let folder = folder_of(path);
    remove_leftovers(folder);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let file =
        tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(folder, |path| options.open(path))?;
    let _ = file.as_file().try_lock(); // some file systems have no locks
    Ok(file)
}

/// Removes incomplete files of killed processes from a folder.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if is_ours && is_leftover(&entry.path()).unwrap_or(false) {
            let (removed, file) = (fs::remove_file(entry.path()), entry.path());
            match removed {
                Ok(()) => tracing::info!(file = %file.display(), "removed what a killed program had left"),
                Err(error) => {
                    tracing::warn!(%error, file = %file.display(), "what a killed program has left cannot be removed");
                }
            }
        }
    }
}

/// Returns whether a file was not written for a while and is not locked.
fn is_leftover(path: &Path) -> io::Result<bool> {
    let found = fs::symlink_metadata(path)?;
    let age = SystemTime::now().duration_since(found.modified()?).unwrap_or_default();
    Ok(found.is_file() && age >= LEFTOVER_AGE && File::open(path)?.try_lock().is_ok())
}

fn copy_into(mut spool: File, mut file: File) -> io::Result<()> {
    spool.rewind()?;
    file.set_len(0)?;
    io::copy(&mut spool, &mut file)?;
    file.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs a folder, so that a new name is on disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        Ok(folder) if cfg!(unix) => folder.sync_all(),
        _ => Ok(()), // the folder is not readable
    }
}
