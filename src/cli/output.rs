//! Standard output and standard error, and what happens where they cannot be written.
//!
//! Standard error tells people something; where it cannot be written, that is lost and nothing else happens.
//! Standard output is what a command was asked for: where it cannot be written, the command has failed; but if its
//! reader has gone away, it has read enough.

use std::{
    fmt,
    io::{self, BufWriter, IsTerminal, Stdout, Write},
};

use serde::Serialize;

use super::log;

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

/// Writes text to standard error, behind the lines of the log, if that can be written.
pub fn write_message(text: fmt::Arguments<'_>) {
    log::finish();
    let _ = io::stderr().write_all(text.to_string().as_bytes()); // at once, so that no other line comes between
}

/// Writes a line to standard error, if that can be written. `eprintln!` would panic where it cannot.
macro_rules! message {
    ($($text:tt)*) => {
        $crate::cli::output::write_message(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(crate) use message;

/// Standard output, buffered. Where it cannot be written, its errors are an [`Unwritten`].
pub struct Out(BufWriter<Stdout>);

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written: {0}")]
pub struct Unwritten(io::Error);

impl Out {
    #[must_use]
    pub fn new() -> Self {
        Self(BufWriter::with_capacity(64 * 1024, io::stdout()))
    }

    /// Writes a value as JSON: for people with indents, for programs in one line.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        if io::stdout().is_terminal() {
            serde_json::to_writer_pretty(&mut *self, value)?;
        } else {
            serde_json::to_writer(&mut *self, value)?;
        }
        writeln!(self)
    }

    /// Hands on what is still held.
    pub fn finish(mut self) -> anyhow::Result<()> {
        Ok(self.flush()?)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(unwritten)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(unwritten)
    }
}

/// Tells the errors of standard output from those of a connection or a file.
pub fn unwritten(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::Interrupted { error } else { io::Error::other(Unwritten(error)) }
}

/// Whether an error only says that nobody reads standard output any more.
#[must_use]
pub fn is_closed(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let unwritten = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let unwritten = unwritten.and_then(|inner| inner.downcast_ref::<Unwritten>());
        unwritten.is_some_and(|Unwritten(why)| why.kind() == io::ErrorKind::BrokenPipe)
    })
}
