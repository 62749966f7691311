//! Page sizes.

use crate::domain::{Code, Invalid, quoted};

/// The size of a page: 1 to 1000 movies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(usize);

impl Limit {
    /// The minimum.
    pub const MIN: usize = 1;
    /// The maximum.
    pub const MAX: usize = 1000;
    /// The default of lists that have pages.
    pub const DEFAULT: Self = Self(100);
    /// The maximum, as a limit.
    pub const LARGEST: Self = Self(Self::MAX);

    /// Creates a constant limit.
    ///
    /// # Panics
    /// If it is not from 1 to 1000; for a constant, at compile time.
    #[must_use]
    pub const fn new(movies: usize) -> Self {
        assert!(movies >= Self::MIN && movies <= Self::MAX, "a page has 1 to 1000 movies");
        Self(movies)
    }

    /// Parses a whole number from 1 to 1000.
    ///
    /// # Errors
    /// [`Code::Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(limit) if (Self::MIN..=Self::MAX).contains(&limit) && !text.starts_with('+') => {
                Ok(Self(limit))
            }
            _ => Err(Invalid::new(
                Code::Malformed,
                format!("must be a whole number from {} to {}", Self::MIN, Self::MAX),
            )
            .got(quoted(text))),
        }
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_1_to_1000() {
        for (text, ok) in [
            ("0", false),
            ("1", true),
            ("1000", true),
            ("1001", false),
            ("+5", false),
            ("-1", false),
            ("1e3", false),
            ("", false),
        ] {
            assert_eq!(Limit::parse(text).is_ok(), ok, "{text}");
        }
    }
}
