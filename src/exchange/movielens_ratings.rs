//! Joins MovieLens' `ratings.csv` with `movies.csv`.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Seek, Write},
    str::from_utf8,
};

use super::{
    csv::header,
    layouts::MOVIELENS,
    parser::Parser,
    text::{self, Text},
    unreadable,
};
use crate::{
    domain::{Code, Invalid, quoted},
    format::count,
};

type Rows = Parser<BufReader<Text<File>>>;

/// Returns a temporary copy of `movies.csv`, positioned at its start, with a column `rating`: that of the
/// user, or the mean of all users. Line numbers stay the same; movies without a rating have an empty cell.
/// Memory use depends only on the number of movies.
///
/// # Errors
/// If a file cannot be read or has another layout, or if the user has no ratings.
pub fn with_movielens_ratings(movies: File, ratings: File, user: Option<i64>) -> Result<File, Invalid> {
    let ratings = means(ratings, user).map_err(|invalid| invalid.of("ratings.csv:"))?;
    if let (Some(user), true) = (user, ratings.is_empty()) {
        return Err(Invalid::new(Code::Malformed, format!("ratings.csv: holds no rating of user {user}")));
    }
    joined(movies, &ratings).map_err(|invalid| invalid.of("movies.csv:"))
}

/// Returns the mean rating of each movie id.
fn means(ratings: File, user: Option<i64>) -> Result<HashMap<i64, f64>, Invalid> {
    let (mut rows, _, [users, movies, ratings]) = open(ratings, ["userId", "movieId", "rating"])?;
    let scale = MOVIELENS.ratings.ok_or_else(|| Invalid::new(Code::Malformed, "has no scale".to_owned()))?;
    let mut sums: HashMap<i64, (f64, f64)> = HashMap::new();
    while let Some(line) = rows.read().map_err(unreadable)? {
        let in_line = |invalid: Invalid| invalid.of(format_args!("line {line}:"));
        if user.is_some_and(|user| number(&rows, users).is_ok_and(|given| given != user)) {
            continue;
        }
        number(&rows, users).map_err(in_line)?;
        let movie = number(&rows, movies).map_err(in_line)?;
        let rating = scale.number(cell(&rows, ratings).map_err(in_line)?).map_err(in_line)?;
        let (sum, count) = sums.entry(movie).or_default();
        *sum += rating;
        *count += 1.0;
    }
    Ok(sums.into_iter().map(|(movie, (sum, count))| (movie, sum / count)).collect())
}

/// Copies the movies with their ratings, keeping line numbers.
fn joined(movies: File, ratings: &HashMap<i64, f64>) -> Result<File, Invalid> {
    let unwritten = |e: io::Error| Invalid::new(Code::Malformed, format!("the copy cannot be written: {e}"));
    let (mut rows, header_line, [ids, ..]) = open(movies, ["movieId", "title", "genres"])?;
    let mut copy = io::BufWriter::new(tempfile::tempfile().map_err(unwritten)?);
    let mut at = 1;
    let (mut line, mut rating) = (header_line, "rating".to_owned());
    loop {
        write_row(&mut copy, &rows, line - at, &rating).map_err(unwritten)?;
        at = line + 1 + line_ends(&rows);
        let Some(next) = rows.read().map_err(unreadable)? else { break };
        line = next;
        // A row without a valid id is copied without a rating.
        let mean = number(&rows, ids).ok().and_then(|id| ratings.get(&id));
        rating = mean.map_or_else(String::new, f64::to_string);
    }
    let mut file = copy.into_inner().map_err(|e| unwritten(e.into_error()))?;
    file.rewind().map_err(unwritten)?;
    Ok(file)
}

fn write_row(to: &mut impl Write, rows: &Rows, empty_lines: u64, rating: &str) -> io::Result<()> {
    for _ in 0..empty_lines {
        to.write_all(b"\n")?;
    }
    let mut row = ::csv::Writer::from_writer(to);
    row.write_record(rows.cells().chain([rating.as_bytes()]))?;
    row.flush()
}

/// Counts the line ends inside cells of the current row.
fn line_ends(rows: &Rows) -> u64 {
    let in_cell = |cell: &[u8]| {
        let ends = cell.iter().zip(cell.iter().skip(1).chain([&b' ']));
        ends.filter(|(byte, next)| **byte == b'\n' || **byte == b'\r' && **next != b'\n').count() as u64
    };
    rows.cells().map(in_cell).sum()
}

/// Opens a file. Returns the line of its header and the indexes of the columns.
fn open<const N: usize>(file: File, columns: [&str; N]) -> Result<(Rows, u64, [usize; N]), Invalid> {
    let mut rows = Parser::open(text::open(file, None)?.0).map_err(unreadable)?;
    let (line, names) = header(&mut rows)?;
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        let missing = || {
            Invalid::new(Code::Malformed, format!("line {line} does not name the column {}", quoted(column)))
        };
        *place = names.iter().position(|name| name == column).ok_or_else(missing)?;
    }
    Ok((rows, line, places))
}

fn cell(rows: &Rows, column: usize) -> Result<&str, Invalid> {
    let cell = (column < rows.width()).then(|| rows.cell(column));
    let cell = cell.ok_or_else(|| {
        Invalid::new(Code::Malformed, format!("has only {}", count(rows.width(), "column")))
    })?;
    from_utf8(cell).map_err(|_| Invalid::new(Code::Malformed, "is not UTF-8".to_owned()))
}

fn number(rows: &Rows, column: usize) -> Result<i64, Invalid> {
    let text = cell(rows, column)?.trim();
    text.parse()
        .map_err(|_| Invalid::new(Code::Malformed, "must have a whole number as id").got(quoted(text)))
}
