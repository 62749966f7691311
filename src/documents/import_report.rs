//! The report of an import.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, schema::AdditionalProperties},
};

use super::{
    Choice, Source,
    schema::{CodeWord, schema, words},
    word::Word,
};
use crate::{
    domain::{Attributes, ChangeId, Code, Field, Invalid, MovieId, Reason, serde_as_word},
    limits::{MAX_REPORT_ERRORS, MAX_REPORT_NOTES, MAX_REPORT_PREVIEW_ROWS},
};

/// The report of an import.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
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
    /// The first 1,000 errors.
    pub errors: Vec<RowError>,
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// The change, to undo it; null if nothing was stored.
    #[schema(required = true, value_type = Option<i64>)]
    pub change: Option<ChangeId>,
    /// Columns of the file that were not stored; left out if there are none.
    #[schema(required = false)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_columns: Vec<String>,
    /// The layout of the file.
    #[schema(inline, required = true, value_type = LayoutWord)]
    #[serde(default)]
    pub source: Word<Source>,
    /// Changed values and skipped rows: the first 1,000 notes of each kind.
    #[schema(required = true)]
    #[serde(default)]
    pub notes: Vec<Note>,
    /// The number of notes of each kind, without zero counts.
    #[schema(inline, required = true, value_type = Noted)]
    #[serde(default)]
    pub noted: BTreeMap<Word<NoteKind>, u64>,
    /// The results of the first 100 rows, by line; only for a dry run.
    #[schema(required = false)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<Preview>,
}

/// The film of a row as written in the file, so that people recognize the row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowLabel {
    /// The title, shortened to 100 characters; left out if the row has none.
    #[schema(required = false, nullable = false, value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Box<str>>,
    /// The release year; left out if the row has none.
    #[schema(required = false, nullable = false, value_type = Option<String>)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The line on which the row begins, from 1.
    pub line: u64,
    #[serde(flatten)]
    pub label: RowLabel,
    #[schema(inline, value_type = ResultWord)]
    pub becomes: Word<RowResult>,
    /// The movie of the row; null if the row is rejected or not a film.
    #[schema(required = true, value_type = Option<Attributes>)]
    pub movie: Option<Word<Attributes, Value>>,
    /// The existing movie that is equal or updated.
    #[schema(required = true, value_type = Option<i64>)]
    pub id: Option<MovieId>,
}

/// What an import would do with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowResult {
    Created,
    Updated,
    Skipped,
    Rejected,
}

serde_as_word!(RowResult);

impl RowResult {
    const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Skipped, Self::Rejected];

    /// Returns the result as written in JSON.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Skipped => "skipped",
            Self::Rejected => "refused", // the word that clients know
        }
    }
}

/// A note about a changed value or a skipped row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// The line on which the row begins, from 1.
    pub line: u64,
    #[serde(flatten)]
    pub label: RowLabel,
    /// The attribute; null for the whole row.
    #[schema(required = true, value_type = Option<String>)]
    pub field: Option<Box<str>>,
    #[schema(inline, value_type = NoteKindWord)]
    pub kind: Word<NoteKind>,
    /// What was done and why, to follow the attribute's name.
    pub detail: String,
    /// The original value.
    #[schema(required = true, value_type = Option<String>)]
    pub value: Option<Box<str>>,
    /// The value that replaces it; left out if the row was skipped.
    #[schema(required = false, nullable = false, value_type = Option<Value>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub became: Option<Value>,
    /// The movie of which the row is a duplicate; left out if the row was not skipped for one.
    #[schema(required = false, nullable = false, value_type = Option<i64>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<MovieId>,
}

/// Kinds of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Line breaks and repeated spaces in a title were replaced by one space, and overrides of the direction
    /// removed.
    Collapsed,
    /// A title was rewritten: its article moved to the front, a second title in parentheses removed.
    Rewritten,
    /// The row was skipped: a duplicate, or not a film.
    Skipped,
}

serde_as_word!(NoteKind);

