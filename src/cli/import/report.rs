//! Prints the report of an import.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    cli::{
        client::{
            table::{self, Where},
            values::option_name,
            words::shown,
        },
        output::Out,
    },
    domain::{ChangeId, Field},
    format::{count, number},
};

/// The maximum number of rows shown with errors, with notes of each kind, and with the same reason.
const SHOWN_ERRORS: usize = 20;
const SHOWN_NOTES: usize = 5;
const SHOWN_WITH_ONE_REASON: usize = 5;

/// The parts of a report that are printed; unknown members are ignored.
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
    change: Option<ChangeId>,
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
    title: Option<String>,
    #[serde(rename = "releaseYear")]
    release_year: Option<String>,
    field: Option<String>,
    detail: String,
    value: Option<String>,
    kind: Option<String>,
}

/// The result of a row.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    file: Option<String>,
    line: u64,
    title: Option<String>,
    release_year: Option<String>,
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

/// Prints the results of the rows, the notes, and how to undo the import.
///
/// # Errors
/// If the report is invalid or standard output cannot be written.
pub fn tell(report: &Value, is_refused: bool, out: &mut Out) -> anyhow::Result<()> {
    let report = Report::deserialize(report)?;
    preview(&report, out)?;
    result(&report, is_refused, out)?;
    let errors: Vec<&Found> = report.errors.iter().collect();
    let more = (errors.len() > SHOWN_ERRORS).then_some("--json lists them, --rejects FILE writes the rows");
    group("Rejected", report.failed, &errors[..errors.len().min(SHOWN_ERRORS)], more, out)?;
    for (kind, times) in &report.noted {
        let notes: Vec<&Found> =
            report.notes.iter().filter(|note| note.kind.as_deref() == Some(kind)).collect();
        let mut heading = shown(kind);
        heading.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
        if kind == "defaulted" {
            write!(out, "\n{heading} ({}):\n", number(*times))?;
            for (reason, notes) in by_reason(&notes) {
                writeln!(out, "  {reason}: {}", count(notes.len(), "row"))?;
            }
            continue;
        }
        let notes = &notes[..notes.len().min(SHOWN_NOTES)];
        let more = (*times > notes.len() as u64).then_some("--json lists them");
        group(&heading, *times, notes, more, out)?;
    }
    if !report.ignored_columns.is_empty() {
        writeln!(out, "\nColumns not used: {}.", shown(&report.ignored_columns.join(", ")))?;
    }
    if let Some(change) = report.change {
        writeln!(out, "\nThis is change {change}; `reelshelf undo {change}` undoes it.")?;
    }
    Ok(())
}

/// Prints the counts, and whether anything was stored.
fn result(report: &Report, is_refused: bool, out: &mut Out) -> io::Result<()> {
    let Report { read, created, updated, skipped, failed, dry_run, .. } = report;
    let rows = count(*read, "row");
    if is_refused && *failed > 0 {
        let would = if *dry_run { "would be" } else { "was" };
        writeln!(out, "Nothing {would} stored: {} of {rows} have mistakes.", number(*failed))?;
        let others = read.saturating_sub(*failed);
        return match others {
            0 => Ok(()),
            1 => writeln!(out, "--on-error skip imports the other one."),
            _ => writeln!(out, "--on-error skip imports the other {}.", number(others)),
        };
    }
    let tried = if *dry_run { " This was a dry run; nothing was stored." } else { "" };
    writeln!(
        out,
        "{rows} read: {} added, {} updated, {} skipped, {} rejected.{tried}",
        number(*created),
        number(*updated),
        number(*skipped),
        number(*failed)
    )
}

fn preview(report: &Report, out: &mut Out) -> io::Result<()> {
    if report.preview.is_empty() {
        return Ok(());
    }
    let columns = [
        ("line", true),
        ("result", false),
        ("title", false),
        ("format", false),
        ("length", true),
        ("year", true),
        ("rating", true),
    ];
    let mut table = table::new(&columns, Where::Out);
    for Row { file, line, title, release_year, becomes, movie } in &report.preview {
        let raw = |text: &Option<String>| shown(text.as_deref().unwrap_or_default());
        let film = match movie {
            Some(film) => [
                shown(&film.title),
                shown(&film.movie_format),
                film.length.to_string(),
                film.release_year.to_string(),
                film.rating.to_string(),
            ],
            None => [raw(title), String::new(), String::new(), raw(release_year), String::new()],
        };
        let result = if becomes == "refused" { "rejected" } else { becomes };
        table.add_row([&[place(file.as_deref(), *line), shown(result)][..], &film].concat());
    }
    write!(out, "{}", table::text(&table))?;
    let more = report.read.saturating_sub(report.preview.len() as u64);
    if more > 0 {
        writeln!(out, "and {}", count(more, "more row"))?;
    }
    writeln!(out)
}

/// Prints rows under a heading, grouped by reason.
fn group(heading: &str, all: u64, found: &[&Found], more: Option<&str>, out: &mut Out) -> io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{heading} ({}):", number(all))?;
    for (reason, found) in by_reason(found) {
        writeln!(out, "  {reason}")?;
        for row in &found[..found.len().min(SHOWN_WITH_ONE_REASON)] {
            writeln!(out, "    {}", row.named())?;
        }
        let others = found.len().saturating_sub(SHOWN_WITH_ONE_REASON);
        if others > 0 {
            writeln!(out, "    and {}", count(others, "more row"))?;
        }
    }
    more.map_or(Ok(()), |how| writeln!(out, "  and more; {how}"))
}

/// Groups rows by reason, in the order of first appearance.
fn by_reason<'a>(found: &[&'a Found]) -> Vec<(String, Vec<&'a Found>)> {
    let mut reasons: Vec<(String, Vec<&Found>)> = Vec::new();
    for found in found {
        let field = option_name(found.field.as_deref().unwrap_or_default());
        let reason = format!("{} {}", shown(field), with_options(&found.detail)).trim_start().to_owned();
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, rows)) => rows.push(found),
            None => reasons.push((reason, vec![found])),
        }
    }
    reasons
}

impl Found {
    /// Formats the location, the film, and the value unless the reason contains it.
    fn named(&self) -> String {
        let year = self.release_year.as_deref().map(|year| format!("({})", shown(year)));
        let value = self.value.as_deref().filter(|value| {
            !self.detail.contains(", got ") && Some(*value) != self.title.as_deref() && !value.is_empty()
        });
        let parts = [
            Some(format!("{} ", place(self.file.as_deref(), self.line))),
            self.title.as_deref().map(shown),
            year,
            value.map(|value| format!(" {:?}", shown(value))),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ").trim_end().to_owned()
    }
}

/// Replaces API parameters in a server's message by command line options.
pub fn with_options(detail: &str) -> String {
    let options = [
        ("mapFormat=", "--map-format "),
        ("map=", "--map "),
        ("default=", "--default "),
        ("encoding=", "--encoding "),
        ("source=", "--source "),
    ];
    let text = options.into_iter().fold(shown(detail), |text, (name, option)| text.replace(name, option));
    Field::ALL.into_iter().fold(text, |text, field| {
        let option = option_name(field.as_str());
        ["--map ", "--default "].into_iter().fold(text, |text, before| {
            text.replace(&format!("{before}{}:", field.as_str()), &format!("{before}{option}:"))
        })
    })
}

fn place(file: Option<&str>, line: u64) -> String {
    file.map_or(line.to_string(), |file| format!("{}:{line}", shown(file)))
}
