//! The results of rows, in words.

use std::collections::BTreeMap;

use serde_json::Value;

use super::input::Input;
use crate::{
    documents::{Note, NoteKind, Preview, Report, RowError, RowLabel, RowResult, Word},
    domain::{Attributes, Field},
    format,
    limits::{MAX_REPORT_ERRORS, MAX_REPORT_NOTES},
};

/// The films named behind a heading.
const NAMED_FILMS: usize = 3;

/// The maximum number of reasons listed above the rows.
const MAX_REASONS: usize = 6;

/// A report for the templates.
pub struct Outcome {
    pub read: String,
    /// The number of rows with each result.
    pub counts: Vec<(&'static str, String)>,
    pub failed: u64,
    /// What the button would do.
    pub action: String,
    /// Whether there is anything to store.
    pub stores: bool,
    /// The reasons for rejected rows, most frequent first.
    pub reasons: Vec<String>,
    pub rows: Vec<Row>,
    /// Remarks under headings.
    pub lists: Vec<RemarkGroup>,
    pub ignored_columns: Vec<String>,
    /// Whether nothing was stored yet.
    pub is_preview: bool,
    /// The label of the encoding, if it was guessed.
    pub guessed_encoding: Option<&'static str>,
    /// The best rating of the file, if known.
    pub rating_scale: Option<u8>,
    /// Whether the archive has a watchlist that is not imported.
    pub leaves_out_watchlist: bool,
}

/// Remarks of one kind.
pub struct RemarkGroup {
    /// What was done, and how often.
    pub heading: String,
    /// The first films.
    pub films: String,
    pub remarks: Vec<Remark>,
}

/// A row of the file.
pub struct Row {
    pub line: u64,
    /// Its location, in words.
    pub place: String,
    /// The film of a rejected row.
    pub named: Option<String>,
    /// Its result.
    pub becomes: &'static str,
    pub film: Option<FilmOfRow>,
    pub remarks: Vec<Remark>,
}

pub struct FilmOfRow {
    pub title: String,
    pub format: &'static str,
    pub length: String,
    pub year: i64,
    pub rating: String,
    pub stars: &'static str,
}

/// A remark about a row: why it is rejected, or which value was changed.
#[derive(Clone)]
pub struct Remark {
    pub line: u64,
    pub place: String,
    /// The film of the row.
    pub named: Option<String>,
    /// Whether the detail tells what its title became.
    pub quotes_title: bool,
    pub field: String,
    pub detail: String,
    pub value: Option<String>,
}

impl Outcome {
    /// Prepares a report; `others` is the number of rows that are not films, if known.
    pub fn of(report: Report, others: Option<u64>) -> Self {
        let tried = report.dry_run;
        let counts = [
            (if tried { "New" } else { "Added" }, report.created),
            (if tried { "To update" } else { "Updated" }, report.updated),
            (
                if tried { "Already here" } else { "Skipped" },
                report.skipped.saturating_sub(others.unwrap_or(0)),
            ),
            ("Rejected", report.failed),
        ];
        let errors: Vec<Remark> = report.errors.iter().map(Remark::of_error).collect();
        let mut lists = vec![RemarkGroup::of("Rejected", report.failed, errors)];
        // The questions show the defaults.
        for (heading, kinds) in
            NoteKind::HEADINGS.into_iter().filter(|(_, kinds)| *kinds != [NoteKind::Defaulted])
        {
            let notes =
                report.notes.iter().filter(|note| kinds.iter().any(|kind| note.kind == (*kind).into()));
            let times = kinds.iter().filter_map(|kind| report.noted.get(&(*kind).into())).sum();
            lists.push(RemarkGroup::of(heading, times, notes.map(Remark::of_note).collect()));
        }
        lists.retain(|list| !list.remarks.is_empty());
        Self {
            read: format::number(report.read),
            counts: counts.map(|(label, count)| (label, format::number(count))).into(),
            failed: report.failed,
            action: action(report.created, report.updated),
            stores: report.created + report.updated > 0,
            reasons: reasons(&report),
            rows: rows(&report, &lists),
            lists,
            ignored_columns: report.ignored_columns,
            is_preview: tried,
            guessed_encoding: None,
            rating_scale: None,
            leaves_out_watchlist: false,
        }
    }

    /// Replaces line numbers by locations in the upload.
    pub fn locate(&mut self, input: &Input<'_>) {
        for row in &mut self.rows {
            row.place = input.place(row.line);
        }
        for remark in self.lists.iter_mut().flat_map(|list| &mut list.remarks) {
            remark.place = input.place(remark.line);
        }
    }

