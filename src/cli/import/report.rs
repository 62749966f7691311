//! The report of an import, told to people.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Deserialize;
use serde_json::Value;

use crate::cli::client::{
    table::{self, Where},
    words::{count, number, shown},
};
use crate::cli::output::Out;

/// How many errors are shown, and how many notes of each kind.
const SHOWN: usize = 20;
const SHOWN_NOTES: usize = 5;

/// A report, as far as it is told; a server may leave out what it does not know.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    read: u64,
    created: u64,
    updated: u64,
    skipped: u64,
    failed: u64,
    errors: Vec<Found>,
    dry_run: bool,
    change: Option<i64>,
    #[serde(default)]
    ignored_columns: Vec<String>,
    #[serde(default)]
    notes: Vec<Found>,
    #[serde(default)]
    noted: BTreeMap<String, u64>,
    #[serde(default)]
    preview: Vec<Row>,
}

/// An error or a note.
#[derive(Deserialize)]
struct Found {
    file: Option<String>,
    line: u64,
    field: Option<String>,
    detail: String,
    value: Option<String>,
    kind: Option<String>,
}

/// What a row becomes.
#[derive(Deserialize)]
struct Row {
    file: Option<String>,
    line: u64,
    becomes: String,
    movie: Option<Film>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Film {
    title: String,
    movie_format: String,
    length: i64,
    release_year: i64,
    rating: i64,
}

/// Tells what became of the rows, what of them was not taken as it stood, and how to take all back.
///
/// # Errors
/// A report that is none; those of standard output.
pub fn tell(report: &Value, out: &mut Out) -> anyhow::Result<()> {
    let report = Report::deserialize(report)?;
    preview(&report, out)?;
    let Report { read, created, updated, skipped, failed, .. } = report;
    let tried = if report.dry_run { " This was only tried; nothing was stored." } else { "" };
    writeln!(
        out,
        "{} read: {} added, {} updated, {} skipped, {} refused.{tried}",
        count(read, "row"),
        number(created),
        number(updated),
        number(skipped),
        number(failed)
    )?;
    let errors: Vec<&Found> = report.errors.iter().collect();
    let is_more = errors.len() > SHOWN;
    let how_to_see_all = is_more.then_some("--json lists them, --rejects FILE writes down the rows");
    group("Refused", failed, &errors[..errors.len().min(SHOWN)], how_to_see_all, out)?;
    for (kind, times) in &report.noted {
        let notes = report.notes.iter().filter(|note| note.kind.as_deref() == Some(kind));
        let notes: Vec<&Found> = notes.take(SHOWN_NOTES).collect();
        let how_to_see_all = (*times > notes.len() as u64).then_some("--json lists them");
        let mut heading = shown(kind);
        heading.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
        group(&heading, *times, &notes, how_to_see_all, out)?;
    }
    if !report.ignored_columns.is_empty() {
        writeln!(out, "\nNot stored: the columns {}.", shown(&report.ignored_columns.join(", ")))?;
    }
    if let Some(change) = report.change {
        writeln!(out, "\nThis is change {change}; `reelshelf undo {change}` takes it back.")?;
    }
    Ok(())
}

fn preview(report: &Report, out: &mut Out) -> io::Result<()> {
    if report.preview.is_empty() {
        return Ok(());
    }
    let columns = [
        ("line", true),
        ("becomes", false),
        ("title", false),
        ("format", false),
        ("length", true),
        ("year", true),
        ("rating", true),
    ];
    let mut table = table::new(&columns, Where::Out);
    for Row { file, line, becomes, movie } in &report.preview {
        let film = movie.as_ref().map(|film| {
            let numbers = [film.length, film.release_year, film.rating].map(|number| number.to_string());
            [[shown(&film.title), shown(&film.movie_format)].to_vec(), numbers.to_vec()].concat()
        });
        table.add_row(
            [vec![place(file.as_deref(), *line), shown(becomes)], film.unwrap_or_default()].concat(),
        );
    }
    write!(out, "{}", table::text(&table))?;
    let more = report.read.saturating_sub(report.preview.len() as u64);
    if more > 0 {
        writeln!(out, "and {}", count(more, "more row"))?;
    }
    writeln!(out)
}

/// Some of the rows that have something in common.
fn group(
    heading: &str,
    all: u64,
    found: &[&Found],
    how_to_see_all: Option<&str>,
    out: &mut Out,
) -> io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let mut table =
        table::new(&[("  line", false), ("field", false), ("value", false), ("why", false)], Where::Out);
    table.add_rows(found.iter().map(|found| {
        let value = found.value.as_deref().map(|value| format!("{value:?}"));
        [
            format!("  {}", place(found.file.as_deref(), found.line)),
            shown(found.field.as_deref().unwrap_or_default()),
            value.unwrap_or_default(),
            with_options(&found.detail),
        ]
    }));
    write!(out, "\n{heading} ({}):\n{}", number(all), table::text(&table))?;
    how_to_see_all.map_or(Ok(()), |how| writeln!(out, "  and more; {how}"))
}

/// What a server says, with the options of the command line where it names those of the API.
pub fn with_options(detail: &str) -> String {
    let options = [
        ("mapFormat=", "--map-format "),
        ("map=", "--map "),
        ("default=", "--default "),
        ("encoding=", "--encoding "),
        ("source=", "--source "),
    ];
    options.into_iter().fold(shown(detail), |text, (parameter, option)| text.replace(parameter, option))
}

fn place(file: Option<&str>, line: u64) -> String {
    file.map_or(line.to_string(), |file| format!("{}:{line}", shown(file)))
}
