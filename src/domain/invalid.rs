//! Violations of rules: the rule, its code, and the place in the request.

use super::serde_as_word;

/// A rule violation: the rule in words for people, and its code for programs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String, pub Code);

impl Invalid {
    /// Creates a violation; the rule follows the name of the value: `must be …`.
    pub(crate) fn new(code: Code, rule: impl Into<String>) -> Self {
        Self(rule.into(), code)
    }
}

/// The code of a violated rule. Codes are part of the API and do not change with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A required value is missing.
    Required,
    /// An unknown field or parameter.
    Unknown,
    /// A value given more than once.
    Repeated,
    /// Another JSON type, or not a number.
    WrongType,
    /// An empty text.
    Empty,
    /// Too many characters or items.
    TooLong,
    /// Too few characters.
    TooShort,
    /// A number or time outside the limits.
    OutOfRange,
    /// Not one of the allowed values.
    NotAllowed,
    /// Not in the required format.
    Malformed,
    /// A password that is easy to guess.
    TooWeak,
    /// Not the current password.
    Incorrect,
    /// A field that requires another one, which is missing.
    Incomplete,
    /// An id of no existing movie.
    NotFound,
    /// A version that is no longer current.
    Outdated,
}

impl Code {
    /// All codes, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::Required,
        Self::Unknown,
        Self::Repeated,
        Self::WrongType,
        Self::Empty,
        Self::TooLong,
        Self::TooShort,
        Self::OutOfRange,
        Self::NotAllowed,
        Self::Malformed,
        Self::TooWeak,
        Self::Incorrect,
        Self::Incomplete,
        Self::NotFound,
        Self::Outdated,
    ];

    /// Returns the code as written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Unknown => "unknown",
            Self::Repeated => "repeated",
            Self::WrongType => "wrong_type",
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::TooShort => "too_short",
            Self::OutOfRange => "out_of_range",
            Self::NotAllowed => "not_allowed",
            Self::Malformed => "malformed",
            Self::TooWeak => "too_weak",
            Self::Incorrect => "incorrect",
            Self::Incomplete => "incomplete",
            Self::NotFound => "not_found",
            Self::Outdated => "outdated",
        }
    }

    /// Returns the meaning, for the documentation.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Required => "The field is missing.",
            Self::Unknown => "No such field or parameter exists; `detail` names those that do.",
            Self::Repeated => "The field or parameter is given more than once.",
            Self::WrongType => "The value has another type, such as a string instead of a number.",
            Self::Empty => "The text has no characters.",
            Self::TooLong => "The text has too many characters, or the list too many items.",
            Self::TooShort => "The text has too few characters.",
            Self::OutOfRange => "The number or the time is outside the limits.",
            Self::NotAllowed => "The value is not one of those in `detail`.",
            Self::Malformed => "The value is not written as `detail` says.",
            Self::TooWeak => "The password is common or easily guessed.",
            Self::Incorrect => "The value is not the present password.",
            Self::Incomplete => "The field needs another field beside it.",
            Self::NotFound => "The collection has no movie with this id.",
            Self::Outdated => "The movie has another version by now; read it again.",
        }
    }
}

serde_as_word!(Code);

/// A violation and its place in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub place: Place,
    pub code: Code,
    pub detail: String,
}

/// A place in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A field: the names that lead to it, each after a slash, such as `/operations/2/rating`. In a name, `~1` is a slash
    /// and `~0` a tilde.
    Field(String),
    /// An option, such as a filter of a list: its name.
    Option(String),
}

impl Violation {
    /// Creates a violation in a field.
    pub fn at(field: impl Into<String>, Invalid(detail, code): Invalid) -> Self {
        Self { place: Place::Field(field.into()), code, detail }
    }

    /// Creates a violation in an option.
    pub fn in_option(name: impl Into<String>, Invalid(detail, code): Invalid) -> Self {
        Self { place: Place::Option(name.into()), code, detail }
    }
}
