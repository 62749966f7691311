//! The input of an import: a file, a pipe, an archive, or two joined files.

use std::{
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{
    cli::client::words::shown,
    documents::{Report, Source},
    exchange::{self, FileKind, Origin},
};

/// A file that can be read several times.
pub struct Input {
    pub file: File,
    pub kind: FileKind,
    /// Its layout, if known.
    pub source: Option<Source>,
    /// For an archive: the origin of each row, from line 2.
    origins: Vec<Origin>,
    /// Whether the archive has a watchlist that is not imported.
    pub leaves_out_watchlist: bool,
}

impl Input {
    /// Opens the input; a pipe is read to its end first.
    ///
    /// # Errors
    /// If the file cannot be read, is not text, or is a damaged archive.
    pub fn open(args: &super::Args) -> anyhow::Result<Self> {
        let (path, ratings, user) = (args.file.as_path(), args.ratings.as_deref(), args.user);
        let name = path.display();
        let mut file = open(path)?;
        let mut start = Vec::new();
        file.by_ref().take(4096).read_to_end(&mut start).with_context(|| format!("{name} cannot be read"))?;
        file.rewind()?;
        let input = |file, kind, source| Self {
            file,
            kind,
            source,
            origins: Vec::new(),
            leaves_out_watchlist: false,
        };
        if start.starts_with(b"PK\x03\x04") {
            if ratings.is_some() {
                bail!("--ratings goes with MovieLens' movies.csv, and {name} is an archive");
            }
            let merged = exchange::merge_letterboxd(file, args.watchlist)
                .with_context(|| format!("{name} cannot be read"))?;
            return Ok(Self {
                origins: merged.origins,
                leaves_out_watchlist: merged.leaves_out_watchlist,
                ..input(merged.file, FileKind::Csv, Some(Source::Letterboxd))
            });
        }
        let Some(kind) = FileKind::sniff(&start) else { bail!("{name} is empty, or no text") };
        let Some(ratings) = ratings else { return Ok(input(file, kind, None)) };
        let file = exchange::with_movielens_ratings(file, open(ratings)?, user)
            .with_context(|| format!("{name} and {} cannot be put together", ratings.display()))?;
        Ok(input(file, kind, Some(Source::Movielens)))
    }

    /// Returns another handle of the file, at its start. Use only one at a time.
    pub fn again(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(file)
    }

    /// Describes the location of a line, for an archive in one of its files.
    pub fn place(&self, line: u64) -> String {
        match Origin::of_line(&self.origins, line) {
            Some(origin) => format!("{}:{}", shown(&origin.file), origin.line),
            None => line.to_string(),
        }
    }

    /// Serializes a report, with lines replaced by their origins in the archive.
    pub fn located(&self, report: &Report) -> serde_json::Result<Value> {
        let mut report = serde_json::to_value(report)?;
        for list in ["errors", "notes", "preview"] {
            for row in report.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(origin) =
                    row["line"].as_u64().and_then(|line| Origin::of_line(&self.origins, line))
                {
                    row["line"] = origin.line.into();
                    row["file"] = origin.file.clone().into();
                }
            }
        }
        Ok(report)
    }
}

fn open(path: &Path) -> anyhow::Result<File> {
    let unreadable = || format!("{} cannot be read", path.display());
    if path == Path::new("-") {
        return spooled(io::stdin().lock()).context("standard input cannot be read");
    }
    let file = File::open(path).with_context(unreadable)?;
    if file.metadata().with_context(unreadable)?.is_file() {
        return Ok(file);
    }
    spooled(file).with_context(unreadable)
}

/// Copies a pipe to an unnamed temporary file.
fn spooled(mut pipe: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut pipe, &mut file)?;
    file.rewind()?;
    Ok(file)
}
