//! Writes movies as JSON, NDJSON or CSV, batch by batch.

use crate::domain::{Attributes, BYTE_ORDER_MARK, Field, Movie, TimeWriter, Title};

/// The formats of an exported list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON array.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// CSV (RFC 4180) with a header line and LF line ends.
    Csv,
    /// CSV for spreadsheets: with a byte order mark, and with formulas in titles escaped.
    Spreadsheet,
}

/// Characters that start a formula in spreadsheets (OWASP, CSV injection).
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

impl Format {
    /// Returns the media type for `Content-Type`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Spreadsheet => "text/csv; charset=utf-8; header=present; profile=spreadsheet",
        }
    }

    /// Returns the text before the first movie.
    #[must_use]
    pub fn opening(self) -> String {
        match self {
            Self::Json => "[".to_owned(),
            Self::Ndjson => String::new(),
            Self::Csv => {
                let fields = Field::ALL.map(Field::as_str).join(",");
                format!("id,{fields},version,createdAt,updatedAt\n")
            }
            Self::Spreadsheet => format!("{BYTE_ORDER_MARK}{}", Self::Csv.opening()),
        }
    }

    /// Returns the text after the last movie.
    #[must_use]
    pub const fn closing(self) -> &'static str {
        match self {
            Self::Json => "]\n",
            Self::Ndjson | Self::Csv | Self::Spreadsheet => "",
        }
    }
}

/// Serializes movies; `first` tells whether they begin the list.
///
/// # Panics
/// Never: movies can always be written to memory.
pub fn write_movies(format: Format, movies: &[Movie], first: bool, bytes: &mut Vec<u8>) {
    /// With a title of 70 bytes; what is longer makes the vector grow.
    const BYTES_OF_A_MOVIE: usize = 240;

    bytes.reserve(movies.len() * BYTES_OF_A_MOVIE);
    match format {
        Format::Json | Format::Ndjson => {
            let mut times = TimeWriter::default();
            for (n, movie) in movies.iter().enumerate() {
                if format == Format::Json && !(first && n == 0) {
                    bytes.push(b',');
                }
                write_json_after(movie, &mut times, bytes);
                if format == Format::Ndjson {
                    bytes.push(b'\n');
                }
            }
        }
        Format::Csv | Format::Spreadsheet => {
            let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(bytes);
            for movie in movies {
                let plain = (format == Format::Spreadsheet).then(|| without_formula(movie)).flatten();
                csv.serialize(plain.as_ref().unwrap_or(movie)).expect("a movie is a row");
            }
            csv.flush().expect("memory can be written");
        }
    }
}

/// Serializes a movie as JSON: the same bytes as serde, several times as fast. Most responses are lists of
/// movies.
///
/// # Panics
/// Never: writing to memory succeeds.
pub fn write_json(movie: &Movie, bytes: &mut Vec<u8>) {
    write_json_after(movie, &mut TimeWriter::default(), bytes);
}

/// Serializes a movie of a list.
fn write_json_after(movie: &Movie, times: &mut TimeWriter, bytes: &mut Vec<u8>) {
    let Attributes { title, movie_format, length, release_year, rating } = &movie.attributes;
    let mut digits = itoa::Buffer::new();
    let mut number = |bytes: &mut Vec<u8>, before: &[u8], number: i64| {
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(digits.format(number).as_bytes());
    };
    number(bytes, b"{\"id\":", movie.id.get());
    bytes.extend_from_slice(b",\"title\":");
    write_json_text(title.as_str(), bytes);
    bytes.extend_from_slice(b",\"movieFormat\":\"");
    bytes.extend_from_slice(movie_format.as_str().as_bytes());
    number(bytes, b"\",\"length\":", length.get());
    number(bytes, b",\"releaseYear\":", release_year.get());
    number(bytes, b",\"rating\":", rating.get());
    number(bytes, b",\"version\":", movie.version);
    bytes.extend_from_slice(b",\"createdAt\":\"");
    times.write(movie.created_at, bytes);
    bytes.extend_from_slice(b"\",\"updatedAt\":\"");
    times.write(movie.updated_at, bytes);
    bytes.extend_from_slice(b"\"}");
}

/// Writes a JSON string (RFC 8259, section 7).
fn write_json_text(text: &str, bytes: &mut Vec<u8>) {
    // Without a branch per byte, the check is vectorized.
    let is_escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if text.bytes().fold(false, |found, byte| found | is_escaped(byte)) {
        serde_json::to_writer(bytes, text).expect("a text is JSON");
    } else {
        bytes.push(b'"');
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(b'"');
    }
}

/// Returns the movie with an apostrophe before its title, if spreadsheets would read the title as a formula.
/// A title that already begins with such an escape gets one, too, so that an import restores it.
fn without_formula(movie: &Movie) -> Option<Movie> {
    let title = movie.attributes.title.as_str();
    title.trim_start_matches('\'').starts_with(FORMULA).then(|| {
        let mut plain = movie.clone();
        plain.attributes.title = Title::for_spreadsheet(title);
        plain
    })
}

/// Returns the title without the apostrophe that escapes a formula.
pub(super) fn shown_in_spreadsheet(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(title) if title.trim_start_matches('\'').starts_with(FORMULA) => title,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Attributes, Length, MovieFormat, MovieId, Rating, ReleaseYear, Time};

    proptest! {
        #[test]
        fn a_movie_is_written_as_serde_writes_it(
            (id, version) in (any::<i64>(), any::<i64>()),
            title in "\\PC{1,50}".prop_filter_map("no title", |text| Title::parse(&text).ok()),
            format in prop::sample::select(MovieFormat::ALL.to_vec()),
            (length, year, rating) in (0_i64..=500, 1800_i64..=2100, 1_i64..=5),
            (created, later) in (-70_000_000_000_000_i64..=200_000_000_000_000, prop::option::of(1_i64..=1_000_000)),
        ) {
            let movie = Movie {
                id: MovieId::from_stored(id),
                attributes: Attributes {
                    title,
                    movie_format: format,
                    length: Length::try_from(length).expect("a length"),
                    release_year: ReleaseYear::try_from(year).expect("a year"),
                    rating: Rating::try_from(rating).expect("a rating"),
                },
                version,
                created_at: Time::from_millis(created),
                updated_at: Time::from_millis(created + later.unwrap_or_default()),
            };
            let mut written = Vec::new();
            write_json(&movie, &mut written);
            prop_assert_eq!(String::from_utf8(written).ok(), serde_json::to_string(&movie).ok());
            // With times of one before, of its own, and of one before again.
            let other = Movie { created_at: Time::from_millis(created / 2), ..movie.clone() };
            let movies = [movie.clone(), other, movie];
            let mut written = b"[".to_vec();
            write_movies(Format::Json, &movies, true, &mut written);
            written.push(b']');
            prop_assert_eq!(String::from_utf8(written).ok(), serde_json::to_string(&movies).ok());
        }
    }
}
