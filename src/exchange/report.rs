//! The report of an import.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use super::Source;
use crate::{
    domain::{Attributes, ChangeId, Code, Field, Invalid, MovieId},
    limits::{MAX_REPORT_ERRORS, MAX_REPORT_NOTES, MAX_REPORT_PREVIEW_ROWS},
};

/// The report of an import. All counts are complete; errors, and notes of each kind, are limited to the first
/// 1,000.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Rows read.
    pub read: u64,
    /// Movies created.
    pub created: u64,
    /// Movies updated.
    pub updated: u64,
    /// Rows skipped: duplicates, and rows that are not films.
    pub skipped: u64,
    /// Invalid rows.
    pub failed: u64,
    pub errors: Vec<RowError>,
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// The change, to undo it; null if nothing was stored.
    pub change: Option<ChangeId>,
    /// Columns of the file that were not stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_columns: Vec<String>,
    /// The layout of the file.
    #[serde(default)]
    pub source: Source,
    /// Values that were changed, and rows that were skipped.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// The number of notes of each kind, including those beyond the limit.
    #[serde(default)]
    pub noted: Noted,
    /// The results of the first 100 rows by line, in a dry run.
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<Preview>,
}

/// The film of a row as written in the file, so that people recognize the row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowLabel {
    /// Shortened to 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_year: Option<Box<str>>,
}

impl From<&Attributes> for RowLabel {
    fn from(attributes: &Attributes) -> Self {
        Self {
            title: Some(attributes.title.as_str().into()),
            release_year: Some(attributes.release_year.get().to_string().into()),
        }
    }
}

/// The result of a row in a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The line on which the row begins, from 1.
    pub line: u64,
    #[serde(flatten)]
    pub label: RowLabel,
    pub becomes: Becomes,
    /// The movie of the row; null if the row is rejected or not a film.
    pub movie: Option<Attributes>,
    /// The existing movie that is equal or updated.
    pub id: Option<MovieId>,
}

/// What an import would do with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Becomes {
    Created,
    Updated,
    Skipped,
    Refused,
}

/// A note about a changed value or a skipped row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The line on which the row begins, from 1.
    pub line: u64,
    #[serde(flatten)]
    pub label: RowLabel,
    /// The attribute; null for the whole row.
    pub field: Option<Cow<'static, str>>,
    pub kind: NoteKind,
    /// What was done and why, to follow the attribute's name.
    pub detail: String,
    /// The original value, shortened to 100 characters.
    pub value: Option<String>,
}

/// Kinds of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoteKind {
    /// A number was rounded half up.
    Rounded,
    /// A title was shortened to 50 characters.
    Cut,
    /// A missing value was replaced by its default.
    Defaulted,
    /// A foreign medium was replaced by one of our formats.
    Mapped,
    /// HTML entities of a title were decoded.
    Decoded,
    /// Line breaks and repeated spaces in a title were replaced by one space.
    Collapsed,
    /// A title was rewritten: its article moved to the front, a second title in parentheses removed.
    Rewritten,
    /// The row was skipped: a duplicate, or not a film.
    Skipped,
}

/// Why a row was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The line on which the row begins, from 1.
    pub line: u64,
    #[serde(flatten)]
    pub label: RowLabel,
    /// The attribute; null for the whole row.
    pub field: Option<Cow<'static, str>>,
    pub code: Code,
    pub detail: String,
    /// The original value, shortened to 100 characters.
    pub value: Option<String>,
}

impl NoteKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Rounded,
        Self::Cut,
        Self::Defaulted,
        Self::Mapped,
        Self::Decoded,
        Self::Collapsed,
        Self::Rewritten,
        Self::Skipped,
    ];

    /// Returns the kind as written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rounded => "rounded",
            Self::Cut => "cut",
            Self::Defaulted => "defaulted",
            Self::Mapped => "mapped",
            Self::Decoded => "decoded",
            Self::Collapsed => "collapsed",
            Self::Rewritten => "rewritten",
            Self::Skipped => "skipped",
        }
    }
}

/// The number of notes of each kind; serialized without zero counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<NoteKind, u64>", into = "BTreeMap<NoteKind, u64>")]
pub struct Noted([u64; NoteKind::ALL.len()]);

