//! Prints the report of an import.

use std::io::{self, Write};

use super::input::Input;
use crate::{
    cli::{
        client::{
            table::{self, Where},
            words::{reason_or, shown},
        },
        output::Out,
    },
    documents::{Note, NoteKind, Preview, Report, RowError, RowLabel, RowResult, Word},
    domain::MovieId,
    format::{self, count, number},
};

/// The maximum number of rows shown with errors, with notes of each kind, and with the same reason.
const SHOWN_ERRORS: usize = 20;
const SHOWN_NOTES: usize = 5;
const SHOWN_WITH_ONE_REASON: usize = 5;

/// An error or a note.
struct Remark<'a> {
    line: u64,
    label: &'a RowLabel,
    field: Option<&'a str>,
    detail: String,
    /// The given value, unless the detail contains it.
    value: Option<&'a str>,
    /// The film in the collection, if the row is a duplicate.
    id: Option<MovieId>,
}

impl<'a> From<&'a RowError> for Remark<'a> {
    fn from(RowError { line, label, field, detail, reason, value, .. }: &'a RowError) -> Self {
        let value = value.as_deref().filter(|_| reason.got.is_none());
        let detail = reason_or(detail, reason);
        Self { line: *line, label, field: field.as_deref(), detail, value, id: None }
    }
}

impl<'a> From<&'a Note> for Remark<'a> {
    fn from(Note { line, label, field, detail, value, id, .. }: &'a Note) -> Self {
        let detail = id.map_or_else(|| shown(detail), |_| "is in the collection already".to_owned());
        let (field, value) = (field.as_deref(), value.as_deref());
        Self { line: *line, label, field, detail, value, id: *id }
    }
}

/// Prints the results of the rows, the notes, and how to undo the import.
///
/// # Errors
/// If standard output cannot be written.
pub fn print(report: &Report, input: &Input, is_aborted: bool, out: &mut Out) -> io::Result<()> {
    preview(report, input, out)?;
    result(report, is_aborted, out)?;
    let errors: Vec<Remark> = report.errors.iter().map(Remark::from).collect();
    let more = (errors.len() > SHOWN_ERRORS).then_some("--json lists them, --rejects FILE writes the rows");
    let errors = &errors[..errors.len().min(SHOWN_ERRORS)];
    group("Rejected", report.failed, errors, more, input, out)?;
    let known = NoteKind::HEADINGS.into_iter().map(|(heading, kinds)| {
        (heading.to_owned(), kinds.iter().map(|kind| Word::from(*kind)).collect::<Vec<_>>())
    });
    let others = report.noted.keys().filter_map(|kind| match kind {
        Word::Known(_) => None,
        Word::Other(name) => Some((shown(name), vec![kind.clone()])),
    });
    for (heading, kinds) in known.chain(others) {
        let times: u64 = kinds.iter().filter_map(|kind| report.noted.get(kind)).sum();
        let notes = report.notes.iter().filter(|note| kinds.contains(&note.kind));
        let notes: Vec<Remark> = notes.map(Remark::from).collect();
        if kinds.contains(&NoteKind::Defaulted.into()) && times > 0 {
            write!(out, "\n{heading} ({}):\n", number(times))?;
            for (reason, notes) in by_reason(&notes) {
                writeln!(out, "  {reason}: {}", count(notes.len(), "row"))?;
            }
            continue;
        }
        let notes = &notes[..notes.len().min(SHOWN_NOTES)];
        let more = (times > notes.len() as u64).then_some("--json lists them");
        group(&heading, times, notes, more, input, out)?;
    }
    if !report.ignored_columns.is_empty() {
        writeln!(out, "\nColumns not used: {}.", shown(&report.ignored_columns.join(", ")))?;
    }
    if input.leaves_out_watchlist {
        writeln!(
            out,
            "\nThe watchlist, films that you want to see, is not imported; --watchlist includes it."
        )?;
    }
    if let Some(change) = report.change {
        writeln!(out, "\nThis is change {change}; `reelshelf undo {change}` undoes it.")?;
    }
    Ok(())
}