    /// Returns the best rating, if it is not 5.
    pub fn ratings_above_five(&self) -> Option<u8> {
        self.rating_scale.filter(|scale| *scale > 5)
    }
}

impl RemarkGroup {
    fn of(heading: &str, times: u64, remarks: Vec<Remark>) -> Self {
        let mut films: Vec<&str> = remarks.iter().filter_map(|remark| remark.named.as_deref()).collect();
        films.dedup();
        let more = if films.len() > NAMED_FILMS { " …" } else { "" };
        let films = films.iter().take(NAMED_FILMS).map(|film| format!("\u{2068}{film}\u{2069}"));
        let films = films.collect::<Vec<_>>().join(", ") + more;
        let first = if times > MAX_REPORT_NOTES { ", the first 1,000 are here" } else { "" };
        let heading = format!("{heading}: {}{first}", format::number(times));
        Self { heading, films, remarks }
    }
}

/// Describes what an import does with so many films.
fn action(created: u64, updated: u64) -> String {
    let (new, old) = (format::films(created), format::films(updated));
    match (created, updated) {
        (_, 0) => format!("Import {new}"),
        (0, _) => format!("Update {old}"),
        _ => format!("Import {new} and update {}", format::number(updated)),
    }
}

impl Remark {
    fn of_error(error: &RowError) -> Self {
        Self {
            line: error.line,
            place: error.line.to_string(),
            named: named(&error.label),
            quotes_title: false,
            field: error.field.as_deref().map(format::field_of_api).unwrap_or_default().to_owned(),
            detail: error.reason.without_hints(),
            value: error
                .value
                .as_deref()
                .filter(|value| !value.is_empty() && error.reason.got.is_none())
                .map(str::to_owned),
        }
    }

    fn of_note(note: &Note) -> Self {
        let value = note.value.as_deref().filter(|value| !value.is_empty());
        let (detail, value) = if let (Some(value), Some(became)) = (value, &note.became) {
            let became = match became {
                Value::String(text) => format!("“\u{2068}{text}\u{2069}”"),
                number => number.to_string(),
            };
            (format!("“\u{2068}{value}\u{2069}” became {became}"), None)
        } else {
            let value = value.filter(|value| note.label.title.as_deref() != Some(*value));
            let there = note.id.map(|id| format!("is there already as film {id}"));
            (there.unwrap_or_else(|| note.detail.clone()), value.map(str::to_owned))
        };
        Self {
            line: note.line,
            place: note.line.to_string(),
            named: named(&note.label),
            quotes_title: note.became.is_some() && note.field.as_deref() == Some(Field::Title.as_str()),
            field: note.field.as_deref().map(format::field_of_api).unwrap_or_default().to_owned(),
            detail,
            value,
        }
    }
}

/// Returns the reasons for rejected rows with their counts, most frequent first.
fn reasons(report: &Report) -> Vec<String> {
    let mut counts: BTreeMap<(&str, &str), (usize, u64)> = BTreeMap::new();
    for error in &report.errors {
        let field = format::field_of_api(error.field.as_deref().unwrap_or("row"));
        counts.entry((field, &*error.reason.rule)).or_insert((0, error.line)).0 += 1;
    }
    let more = if report.errors.len() == MAX_REPORT_ERRORS { "at least " } else { "" };
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, (count, line))| (std::cmp::Reverse(*count), *line));
    let reason = |((field, rule), (count, line)): ((&str, &str), (usize, u64))| match count {
        1 => format!("The {field} {rule}: line {line}"),
        _ => format!("The {field} {rule}: {more}{} rows, the first in line {line}", format::number(count)),
    };
    counts.into_iter().take(MAX_REASONS).map(reason).collect()
}

/// Formats the film of a row.
fn named(RowLabel { title, release_year }: &RowLabel) -> Option<String> {
    let title = title.as_deref()?;
    Some(release_year.as_ref().map_or_else(|| title.to_owned(), |year| format!("{title} ({year})")))
}

