//! Converts the `.zip` export of a Letterboxd account to one CSV file.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    io::{self, BufReader, Read, Seek},
};

use zip::ZipArchive;

use super::{ImportOptions, csv, text, unreadable};
use crate::{
    documents::{RowError, Source},
    domain::{Code, Invalid},
    limits::MAX_ARCHIVE_BYTES,
};

/// The merged films of an account.
#[derive(Debug)]
pub struct Merged {
    /// A temporary CSV file in the layout of Letterboxd's `ratings.csv`, positioned at its start: a header
    /// and one line per film.
    pub file: File,
    /// The origin of each film in the archive, from line 2 on.
    pub origins: Vec<Origin>,
    /// Whether the archive has a watchlist that was not requested.
    pub leaves_out_watchlist: bool,
}

/// A location in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file name in the archive, such as `diary.csv`, without the top folder.
    pub file: String,
    /// The line in that file, from 1.
    pub line: u64,
}

impl Origin {
    /// Returns the origin of a line of the merged file.
    #[must_use]
    pub fn of_line(origins: &[Self], line: u64) -> Option<&Self> {
        origins.get(usize::try_from(line.checked_sub(2)?).ok()?)
    }
}

/// Merges the films that an account has watched, rated, reviewed or listed, each once. Films of the watchlist
/// are included only on request, since the user does not own them yet. Ratings come from `ratings.csv`, or
/// else from the latest diary entry.
///
/// # Errors
/// If the archive is damaged, has two files of the same name, has no films, unpacks to more than 1 GiB, or a file in
/// it cannot be read.
pub fn merge_letterboxd(archive: File, with_watchlist: bool) -> Result<Merged, Invalid> {
    merge_letterboxd_within(archive, with_watchlist, MAX_ARCHIVE_BYTES)
}

/// Does the same with a limit on the unpacked size, in bytes.
pub fn merge_letterboxd_within(
    archive: File,
    with_watchlist: bool,
    max_bytes: u64,
) -> Result<Merged, Invalid> {
    let mut archive = ZipArchive::new(BufReader::new(archive)).map_err(|e| damaged(&e))?;
    if archive.has_duplicate_names() {
        // The library reads only the last file of a name.
        return Err(Invalid::new(Code::Malformed, "the archive has two files of the same name".to_owned()));
    }
    let (mut names, mut parts, mut size) = (Vec::new(), Vec::new(), 0_u64);
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|e| damaged(&e))?;
        let name = entry.name().map_err(|e| damaged(&e))?;
        if let Some((rank, name)) = part_of(&name) {
            parts.push((rank, name, index));
            size = size.saturating_add(entry.size());
        }
        names.push(name.into_owned());
    }
    if size > max_bytes {
        return Err(too_large(max_bytes));
    }
    let has_watchlist = parts.iter().any(|(_, name, _)| name == WATCHLIST);
    if !with_watchlist {
        parts.retain(|(_, name, _)| name != WATCHLIST);
    }
    if parts.is_empty() && !has_watchlist {
        let holds = |part: &str| names.iter().any(|name: &String| name.contains(part));
        let what = text::spreadsheet(holds).map(|what| format!("the file {what}"));
        let no_films = || "the archive holds no films of a Letterboxd account".to_owned();
        return Err(Invalid::new(Code::Malformed, what.unwrap_or_else(no_films)));
    }
    parts.sort();
    // The sizes that an archive states may be wrong, so the limit counts actual bytes.
    let mut left = max_bytes;
    let mut films = Films::default();
    for (rank, name, index) in parts {
        let mut unpacked = tempfile::tempfile().map_err(unreadable)?;
        let entry = archive.by_index(index).map_err(|e| damaged(&e))?;
        let copied = io::copy(&mut entry.take(left + 1), &mut unpacked).map_err(|e| damaged(&e))?;
        left = left.checked_sub(copied).ok_or_else(|| too_large(max_bytes))?;
        unpacked.rewind().map_err(unreadable)?;
        films.read(unpacked, &name, rank).map_err(|invalid| {
            invalid.of(format_args!(
                "the archive is not one of Letterboxd, or is damaged: {}:",
                name.escape_debug()
            ))
        })?;
    }
    let merged = films
        .write()
        .map_err(|e| Invalid::new(Code::Malformed, format!("the films cannot be written: {e}")))?;
    Ok(Merged { leaves_out_watchlist: has_watchlist && !with_watchlist, ..merged })
}

/// Files with films, in reading order. Lists follow them.
const FILES: [&str; 5] = ["watched.csv", "ratings.csv", "diary.csv", "reviews.csv", WATCHLIST];

