//! `--rejects`: a file of rejected rows, to be corrected and imported again.

use std::{
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::input::Input;
use crate::{
    cli::{client::words::with_options, output::message},
    exchange::{self, ImportOptions},
    format::count,
    output_file::{Access, Existing, OutputFile},
};

/// The path of the rejects file.
pub struct Rejects {
    path: PathBuf,
    file: OutputFile,
}

/// The complete rejects file, not in place yet.
pub struct Rejected {
    path: PathBuf,
    file: OutputFile,
    rows: u64,
}

impl Rejects {
    /// Creates the file.
    ///
    /// # Errors
    /// If it cannot be written, or exists and must not be replaced.
    pub fn open(path: &Path, force: bool) -> anyhow::Result<Self> {
        let existing = if force { Existing::Replace } else { Existing::Refuse };
        let file = OutputFile::create(path, existing, Access::Kept).map_err(|error| in_words(path, error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Validates the input like the import, and writes the rejected rows.
    ///
    /// # Errors
    /// If the input cannot be read or the file not be written.
    pub fn fill(self, input: &Input, options: &ImportOptions) -> anyhow::Result<Rejected> {
        let Self { path, file } = self;
        let mut writer = BufWriter::new(file);
        let report = exchange::check(input.again()?, input.kind, options, Some(&mut writer))
            .map_err(|invalid| anyhow::anyhow!(with_options(&invalid.reason)))?;
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error);
        let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Rejected { path, file, rows: report.failed })
    }
}

impl Rejected {
    /// Puts the file in place if it has rows, and prints a message.
    ///
    /// # Errors
    /// If it cannot be written, or another file was created meanwhile.
    pub fn keep(self) -> anyhow::Result<()> {
        let Self { path, file, rows } = self;
        if rows == 0 {
            message!("No row was rejected; {} is not written.", path.display());
            return Ok(());
        }
        file.finish().map_err(|error| in_words(&path, error))?;
        message!(
            "{} rejected, with the reasons: {}. Correct the file and import it.",
            count(rows, "row"),
            path.display()
        );
        Ok(())
    }
}

fn in_words(path: &Path, error: io::Error) -> anyhow::Error {
    let path = path.display();
    if error.kind() == io::ErrorKind::AlreadyExists {
        return anyhow::anyhow!("{path} is there already; --force replaces it");
    }
    anyhow::Error::new(error).context(format!("{path} cannot be written"))
}
