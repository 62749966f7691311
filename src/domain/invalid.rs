//! Violations of rules: the rule, its code, and the place in the request.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::serde_as_word;

/// A rule violation: its code for programs, and the reason in words for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Invalid {
    pub code: Code,
    pub reason: Reason,
}

/// The parts of a message about a violation, so that each client can write it with its own names of options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// The rule, to follow the name of the value: `must be …`.
    pub rule: String,
    /// The given value; left out if the rule names it, or none was given.
    #[schema(required = false, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// The options that help, in the order of `detail`; left out if there are none.
    #[schema(required = false)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
}

/// An option that helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hint {
    /// The name of the query parameter.
    pub option: String,
    /// Its value. Words in capitals are placeholders.
    pub value: String,
    /// The words of `detail` before the option.
    pub before: String,
    /// The words of `detail` after the option.
    pub after: String,
}

impl Invalid {
    /// Creates a violation of a rule.
    pub(crate) fn new(code: Code, rule: impl Into<String>) -> Self {
        Self { code, reason: Reason { rule: rule.into(), ..Reason::default() } }
    }

    /// Adds the given value.
    pub(crate) fn got(mut self, value: impl fmt::Display) -> Self {
        self.reason.got = Some(value.to_string());
        self
    }

    /// Adds an option that helps, with the words around it.
    pub(crate) fn with_hint(
        mut self,
        before: &str,
        option: &str,
        value: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        let (before, option) = (before.to_owned(), option.to_owned());
        self.reason.hints.push(Hint { option, value: value.into(), before, after: after.into() });
        self
    }

    /// Adds the place before the rule.
    pub(crate) fn of(mut self, place: impl fmt::Display) -> Self {
        self.reason.rule = format!("{place} {}", self.reason.rule);
        self
    }
}

impl Reason {
    /// Formats the rule and the given value, without the options that help.
    #[must_use]
    pub fn without_hints(&self) -> String {
        match &self.got {
            Some(got) => format!("{}, got {got}", self.rule),
            None => self.rule.clone(),
        }
    }

    /// Formats the reason with the options that help, written by `option`.
    #[must_use]
    pub fn with_hints(&self, option: impl Fn(&Hint) -> String) -> String {
        let hint = |hint: &Hint| [&hint.before, &option(hint), &hint.after].map(String::as_str).concat();
        self.without_hints() + &self.hints.iter().map(hint).collect::<String>()
    }

    /// Returns whether nothing is known, such as of the error of an older server.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rule.is_empty()
    }
}

/// Writes the options as query parameters.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_hints(|Hint { option, value, .. }| format!("{option}={value}")))
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
    pub fn at(field: impl Into<String>, Invalid { code, reason }: Invalid) -> Self {
        Self { place: Place::Field(field.into()), code, detail: reason.to_string() }
    }

    /// Creates a violation in an option.
    pub fn in_option(name: impl Into<String>, Invalid { code, reason }: Invalid) -> Self {
        Self { place: Place::Option(name.into()), code, detail: reason.to_string() }
    }
}
