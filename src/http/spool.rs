//! Files that are sent: written to disk as they come, so that a slow sender keeps nobody from writing.

use std::{
    fs::File,
    io::{self, Seek, Write},
};

use axum::http::StatusCode;

use super::problem::Problem;
use crate::{limits::MAX_IMPORT_BYTES, service::Error};

/// A file without a name, which is gone when it is closed.
pub struct Spool {
    file: File,
    size: u64,
}

impl Spool {
    /// An empty one.
    pub fn open() -> Result<Self, Problem> {
        Ok(Self { file: tempfile::tempfile().map_err(|e| failed(&e))?, size: 0 })
    }

    /// Takes in a piece, as far as the file does not become too large.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), Problem> {
        self.size += piece.len() as u64;
        if self.size > MAX_IMPORT_BYTES {
            let detail = format!("a file of more than {MAX_IMPORT_BYTES} bytes is not taken; split it");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        // Pieces of some 16 KiB into the page cache: too short to be worth another thread.
        Ok(self.file.write_all(piece).map_err(|e| failed(&e))?)
    }

    /// The file, at its start.
    pub fn finish(mut self) -> Result<File, Problem> {
        self.file.rewind().map_err(|e| failed(&e))?;
        Ok(self.file)
    }
}

fn failed(error: &io::Error) -> Error {
    Error::Failed(format!("a file could not be spooled: {error}"))
}
