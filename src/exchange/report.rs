//! What an import did, and what it did not take and why.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The report of an import. The counts are whole; of the errors the first 1,000 stand here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Rows read.
    pub read: u64,
    /// Movies added.
    pub created: u64,
    /// Movies that were there and became different.
    pub updated: u64,
    /// Rows whose movie was there already.
    pub skipped: u64,
    /// Rows that are invalid.
    pub failed: u64,
    pub errors: Vec<RowError>,
    /// Whether all this was only tried.
    pub dry_run: bool,
    /// The change, to undo it; none where nothing was stored.
    pub change: Option<i64>,
    /// Columns of the file of which nothing was stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_columns: Vec<String>,
}

/// Why a row was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The line in the file on which the row begins, from 1.
    pub line: u64,
    /// The attribute; none where it is the whole row.
    pub field: Option<Cow<'static, str>>,
    pub detail: String,
    /// What stood there, cut after 100 characters.
    pub value: Option<String>,
}

impl Report {
    /// How many errors are kept.
    pub const MOST_ERRORS: usize = 1000;

    /// Counts an invalid row and keeps its errors while there is room.
    pub fn fail(&mut self, errors: impl IntoIterator<Item = RowError>) {
        self.failed += 1;
        let room = Self::MOST_ERRORS - self.errors.len();
        self.errors.extend(errors.into_iter().take(room));
    }
}

impl RowError {
    /// An error of a whole row.
    pub fn of_row(line: u64, detail: impl Into<String>) -> Self {
        Self { line, field: None, detail: detail.into(), value: None }
    }

    /// The beginning of what stood in a cell.
    #[must_use]
    pub fn shown(value: &str) -> String {
        value.chars().take(100).collect()
    }
}
