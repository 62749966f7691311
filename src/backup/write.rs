//! Writing a backup, line by line.

use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};
use zstd::Encoder;

use super::{Counts, END, End, Entry, Header, Last, hex};

/// A file that is being written.
pub struct Writer<W: Write> {
    out: Encoder<'static, W>,
    digest: Sha256,
    counts: Counts,
    line: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of writing.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut out = Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?;
        out.include_checksum(true)?; // so that `zstd --test` finds damage, too
        let mut writer = Self { out, digest: Sha256::new(), counts: Counts::default(), line: Vec::new() };
        writer.line(header)?;
        Ok(writer)
    }

    /// Writes a row. They come noun by noun, and by id.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&mut self, entry: &Entry) -> io::Result<()> {
        self.counts.add(entry.noun());
        self.line(entry)
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        self.digest.update(&self.line);
        self.out.write_all(&self.line)
    }

    /// Ends the file; tells how many rows were written.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> io::Result<(W, Counts)> {
        let counts = self.counts;
        let sha256 = hex(&self.digest.finalize_reset());
        self.line(&Last { end: End { counts, sha256 } })?;
        debug_assert!(self.line.starts_with(END));
        Ok((self.out.finish()?, counts))
    }
}