/// Prints the counts, and whether anything was stored.
fn result(report: &Report, is_aborted: bool, out: &mut Out) -> io::Result<()> {
    let Report { read, created, updated, skipped, failed, dry_run, .. } = report;
    let rows = count(*read, "row");
    if is_aborted && *failed > 0 {
        let would = if *dry_run { "would be" } else { "was" };
        writeln!(out, "Nothing {would} stored: {} of {rows} rejected.", number(*failed))?;
        let others = read.saturating_sub(*failed);
        return match others {
            0 => Ok(()),
            others => writeln!(
                out,
                "--on-error skip leaves them out and imports the others ({}), except duplicates.",
                number(others)
            ),
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

fn preview(report: &Report, input: &Input, out: &mut Out) -> io::Result<()> {
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
    for Preview { line, label, becomes, movie, .. } in &report.preview {
        let raw = |text: &Option<Box<str>>| shown(text.as_deref().unwrap_or_default());
        let film = match movie.as_ref().and_then(Word::as_known) {
            Some(film) => [
                shown(film.title.as_str()),
                film.movie_format.as_str().to_owned(),
                film.length.get().to_string(),
                film.release_year.get().to_string(),
                film.rating.get().to_string(),
            ],
            None => {
                [raw(&label.title), String::new(), String::new(), raw(&label.release_year), String::new()]
            }
        };
        let result = match becomes {
            Word::Known(RowResult::Created) => "created",
            Word::Known(RowResult::Updated) => "updated",
            Word::Known(RowResult::Skipped) => "skipped",
            Word::Known(RowResult::Rejected) => "rejected",
            Word::Other(result) => result,
        };
        table.add_row([&[input.place(*line), shown(result)][..], &film].concat());
    }
    write!(out, "{}", table::text(&table))?;
    let more = report.read.saturating_sub(report.preview.len() as u64);
    if more > 0 {
        writeln!(out, "and {}", count(more, "more row"))?;
    }
    writeln!(out)
}

/// Prints rows under a heading, grouped by reason.
fn group(
    heading: &str,
    all: u64,
    remarks: &[Remark],
    more: Option<&str>,
    input: &Input,
    out: &mut Out,
) -> io::Result<()> {
    if remarks.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{heading} ({}):", number(all))?;
    for (reason, remarks) in by_reason(remarks) {
        writeln!(out, "  {reason}")?;
        for remark in &remarks[..remarks.len().min(SHOWN_WITH_ONE_REASON)] {
            writeln!(out, "    {}", remark.named(input))?;
        }
        let others = remarks.len().saturating_sub(SHOWN_WITH_ONE_REASON);
        if others > 0 {
            writeln!(out, "    and {}", count(others, "more row"))?;
        }
    }
    more.map_or(Ok(()), |how| writeln!(out, "  and more; {how}"))
}

/// Groups rows by reason, in the order of first appearance.
fn by_reason<'a>(remarks: &'a [Remark]) -> Vec<(String, Vec<&'a Remark<'a>>)> {
    let mut reasons: Vec<(String, Vec<&Remark>)> = Vec::new();
    for remark in remarks {
        let field = format::field_of_api(remark.field.unwrap_or_default());
        let reason = format!("{} {}", shown(field), remark.detail).trim_start().to_owned();
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, rows)) => rows.push(remark),
            None => reasons.push((reason, vec![remark])),
        }
    }
    reasons
}

impl Remark<'_> {
    /// Formats the location, the film and the value.
    fn named(&self, input: &Input) -> String {
        let RowLabel { title, release_year } = self.label;
        let year = release_year.as_ref().map(|year| format!("({})", shown(year)));
        let value = self.value.filter(|value| Some(*value) != title.as_deref() && !value.is_empty());
        let parts = [
            Some(format!("{} ", input.place(self.line))),
            title.as_deref().map(shown),
            year,
            value.map(|value| format!(" {:?}", shown(value))),
            self.id.map(|id| format!("as film {id}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ").trim_end().to_owned()
    }
}
