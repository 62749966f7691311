//! Typed ids: each kind of entity has a type of its own.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Code, Invalid};

/// Common operations of ids.
pub trait Id: Copy + fmt::Display + FromStr<Err = Invalid> {
    /// The name of the entity in messages.
    const NOUN: &'static str;
}

/// Defines an id type: a positive number that the database assigns and never reuses.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Less than every id: the start of an ascending list.
            pub const BEFORE_ALL: Self = Self(0);
            /// Greater than every id: the start of a descending list.
            pub const AFTER_ALL: Self = Self(i64::MAX);

            /// Creates an id from a stored number.
            #[must_use]
            pub const fn from_stored(number: i64) -> Self {
                Self(number)
            }

            /// Returns the number.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl Id for $name {
            const NOUN: &'static str = $noun;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            /// Parses an id from a URL.
            fn from_str(text: &str) -> Result<Self, Invalid> {
                parse(text).map(Self)
            }
        }
    };
}

id!(
    /// The id of a movie.
    MovieId, "movie"
);
id!(
    /// The id of a change.
    ChangeId, "change"
);
id!(
    /// The id of a user.
    UserId, "user"
);
id!(
    /// The id of an API token.
    TokenId, "token"
);
id!(
    /// The id of a session of the pages.
    SessionId, "session"
);

impl UserId {
    /// The administrator at the console, who is not a user in the database.
    pub const CONSOLE: Self = Self(0);
}

/// Parses a positive whole number of digits only.
fn parse(text: &str) -> Result<i64, Invalid> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && *number > 0);
    number.ok_or_else(|| {
        let rule = format!("must be a whole number from 1 to {}", i64::MAX);
        Invalid::new(Code::Malformed, rule).got(super::quoted(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_an_address_is_a_whole_number_from_1_in_digits_alone() {
        for (text, number) in [("1", 1), ("42", 42), ("007", 7), ("9223372036854775807", i64::MAX)] {
            assert_eq!(text.parse(), Ok(MovieId::from_stored(number)), "{text}");
        }
        for text in ["", "0", "-1", "+1", " 1", "1 ", "1.0", "1e3", "x", "١", "9223372036854775808"] {
            assert!(text.parse::<ChangeId>().is_err_and(|invalid| invalid.code == Code::Malformed), "{text}");
        }
    }

    #[test]
    fn an_id_is_written_as_its_number() {
        let id = TokenId::from_stored(7);
        assert_eq!((id.to_string().as_str(), id.get()), ("7", 7));
        assert_eq!(serde_json::to_string(&id).unwrap(), "7");
        assert_eq!(serde_json::from_str::<TokenId>("7").unwrap(), id);
        assert_eq!(format!("{id:>3}"), "  7");
    }

    #[test]
    fn ids_lie_between_the_ends_of_their_lists() {
        let ids = [SessionId::BEFORE_ALL, SessionId::from_stored(1), SessionId::AFTER_ALL];
        assert!(ids.is_sorted());
    }
}
