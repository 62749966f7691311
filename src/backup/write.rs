//! Writes a backup line by line.

use std::io::{self, Write};

use serde::Serialize;
use zstd::Encoder;

use super::{
    Counts, Entry, Header,
    lines::{END, Last},
    seal::Hashing,
};

/// A file that is being written.
pub struct Writer<W: Write> {
    out: Encoder<'static, Hashing<W>>,
    counts: Counts,
    line: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Starts a file with its header.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let out = Encoder::new(Hashing::new(out), zstd::DEFAULT_COMPRESSION_LEVEL)?;
        let mut writer = Self { out, counts: Counts::default(), line: Vec::new() };
        writer.line(header)?;
        Ok(writer)
    }

    /// Writes a row. Rows must be sorted by kind, then by sort key.
    pub fn write(&mut self, entry: &Entry) -> io::Result<()> {
        self.counts.add(entry.noun());
        self.line(entry)
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    /// Finishes the file. Returns the number of rows written.
    pub fn finish(mut self) -> io::Result<(W, Counts)> {
        let counts = self.counts;
        self.line(&Last { end: counts })?;
        debug_assert!(self.line.starts_with(END));
        let mut file = self.out.finish()?;
        let seal = file.seal();
        file.inner.write_all(&seal)?;
        Ok((file.inner, counts))
    }
}
