//! What an import did, and what it did not take and why.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use super::Source;
use crate::{
    domain::{Attributes, ChangeId, Code, Field, Invalid, MovieId},
    limits::{MAX_REPORT_ERRORS, MAX_REPORT_NOTES, MAX_REPORT_PREVIEW_ROWS},
};

/// The report of an import. The counts are whole; of the errors, and of each kind of note, the first
/// 1,000 are here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Rows read.
    pub read: u64,
    /// Movies added.
    pub created: u64,
    /// Movies that were there and became different.
    pub updated: u64,
    /// Rows whose movie was there already, or that are no films.
    pub skipped: u64,
    /// Rows that are invalid.
    pub failed: u64,
    pub errors: Vec<RowError>,
    /// Whether all this was only tried.
    pub dry_run: bool,
    /// The change, to undo it; none if nothing was stored.
    pub change: Option<ChangeId>,
    /// Columns of the file of which nothing was stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_columns: Vec<String>,
    /// The layout that the file has.
    #[serde(default)]
    pub source: Source,
    /// What was not taken as it stood.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// How often each kind of note was due, also where it is here no more.
    #[serde(default)]
    pub noted: Noted,
    /// The result of the first 100 rows, by line, where all this was only tried.
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<Preview>,
}

/// The film that a row names, as the file spells it, so that people recognize the row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowLabel {
    /// Cut after 100 characters.
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

/// The result of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The line in the file on which the row begins, from 1.
    pub line: u64,
    #[serde(flatten)]
    pub label: RowLabel,
    pub becomes: Becomes,
    /// The movie that the row describes; none if it is refused or no film.
    pub movie: Option<Attributes>,
    /// The movie of the collection that it is or changes.
    pub id: Option<MovieId>,
}

/// What can become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Becomes {
    Created,
    Updated,
    Skipped,
    Refused,
}

/// What was done with a row, or a part of it, that was not taken as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The line in the file on which the row begins, from 1.
    pub line: u64,
    #[serde(flatten)]
    pub label: RowLabel,
    /// The attribute; none if it is the whole row.
    pub field: Option<Cow<'static, str>>,
    pub kind: NoteKind,
    /// What was done and why, in words that follow the attribute's name.
    pub detail: String,
    /// What was there, cut after 100 characters.
    pub value: Option<String>,
}

/// The kinds of note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoteKind {
    /// A number became the nearest whole one, halves up.
    Rounded,
    /// A title was cut at 50 characters.
    Cut,
    /// Nothing was there, and the default is used.
    Defaulted,
    /// A foreign medium became one of ours.
    Mapped,
    /// HTML entities of a title became the characters that they stand for.
    Decoded,
    /// Line breaks and several blanks in a title became one blank.
    Collapsed,
    /// A title was written as it is spoken: its article in front, without a second title in parentheses.
    Rewritten,
    /// The row was passed over: no film, or a film that is there already.
    Skipped,
}

/// Why a row was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The line in the file on which the row begins, from 1.
    pub line: u64,
    #[serde(flatten)]
    pub label: RowLabel,
    /// The attribute; none if it is the whole row.
    pub field: Option<Cow<'static, str>>,
    pub code: Code,
    pub detail: String,
    /// What was there, cut after 100 characters.
    pub value: Option<String>,
}

impl NoteKind {
    /// Every kind.
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

    /// The kind as it is written everywhere.
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

/// How many notes of each kind there are; written as an object of those that there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<NoteKind, u64>", into = "BTreeMap<NoteKind, u64>")]
pub struct Noted([u64; NoteKind::ALL.len()]);

impl Noted {
    /// The count of a kind.
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
    /// Counts an invalid row and keeps its errors while there is room.
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

    /// Counts a row that is passed over and says why: `is there already as movie 7`. `value` is what
    /// the row is known by, such as its title.
    pub fn skip(&mut self, line: u64, value: &str, detail: impl FnOnce() -> String) {
        self.skipped += 1;
        self.note(line, None, NoteKind::Skipped, Some(value), detail);
    }

    /// Counts a note, and keeps it while there is room; only then are its words made.
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

    /// Names the film of a row in its notes: those from this place on.
    pub fn label_notes(&mut self, from: usize, label: &RowLabel) {
        for note in &mut self.notes[from..] {
            note.label.clone_from(label);
        }
    }

    /// Reports the result of a row, by its number in the file, in a preview.
    pub fn preview(&mut self, number: u64, preview: impl FnOnce() -> Preview) {
        if self.dry_run && number <= MAX_REPORT_PREVIEW_ROWS {
            self.preview.push(preview());
        }
    }

    /// Brings notes and preview, which come in pieces, into the order of the file.
    pub fn sort(&mut self) {
        self.notes.sort_by_key(|note| note.line);
        self.preview.sort_by_key(|row| row.line);
    }

    /// The same report, where nothing was stored after all.
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        self.notes.retain(|note| note.kind != NoteKind::Skipped);
        self.noted.0[NoteKind::Skipped as usize] = 0;
        Self { created: 0, updated: 0, skipped: 0, ..self }
    }
}

impl RowError {
    /// The attribute for which the row has nothing.
    #[must_use]
    pub fn missing(&self) -> Option<Field> {
        self.field.as_deref().filter(|_| self.code == Code::Required).and_then(|name| Field::parse(name).ok())
    }

    /// The foreign medium that stands for none of our formats.
    #[must_use]
    pub fn unknown_medium(&self) -> Option<&str> {
        let is_format =
            self.field.as_deref() == Some(Field::MovieFormat.as_str()) && self.code == Code::NotAllowed;
        self.value.as_deref().map(str::trim).filter(|medium| is_format && !medium.is_empty())
    }

    /// An error of a whole row.
    #[must_use]
    pub fn of_row(line: u64, Invalid(detail, code): Invalid) -> Self {
        Self { line, label: RowLabel::default(), field: None, code, detail, value: None }
    }

    /// The beginning of what stood in a cell.
    #[must_use]
    pub fn shown(value: &str) -> String {
        value.chars().take(100).collect()
    }
}
