//! Users: their names, their roles, their passwords' rules.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Invalid, fold, movie::quoted, parse_short_text};

/// What somebody may do. Each role may all that the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May read.
    Viewer,
    /// May read, change, import and undo.
    Editor,
    /// May all that, and manages users and backups.
    Owner,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    /// Reads exactly `viewer`, `editor` or `owner`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| Invalid::new(format!("must be viewer, editor or owner, got {}", quoted(text))))
    }

    /// The role as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads back what was written as text.
macro_rules! read_as_text {
    ($($name:ident),+) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }
    )+};
}

read_as_text!(Role, UserName, TokenName);

/// A user's name: 1 to 50 letters, digits and `.` `_` `-` `@` `+`, but neither `.` nor `..`. Unique
/// whatever the case and the accents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserName(String);

impl UserName {
    /// The most characters of a user's name.
    pub const MAX_CHARS: usize = 50;
    /// The rule as a regular expression (ECMA-262, Unicode), for the API's description. Vowel signs
    /// pass too; the property that has them, `Alphabetic`, is known to few who read descriptions.
    pub const PATTERN: &str = r"^(\.{0,2}[\p{L}\p{N}_@+-]|\.{3})[\p{L}\p{N}._@+-]*$";

    /// Normalises to NFC, trims, and checks.
    ///
    /// # Errors
    /// An empty name, one of more than 50 characters, one with any other character, one that stands
    /// for a place in addresses (RFC 3986, 5.2.4), so that `/user/..` would never arrive.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let name = parse_short_text(text, Self::MAX_CHARS)?;
        if matches!(name.as_str(), "." | "..") {
            return Err(Invalid::new("must not be . or .., which no address can name"));
        }
        match name.chars().find(|c| !c.is_alphanumeric() && !"._-@+".contains(*c)) {
            Some(c) => Err(Invalid::new(format!("must consist of letters, digits and . _ - @ +, got {c:?}"))),
            None => Ok(Self(name)),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one name have in common.
    #[must_use]
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

/// What an API token is for, in its user's words: 1 to 50 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenName(String);

impl TokenName {
    /// The most characters of a token's name.
    pub const MAX_CHARS: usize = 50;

    /// Normalises to NFC, trims, and checks.
    ///
    /// # Errors
    /// An empty name, one of more than 50 characters, one with a control character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        parse_short_text(text, Self::MAX_CHARS).map(Self)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password to be set: 10 to 256 characters and not easily guessed, as the OWASP Authentication
/// Cheat Sheet and NIST SP 800-63B ask. It is never shown, not even by `Debug`.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The fewest characters (Unicode scalar values) of a password.
    pub const MIN_CHARS: usize = 10;
    /// The most characters of a password.
    pub const MAX_CHARS: usize = 256;

    /// Checks a password that somebody wants to have.
    ///
    /// # Errors
    /// Too short, too long, or among the first million guesses of somebody who tries common
    /// passwords, names, dates and keyboard rows.
    pub fn parse(text: &str, name: &UserName) -> Result<Self, Invalid> {
        let chars = text.chars().count();
        if chars < Self::MIN_CHARS {
            return Err(Invalid::new(format!(
                "must have at least {} characters, got {chars}",
                Self::MIN_CHARS
            )));
        }
        if chars > Self::MAX_CHARS {
            return Err(Invalid::new(format!(
                "must have at most {} characters, got {chars}",
                Self::MAX_CHARS
            )));
        }
        if zxcvbn::zxcvbn(text, &[name.as_str(), "reelshelf"]).score() < zxcvbn::Score::Two {
            return Err(Invalid::new("is one of the common passwords, or too easily guessed"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The password, to be hashed and dropped.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_10_to_256_characters_and_are_not_common() {
        let name = UserName::parse("olivia").unwrap();
        let parse = |text: &str| Password::parse(text, &name);
        assert!(parse("kX9-vbq2#").is_err());
        assert!(parse("kX9-vbq2#w").is_ok());
        let long: String = "zü7-Qk_p".chars().cycle().take(257).collect();
        assert!(parse(&long).is_err());
        assert!(parse(&long.chars().take(256).collect::<String>()).is_ok());
        for common in [
            "1234567890",
            "0123456789",
            "password123",
            "Password1234",
            "qwertyuiop",
            "iloveyou123",
            "aaaaaaaaaaaa",
            "abcdefghij",
            "1q2w3e4r5t",
            "oliviaolivia",
            "passwordpassword",
            "letmein123",
        ] {
            assert!(parse(common).is_err(), "{common}");
        }
        for good in ["correct horse battery", "owner-password", "s3cret-editor-pass"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        assert_eq!(format!("{:?}", parse("kX9-vbq2#w").unwrap()), "Password(…)");
    }

    #[test]
    fn user_names_are_1_to_50_letters_digits_and_a_few_signs() {
        for good in ["o", "Zoë", "o.p-q_r@s+t", &"n".repeat(50)] {
            assert!(UserName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", " ", ".", "..", "a:b", "a/b", "a b", "a\0b", &"n".repeat(51)] {
            assert!(UserName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(UserName::parse("ZOË").unwrap().key(), UserName::parse("zoe").unwrap().key());
    }

    #[test]
    fn each_role_may_more_than_the_one_before() {
        assert!(Role::ALL.is_sorted());
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Ok(role));
        }
        assert!(Role::parse("Owner").is_err());
    }
}
