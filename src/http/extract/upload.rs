//! Uploaded files. They are spooled to disk, so that a slow upload does not block writers.

use std::{
    fs::File,
    io::{Seek, Write},
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use axum::http::{StatusCode, header};

use crate::{
    http::problem::Problem,
    limits::{MAX_IMPORT_BYTES, MAX_SPOOLED_BYTES},
    service::{Error, import::unreadable},
};

/// Seconds for `Retry-After` if there is no space.
const RETRY_AFTER_SECONDS: u64 = 60;

/// Checks that files can be spooled.
///
/// # Errors
/// If the temporary folder is not writable.
pub fn check() -> anyhow::Result<()> {
    tempfile::tempfile().map(drop).map_err(|error| {
        let folder = std::env::temp_dir();
        anyhow::anyhow!(
            "the folder for temporary files, {} (TMPDIR), cannot be written, and imports need it: {error}",
            folder.display()
        )
    })
}

/// The disk space for all spooled files.
#[derive(Clone)]
pub struct SpoolSpace {
    taken: Arc<AtomicU64>,
    most: u64,
}

impl Default for SpoolSpace {
    fn default() -> Self {
        Self { taken: Arc::default(), most: MAX_SPOOLED_BYTES }
    }
}

/// Reserved space, released when dropped.
struct Reserved {
    room: SpoolSpace,
    bytes: u64,
}

impl Reserved {
    fn grow(&mut self, bytes: u64) -> bool {
        let grown = self.room.taken.fetch_update(Relaxed, Relaxed, |taken| {
            taken.checked_add(bytes).filter(|taken| *taken <= self.room.most)
        });
        if grown.is_ok() {
            self.bytes += bytes;
        }
        grown.is_ok()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Relaxed);
    }
}

/// An unnamed temporary file.
pub struct Spool {
    file: File,
    reserved: Reserved,
}

impl Spool {
    /// Creates an empty file.
    pub fn open(room: &SpoolSpace) -> Result<Self, Problem> {
        let file = tempfile::tempfile().map_err(|e| no_room(&e))?;
        Ok(Self { file, reserved: Reserved { room: room.clone(), bytes: 0 } })
    }

    /// Appends a chunk, within the limits of the file and the space.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let bytes = piece.len() as u64;
        if self.reserved.bytes + bytes > MAX_IMPORT_BYTES {
            let detail = format!("a file may have at most {MAX_IMPORT_BYTES} bytes; split it");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        if !self.reserved.grow(bytes) {
            return Err(no_room(&"the files of other imports use all the space"));
        }
        // Chunks of about 16 KiB go to the page cache, which is faster than another thread.
        self.file.write_all(piece).map_err(|e| no_room(&e))
    }

    /// Returns the complete file.
    pub fn finish(self) -> Spooled {
        Spooled { file: self.file, _reserved: self.reserved }
    }
}

/// A complete file. It occupies its space until dropped.
pub struct Spooled {
    file: File,
    _reserved: Reserved,
}

impl Spooled {
    /// Returns another handle of the file, at its start. Use only one at a time.
    ///
    /// # Errors
    /// [`Error::Failed`] if the file cannot be read.
    pub fn again(&self) -> Result<File, Error> {
        reopen(&self.file)
    }
}

/// Returns another handle of a temporary file, at its start. Use only one at a time.
///
/// # Errors
/// [`Error::Failed`] if the file cannot be read.
pub fn reopen(file: &File) -> Result<File, Error> {
    let mut file = file.try_clone().map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    Ok(file)
}

impl Deref for Spooled {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

fn no_room(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a file could not be spooled");
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "there is no space for the file at the moment; nothing was stored",
    )
    .with_header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_take_room_up_to_the_limit_and_give_it_back() {
        let room = SpoolSpace { taken: Arc::default(), most: 10 };
        let mut first = Spool::open(&room).unwrap();
        let mut second = Spool::open(&room).unwrap();
        first.write(b"123456").unwrap();
        second.write(b"1234").unwrap();
        let refused = second.write(b"5").unwrap_err();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let whole = first.finish();
        assert!(second.write(b"5").is_err(), "until it is imported");
        drop(whole);
        second.write(b"56789A").unwrap();
        assert!(second.write(b"B").is_err());
        drop(second);
        assert_eq!(room.taken.load(Relaxed), 0);
    }

    #[test]
    fn a_file_is_read_from_its_start_as_often_as_it_is_wanted() {
        let mut spool = Spool::open(&SpoolSpace::default()).unwrap();
        spool.write(b"films").unwrap();
        let spooled = spool.finish();
        for _ in 0..2 {
            assert_eq!(std::io::read_to_string(spooled.again().unwrap()).unwrap(), "films");
        }
    }
}