/// The file of films that the user wants to see.
const WATCHLIST: &str = "watchlist.csv";

/// The index in [`FILES`] of the file whose ratings take precedence.
const RATINGS: usize = 1;

/// Folders to ignore: deleted items, likes, orphaned entries, and metadata of the macOS archiver.
const PASSED_OVER: [&str; 4] = ["deleted", "likes", "orphaned", "__MACOSX"];

/// Returns the rank of a file with films, and its name without the top folder.
fn part_of(path: &str) -> Option<(usize, String)> {
    let folders: Vec<&str> = path.split(['/', '\\']).collect();
    let (file, folders) = folders.split_last()?;
    if folders.iter().any(|folder| PASSED_OVER.contains(folder)) {
        return None;
    }
    let is_csv = file.rsplit_once('.').is_some_and(|(name, kind)| !name.is_empty() && kind == "csv");
    if folders.last() == Some(&"lists") && is_csv {
        return Some((FILES.len(), format!("lists/{file}")));
    }
    let rank = FILES.iter().position(|name| name == file)?;
    Some((rank, (*file).to_owned()))
}

fn damaged(error: &impl std::fmt::Display) -> Invalid {
    Invalid::new(Code::Malformed, format!("the archive is damaged, or no ZIP archive: {error}"))
}

fn too_large(max_bytes: u64) -> Invalid {
    Invalid::new(Code::Malformed, format!("the archive unpacks to more than {max_bytes} bytes"))
}

/// A film and its data so far.
struct Film {
    /// The columns of `ratings.csv`: date, name, year, URL, rating.
    cells: [String; 5],
    origin: Origin,
    /// The precedence of the rating: whether it is from `ratings.csv`, else the date watched and the date
    /// logged.
    rated: Option<(bool, String, String)>,
}

#[derive(Default)]
struct Films {
    films: Vec<Film>,
    /// The index of each film by name and year.
    places: HashMap<(String, String), usize>,
}

impl Films {
    fn read(&mut self, file: File, part: &str, rank: usize) -> Result<(), Invalid> {
        let (text, marked) = text::open(file, None)?;
        let options = ImportOptions { source: Source::Letterboxd, ..ImportOptions::default() };
        let mut rows = csv::Rows::open(text, marked, &options)?;
        let columns = ["Date", "Name", "Year", "Letterboxd URI", "Rating", "Watched Date", "URL"];
        let columns = columns.map(|name| rows.place(name));
        while rows.advance().map_err(unreadable)? {
            let in_line = |error: Box<RowError>| {
                let reason = error.reason;
                Invalid { code: Code::Malformed, reason }.of(format_args!("line {}: the row", error.line))
            };
            rows.record().map_err(in_line)?;
            let mut cells = columns.map(|_| String::new());
            for (cell, column) in cells.iter_mut().zip(columns) {
                if let Some(column) = column {
                    // Without line breaks, so that line numbers identify films.
                    let words = rows.text(column, None).map_err(in_line)?.split_whitespace();
                    *cell = words.collect::<Vec<_>>().join(" ");
                }
            }
            let [date, name, year, mut address, rating, seen, url] = cells;
            if address.is_empty() {
                address = url;
            }
            let rated = (!rating.is_empty()).then(|| (rank == RATINGS, seen, date.clone()));
            let origin = Origin { file: part.to_owned(), line: rows.line() };
            self.add(Film { cells: [date, name, year, address, rating], origin, rated });
        }
        Ok(())
    }

    /// Adds a film, or updates its rating if the new one takes precedence.
    fn add(&mut self, film: Film) {
        let [_, name, year, ..] = &film.cells;
        match self.places.entry((name.clone(), year.clone())) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.films.len());
                self.films.push(film);
            }
            Entry::Occupied(place) => {
                let known = &mut self.films[*place.get()];
                if film.rated.is_some() && film.rated >= known.rated {
                    *known = film;
                }
            }
        }
    }

    fn write(self) -> io::Result<Merged> {
        let mut rows = ::csv::Writer::from_writer(tempfile::tempfile()?);
        rows.write_record(["Date", "Name", "Year", "Letterboxd URI", "Rating"])?;
        let mut origins = Vec::with_capacity(self.films.len());
        for film in self.films {
            rows.write_record(&film.cells)?;
            origins.push(film.origin);
        }
        let mut file = rows.into_inner().map_err(::csv::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Merged { file, origins, leaves_out_watchlist: false })
    }
}
