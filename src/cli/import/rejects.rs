//! `--rejects`: the refused rows in a file, to be mended and imported again.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::input::Input;
use crate::{
    cli::client::{file, words::count},
    cli::output::message,
    exchange::{self, ImportOptions},
};

/// Where the refused rows are to go.
pub struct Rejects {
    path: PathBuf,
    force: bool,
}

/// The refused rows, in a file without a name, which is gone if the import is ended.
pub struct Refused {
    rejects: Rejects,
    file: File,
    rows: u64,
}

impl Rejects {
    /// Makes sure that the file can be written.
    ///
    /// # Errors
    /// It cannot, or it is there already and may not be replaced.
    pub fn open(path: &Path, force: bool) -> anyhow::Result<Self> {
        if !force && path.symlink_metadata().is_ok() {
            bail!("{} is there already; --force replaces it", path.display());
        }
        file::beside(path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path: path.to_owned(), force })
    }

    /// Reads the file as the import will, and writes down what it will refuse.
    ///
    /// # Errors
    /// A file that cannot be read, or written.
    pub fn fill(self, input: &Input, options: &ImportOptions) -> anyhow::Result<Refused> {
        let mut file = tempfile::tempfile()?;
        let mut writer = BufWriter::new(&mut file);
        let report = exchange::check(input.again()?, input.kind, options, Some(&mut writer))?;
        writer.flush()?;
        drop(writer);
        Ok(Refused { rejects: self, file, rows: report.failed })
    }
}

impl Refused {
    /// Gives the file its name, if there is something in it, and says so.
    ///
    /// # Errors
    /// It cannot be written, or has come to be there meanwhile.
    pub fn keep(self) -> anyhow::Result<()> {
        let name = self.rejects.path.display();
        if self.rows == 0 {
            message!("No row was refused; {name} is not written.");
            return Ok(());
        }
        self.write().with_context(|| format!("{name} cannot be written"))?;
        message!("{} refused, with the reasons: {name}. Mend and import it.", count(self.rows, "row"));
        Ok(())
    }

    fn write(&self) -> anyhow::Result<()> {
        let Rejects { path, force } = &self.rejects;
        let mut from = &self.file;
        from.rewind()?;
        let mut to = file::beside(path)?;
        io::copy(&mut from, to.as_file_mut())?;
        to.as_file().sync_all()?;
        if *force {
            to.persist(path)?
        } else {
            to.persist_noclobber(path)?
        };
        Ok(())
    }
}