impl Noted {
    /// Returns the count of a kind.
    #[must_use]
    pub const fn of(self, kind: NoteKind) -> u64 {
        self.0[kind as usize]
    }
}

impl From<BTreeMap<NoteKind, u64>> for Noted {
    fn from(counts: BTreeMap<NoteKind, u64>) -> Self {
        Self(NoteKind::ALL.map(|kind| counts.get(&kind).copied().unwrap_or_default()))
    }
}

impl From<Noted> for BTreeMap<NoteKind, u64> {
    fn from(noted: Noted) -> Self {
        NoteKind::ALL.map(|kind| (kind, noted.of(kind))).into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

impl Report {
    /// Counts an invalid row, and keeps its errors up to the limit.
    pub fn fail(&mut self, errors: Vec<RowError>) {
        self.failed += 1;
        if let Some(error) = errors.first() {
            self.preview(self.read, || Preview {
                line: error.line,
                label: error.label.clone(),
                becomes: Becomes::Refused,
                movie: None,
                id: None,
            });
        }
        let room = MAX_REPORT_ERRORS - self.errors.len();
        self.errors.extend(errors.into_iter().take(room));
    }

    /// Counts a skipped row with the reason, such as `is there already as movie 7`. `value` identifies the
    /// row, such as its title.
    pub fn skip(&mut self, line: u64, value: &str, detail: impl FnOnce() -> String) {
        self.skipped += 1;
        self.note(line, None, NoteKind::Skipped, Some(value), detail);
    }

    /// Counts a note, and keeps it up to the limit; `detail` is called only then.
    pub fn note(
        &mut self,
        line: u64,
        field: Option<Field>,
        kind: NoteKind,
        value: Option<&str>,
        detail: impl FnOnce() -> String,
    ) {
        let count = &mut self.noted.0[kind as usize];
        *count += 1;
        if *count <= MAX_REPORT_NOTES {
            self.notes.push(Note {
                line,
                label: RowLabel::default(),
                field: field.map(|field| field.as_str().into()),
                kind,
                detail: detail(),
                value: value.map(RowError::shown),
            });
        }
    }

    /// Adds the film of a row to its notes, from this index on.
    pub fn label_notes(&mut self, from: usize, label: &RowLabel) {
        for note in &mut self.notes[from..] {
            note.label.clone_from(label);
        }
    }

    /// Adds the result of a row to the preview, if its number is within the limit.
    pub fn preview(&mut self, number: u64, preview: impl FnOnce() -> Preview) {
        if self.dry_run && number <= MAX_REPORT_PREVIEW_ROWS {
            self.preview.push(preview());
        }
    }

    /// Sorts notes and preview by line.
    pub fn sort(&mut self) {
        self.notes.sort_by_key(|note| note.line);
        self.preview.sort_by_key(|row| row.line);
    }

    /// Resets the counts of created, updated and skipped rows, for an import that stored nothing.
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        self.notes.retain(|note| note.kind != NoteKind::Skipped);
        self.noted.0[NoteKind::Skipped as usize] = 0;
        Self { created: 0, updated: 0, skipped: 0, ..self }
    }
}

impl RowError {
    /// Returns the attribute that the row lacks.
    #[must_use]
    pub fn missing(&self) -> Option<Field> {
        self.field.as_deref().filter(|_| self.code == Code::Required).and_then(|name| Field::parse(name).ok())
    }

    /// Returns the foreign medium that has no format of ours.
    #[must_use]
    pub fn unknown_medium(&self) -> Option<&str> {
        let is_format =
            self.field.as_deref() == Some(Field::MovieFormat.as_str()) && self.code == Code::NotAllowed;
        self.value.as_deref().map(str::trim).filter(|medium| is_format && !medium.is_empty())
    }

    /// Creates an error of a whole row.
    #[must_use]
    pub fn of_row(line: u64, Invalid(detail, code): Invalid) -> Self {
        Self { line, label: RowLabel::default(), field: None, code, detail, value: None }
    }

    /// Shortens a value for display.
    #[must_use]
    pub fn shown(value: &str) -> String {
        value.chars().take(100).collect()
    }
}
