//! The uploaded file: itself, or the merged films of an archive.

use std::{fs::File, io::Read};

use crate::{
    documents::Source,
    exchange::{FileKind, ImportOptions, Merged, Origin},
    http::{
        Shared,
        extract::upload::{Spooled, reopen},
    },
    service::{Editor, Error, import},
};

/// The magic number of ZIP archives.
const ARCHIVE: &[u8] = b"PK\x03\x04";

/// A file that can be read several times.
pub struct Input<'a> {
    file: &'a Spooled,
    /// The merged films, if the file is an archive.
    merged: Option<Merged>,
    pub kind: FileKind,
}

impl<'a> Input<'a> {
    /// Opens an upload; merges the files of a Letterboxd archive.
    pub async fn open(
        state: &Shared,
        editor: &Editor,
        name: &str,
        file: &'a Spooled,
        with_watchlist: bool,
    ) -> Result<Self, Error> {
        let mut start = Vec::new();
        file.again()?.take(4096).read_to_end(&mut start).map_err(import::unreadable)?;
        if !start.starts_with(ARCHIVE) {
            return Ok(Self { file, merged: None, kind: kind_of(name, &start) });
        }
        let merged = import::unpack(&state.app, editor, file.again()?, with_watchlist).await?;
        Ok(Self { file, merged: Some(merged), kind: FileKind::Csv })
    }

    /// Returns whether the archive has a watchlist that is not imported.
    pub fn leaves_out_watchlist(&self) -> bool {
        self.merged.as_ref().is_some_and(|merged| merged.leaves_out_watchlist)
    }

    pub const fn is_archive(&self) -> bool {
        self.merged.is_some()
    }

    /// Returns another handle of the file, at its start. Use only one at a time.
    pub fn again(&self) -> Result<File, Error> {
        self.merged.as_ref().map_or_else(|| self.file.again(), |merged| reopen(&merged.file))
    }

    /// Adjusts the options for reading the file.
    pub fn options(&self, options: ImportOptions) -> ImportOptions {
        match self.merged {
            Some(_) => ImportOptions { source: Source::Letterboxd, encoding: None, ..options },
            None => options,
        }
    }

    /// Describes the location of a line, for an archive in one of its files.
    pub fn place(&self, line: u64) -> String {
        let origins = self.merged.as_ref().map(|merged| merged.origins.as_slice()).unwrap_or_default();
        match Origin::of_line(origins, line) {
            Some(origin) => format!("{}:{}", origin.file, origin.line),
            None => line.to_string(),
        }
    }
}

/// Detects the format of a file, from its name or its beginning.
fn kind_of(name: &str, start: &[u8]) -> FileKind {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "csv" | "tsv" => FileKind::Csv,
        "ndjson" | "jsonl" => FileKind::Ndjson,
        // The reader reports a file that is not text.
        _ => FileKind::sniff(start).unwrap_or(FileKind::Csv),
    }
}
