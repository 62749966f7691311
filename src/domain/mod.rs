//! What a film collection is, without any input or output: the types that can only hold what is valid.

mod batch;
mod change;
mod fold;
mod forgiving;
mod list;
mod movie;
mod password;
mod shelf;
mod text;
mod time;
mod user;

use std::borrow::Cow;

pub use batch::Operation;
pub use change::{Change, ChangeKind, Effect};
pub use fold::fold;
pub use forgiving::{Nearness, Typed, nearness};
pub use list::{Bounds, Cursor, Filter, KeyValue, Kind, Limit, ListQuery, Passes, Sort, SortKey};
pub use movie::{Attributes, Changes, Field, Length, Movie, MovieFormat, Rating, ReleaseYear, Title};
pub(crate) use movie::{quoted, whole};
pub use password::Password;
pub use shelf::{Articles, sort_key, sort_key_and_words, sort_keys_of_same};
pub use text::{are_neighbours, parts_of, query_words, title_words};
pub use time::Time;
pub use user::{Role, TokenName, UserName};

/// Why a value cannot be held: the rule, and what was given, in words for the person who gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    /// A rule in words that follow the name of the value: `must be …`.
    pub(crate) fn new(rule: impl Into<String>) -> Self {
        Self(rule.into())
    }
}

/// Where something is wrong, and which rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    #[serde(flatten)]
    pub place: Place,
    pub detail: String,
}

/// A place in what was sent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the body: a JSON pointer (RFC 6901).
    Pointer(String),
    /// In the address: the name of a query parameter.
    Parameter(String),
}

impl Violation {
    /// A violation in the body.
    pub fn at(pointer: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self { place: Place::Pointer(pointer.into()), detail: detail.to_string() }
    }

    /// A violation in the query of the address.
    pub fn in_parameter(name: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self { place: Place::Parameter(name.into()), detail: detail.to_string() }
    }
}

/// Normalises a short text (NFC, trimmed) and checks its length, counted in Unicode scalar values.
fn parse_short_text(text: &str, max_chars: usize) -> Result<String, Invalid> {
    use unicode_normalization::{UnicodeNormalization, is_nfc};

    let text = if is_nfc(text) { Cow::Borrowed(text) } else { text.nfc().collect() };
    let text = text.trim();
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(Invalid::new(format!(
            "must not contain control characters, got U+{:04X}",
            u32::from(control)
        )));
    }
    match text.chars().count() {
        0 => Err(Invalid::new("must not be empty")),
        n if n > max_chars => Err(Invalid::new(format!("must have at most {max_chars} characters, got {n}"))),
        _ => Ok(text.to_owned()),
    }
}
