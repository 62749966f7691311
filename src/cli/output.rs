//! Standard output and standard error, and their write errors.
//!
//! Messages go to standard error; write errors there are ignored. The result goes to standard output: if it
//! cannot be written, the command fails, unless the reader has closed the pipe.

use std::{
    fmt,
    io::{self, BufWriter, IsTerminal, Stdout, Write},
};

use serde::Serialize;

use super::log;

/// The format of a list.
#[derive(clap::Args, Clone, Copy)]
pub struct Form {
    /// JSON, for programs
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// CSV, for programs
    #[arg(long)]
    pub csv: bool,
}

/// Writes a message to standard error, after the pending log lines. Ignores errors.
pub fn write_message(text: fmt::Arguments<'_>) {
    log::finish();
    let _ = io::stderr().write_all(text.to_string().as_bytes()); // one write, so that lines do not mix
}

/// Writes a line to standard error. Ignores errors, where `eprintln!` would panic.
macro_rules! message {
    ($($text:tt)*) => {
        $crate::cli::output::write_message(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(crate) use message;

/// Buffered standard output. Its errors are [`Unwritten`].
pub struct Out(BufWriter<Stdout>);

/// Writing to standard output failed.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written: {0}")]
pub struct Unwritten(io::Error);

impl Out {
    #[must_use]
    pub fn new() -> Self {
        Self(BufWriter::with_capacity(64 * 1024, io::stdout()))
    }

    /// Writes a value as JSON: indented at a terminal, otherwise in one line.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        if io::stdout().is_terminal() {
            serde_json::to_writer_pretty(&mut *self, value)?;
        } else {
            serde_json::to_writer(&mut *self, value)?;
        }
        writeln!(self)
    }

    /// Flushes the buffer.
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

/// Marks an error as one of standard output, to tell it from those of connections and files.
pub fn unwritten(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::Interrupted { error } else { io::Error::other(Unwritten(error)) }
}

/// Returns whether an error means that the reader has closed standard output.
#[must_use]
pub fn is_closed(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let unwritten = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let unwritten = unwritten.and_then(|inner| inner.downcast_ref::<Unwritten>());
        unwritten.is_some_and(|Unwritten(error)| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
