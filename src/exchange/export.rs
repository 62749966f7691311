//! Movies written as JSON, NDJSON or CSV, piece by piece.

use crate::domain::{Field, Movie, Title};

/// The forms in which a list of movies is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// CSV (RFC 4180) with a header line; lines end with LF.
    Csv,
    /// CSV that spreadsheets open as it is: with a byte order mark, and no title that is a formula.
    Spreadsheet,
}

/// How texts begin that spreadsheets take for formulas (OWASP, CSV injection).
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

impl Format {
    /// The media type, as it stands in `Content-Type`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Spreadsheet => "text/csv; charset=utf-8; header=present; profile=spreadsheet",
        }
    }

    /// What stands before the first movie.
    #[must_use]
    pub fn opening(self) -> String {
        match self {
            Self::Json => "[".to_owned(),
            Self::Ndjson => String::new(),
            Self::Csv => {
                let fields = Field::ALL.map(Field::as_str).join(",");
                format!("id,{fields},version,createdAt,updatedAt\n")
            }
            Self::Spreadsheet => format!("\u{feff}{}", Self::Csv.opening()),
        }
    }

    /// What stands after the last movie.
    #[must_use]
    pub const fn closing(self) -> &'static str {
        match self {
            Self::Json => "]",
            Self::Ndjson | Self::Csv | Self::Spreadsheet => "",
        }
    }
}

/// Writes some movies of a list; `first` tells whether none were written before them.
///
/// # Panics
/// Never: movies can always be written to memory.
#[must_use]
pub fn to_bytes(format: Format, movies: &[Movie], first: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(movies.len() * 200);
    match format {
        Format::Json | Format::Ndjson => {
            for (n, movie) in movies.iter().enumerate() {
                if format == Format::Json && !(first && n == 0) {
                    bytes.push(b',');
                }
                serde_json::to_writer(&mut bytes, movie).expect("a movie is JSON");
                if format == Format::Ndjson {
                    bytes.push(b'\n');
                }
            }
        }
        Format::Csv | Format::Spreadsheet => {
            let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(&mut bytes);
            for movie in movies {
                let plain = (format == Format::Spreadsheet).then(|| without_formula(movie)).flatten();
                csv.serialize(plain.as_ref().unwrap_or(movie)).expect("a movie is a row");
            }
            csv.flush().expect("memory can be written");
        }
    }
    bytes
}

/// The movie with an apostrophe before a title that spreadsheets would take for a formula, or that an import would
/// take for one with such an apostrophe; none if the title can stand as it is.
fn without_formula(movie: &Movie) -> Option<Movie> {
    let title = movie.attributes.title.as_str();
    title.trim_start_matches('\'').starts_with(FORMULA).then(|| {
        let mut plain = movie.clone();
        plain.attributes.title = Title::for_spreadsheet(title);
        plain
    })
}

/// The title that a cell of a spreadsheet shows: without the apostrophe that keeps it from being a formula.
pub(super) fn shown_in_spreadsheet(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(title) if title.trim_start_matches('\'').starts_with(FORMULA) => title,
        _ => cell,
    }
}