/// Why a row was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowError {
    /// The line on which the row begins, from 1.
    pub line: u64,
    #[serde(flatten)]
    pub label: RowLabel,
    /// The attribute; null for the whole row.
    #[schema(required = true, value_type = Option<String>)]
    pub field: Option<Box<str>>,
    #[schema(inline, value_type = CodeWord)]
    pub code: Word<Code>,
    /// The reason in words, to follow the attribute's name.
    pub detail: String,
    /// The parts of `detail`.
    #[schema(required = true)]
    #[serde(default)]
    pub reason: Reason,
    /// The original value.
    #[schema(required = true, value_type = Option<String>)]
    pub value: Option<Box<str>>,
}

schema!(LayoutWord, words(Source::ALL[1..].iter().map(|source| source.as_str())));
schema!(ResultWord, words(RowResult::ALL.map(RowResult::as_str)));
schema!(NoteKindWord, words(NoteKind::ALL.map(NoteKind::as_str)));
schema!(
    Noted,
    NoteKind::ALL
        .map(NoteKind::as_str)
        .into_iter()
        .fold(ObjectBuilder::new(), |object, kind| object.property(kind, u64::schema()))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
);

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

    /// The headings of lists of notes, with their kinds.
    pub const HEADINGS: [(&str, &[Self]); 6] = [
        ("Numbers rounded", &[Self::Rounded]),
        ("Titles shortened", &[Self::Cut]),
        ("Formats replaced", &[Self::Mapped]),
        ("Titles tidied", &[Self::Decoded, Self::Collapsed, Self::Rewritten]),
        ("Missing values filled in", &[Self::Defaulted]),
        ("Skipped", &[Self::Skipped]),
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

impl Report {
    /// Counts an invalid row, and keeps its errors up to the limit.
    pub fn fail(&mut self, errors: Vec<RowError>) {
        self.failed += 1;
        if let Some(error) = errors.first() {
            self.preview(self.read, || Preview {
                line: error.line,
                label: error.label.clone(),
                becomes: RowResult::Rejected.into(),
                movie: None,
                id: None,
            });
        }
        let room = MAX_REPORT_ERRORS - self.errors.len();
        self.errors.extend(errors.into_iter().take(room));
    }

    /// Counts a skipped row, with a note. Its `value` identifies the row, such as its title.
    pub fn skip(&mut self, line: u64, complete: impl FnOnce(Note) -> Note) {
        self.skipped += 1;
        self.note(line, NoteKind::Skipped, complete);
    }

    /// Counts a note, and keeps it up to the limit; `complete` is called only then.
    pub fn note(&mut self, line: u64, kind: NoteKind, complete: impl FnOnce(Note) -> Note) {
        let count = self.noted.entry(kind.into()).or_default();
        *count += 1;
        if *count <= MAX_REPORT_NOTES {
            self.notes.push(complete(Note {
                line,
                label: RowLabel::default(),
                field: None,
                kind: kind.into(),
                detail: String::new(),
                value: None,
                became: None,
                id: None,
            }));
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
        self.notes.retain(|note| note.kind != NoteKind::Skipped.into());
        self.noted.remove(&NoteKind::Skipped.into());
        Self { created: 0, updated: 0, skipped: 0, ..self }
    }
}

impl RowError {
    /// Returns the attribute that the row lacks.
    #[must_use]
    pub fn missing(&self) -> Option<Field> {
        let name = self.field.as_deref().filter(|_| self.code == Code::Required.into());
        name.and_then(|name| Field::parse(name).ok())
    }

    /// Returns the foreign medium that has no format of ours.
    #[must_use]
    pub fn unknown_medium(&self) -> Option<&str> {
        let is_format = self.field.as_deref() == Some(Field::MovieFormat.as_str())
            && self.code == Code::NotAllowed.into();
        self.value.as_deref().map(str::trim).filter(|medium| is_format && !medium.is_empty())
    }

    /// Creates an error of a whole row.
    #[must_use]
    pub fn of_row(line: u64, Invalid { code, reason }: Invalid) -> Self {
        Self {
            line,
            label: RowLabel::default(),
            field: None,
            code: code.into(),
            detail: reason.to_string(),
            reason,
            value: None,
        }
    }

    /// Shortens a value for display.
    #[must_use]
    pub fn shown(value: &str) -> Box<str> {
        value.chars().take(100).collect()
    }
}