fn rows(report: &Report, lists: &[RemarkGroup]) -> Vec<Row> {
    let mut remarks: BTreeMap<u64, Vec<Remark>> = BTreeMap::new();
    let last = report.preview.last().map_or(0, |row| row.line);
    for remark in lists.iter().flat_map(|list| &list.remarks).filter(|remark| remark.line <= last) {
        remarks.entry(remark.line).or_default().push(remark.clone());
    }
    let row = |row: &Preview| Row {
        line: row.line,
        place: row.line.to_string(),
        named: named(&row.label),
        becomes: match row.becomes.known() {
            Some(RowResult::Created) => "new",
            Some(RowResult::Updated) => "changed",
            Some(RowResult::Skipped) => "skipped",
            Some(RowResult::Rejected) | None => "rejected",
        },
        film: row.movie.as_ref().and_then(Word::as_known).map(FilmOfRow::of),
        remarks: remarks.remove(&row.line).unwrap_or_default(),
    };
    report.preview.iter().map(row).collect()
}

impl FilmOfRow {
    fn of(attributes: &Attributes) -> Self {
        let rating = attributes.rating.get();
        Self {
            title: attributes.title.as_str().to_owned(),
            format: attributes.movie_format.as_str(),
            length: match attributes.length.get() {
                0 => "length unknown".to_owned(),
                minutes => format::length(minutes),
            },
            year: attributes.release_year.get(),
            rating: format::stars_in_words(rating),
            stars: format::stars(rating),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Code, Invalid, MovieId};

    #[test]
    fn a_reason_is_told_once_and_without_the_apis_options() {
        let error =
            |line, field: &str, rule| RowError { field: Some(field.into()), ..RowError::of_row(line, rule) };
        let not_a_rating = Invalid::new(Code::OutOfRange, "must be between 1 and 5");
        let missing =
            Invalid::new(Code::Required, "is missing").with_hint(" (", "default", "length:VALUE", ")");
        let errors = vec![
            error(2, "rating", not_a_rating.clone().got(9)),
            error(3, "length", missing),
            error(4, "rating", not_a_rating.got(0)),
        ];
        let report = Report { failed: 3, errors, ..Report::default() };
        assert_eq!(
            reasons(&report),
            [
                "The rating must be between 1 and 5: 2 rows, the first in line 2",
                "The length is missing: line 3"
            ]
        );
    }

    #[test]
    fn a_note_names_the_given_value_first() {
        let remark = |detail: &str, value: &str, became: Option<Value>, id: Option<MovieId>| {
            let note = Note {
                line: 2,
                label: RowLabel { title: Some("Heat".into()), release_year: None },
                field: Some("rating".into()),
                kind: NoteKind::Rounded.into(),
                detail: detail.to_owned(),
                value: Some(value.into()),
                became,
                id,
            };
            let Remark { detail, value, .. } = Remark::of_note(&note);
            (detail.replace(['\u{2068}', '\u{2069}'], ""), value)
        };
        let dvd = Some("DVD".into());
        assert_eq!(remark("became 5", "4.5", Some(5.into()), None), ("“4.5” became 5".to_owned(), None));
        assert_eq!(remark("", "Blu-ray", dvd, None), ("“Blu-ray” became “DVD”".to_owned(), None));
        assert_eq!(
            remark("is there already as movie 7", "Heat", None, Some(MovieId::from_stored(7))),
            ("is there already as film 7".to_owned(), None)
        );
        assert_eq!(
            remark("is no film", "TV Series", None, None),
            ("is no film".to_owned(), Some("TV Series".to_owned()))
        );
    }

    #[test]
    fn the_button_says_what_becomes_of_the_films() {
        assert_eq!(action(1, 0), "Import 1 film");
        assert_eq!(action(0, 264), "Update 264 films");
        assert_eq!(action(3, 1000), "Import 3 films and update 1,000");
    }

    #[test]
    fn a_list_names_its_number_and_its_first_films() {
        let note = |n: u32| Note {
            line: 2,
            label: RowLabel { title: Some(format!("Film {n}").into()), release_year: Some("1995".into()) },
            field: Some("rating".into()),
            kind: NoteKind::Rounded.into(),
            detail: "became 4".to_owned(),
            value: Some("3.5".into()),
            became: Some(4.into()),
            id: None,
        };
        let of = |notes: u32, times: u64| {
            RemarkGroup::of("Rounded", times, (0..notes).map(|n| Remark::of_note(&note(n))).collect())
        };
        let (few, many) = (of(1, 1), of(1000, 1234));
        let plain = |text: &str| text.replace(['\u{2068}', '\u{2069}'], "");
        assert_eq!((few.heading.as_str(), plain(&few.films).as_str()), ("Rounded: 1", "Film 0 (1995)"));
        assert_eq!(many.heading, "Rounded: 1,234, the first 1,000 are here");
        assert_eq!(plain(&many.films), "Film 0 (1995), Film 1 (1995), Film 2 (1995) …");
    }
}
