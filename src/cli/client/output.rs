//! Standard output: its forms, and its end when nobody reads on.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use serde::Serialize;

/// In which form a list is wanted.
#[derive(clap::Args, Clone, Copy)]
pub struct Form {
    /// JSON, for programs
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// CSV, for programs
    #[arg(long)]
    pub csv: bool,
}

/// Standard output, buffered. Whoever writes to it gives an error on when nobody reads any more,
/// which ends the program as if it were done.
pub struct Out(BufWriter<Stdout>);

/// Nobody reads standard output any more.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
pub struct Closed;

impl Out {
    #[must_use]
    pub fn new() -> Self {
        Self(BufWriter::with_capacity(64 * 1024, io::stdout()))
    }

    /// Writes a value as JSON: for people with indents, for programs in one line.
    ///
    /// # Errors
    /// Those of standard output.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        if io::stdout().is_terminal() {
            serde_json::to_writer_pretty(&mut *self, value)?;
        } else {
            serde_json::to_writer(&mut *self, value)?;
        }
        writeln!(self)
    }

    /// Hands on what is still held.
    ///
    /// # Errors
    /// Those of standard output.
    pub fn finish(mut self) -> anyhow::Result<()> {
        Ok(self.flush()?)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(closed)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(closed)
    }
}

/// Tells the end of standard output from that of a connection.
fn closed(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::BrokenPipe { io::Error::other(Closed) } else { error }
}

/// Whether an error is but that nobody reads standard output any more.
#[must_use]
pub fn is_closed(error: &anyhow::Error) -> bool {
    let io = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<Closed>)
    };
    error.chain().any(io)
}
