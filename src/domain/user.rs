//! Users: names, roles and token names.

use std::collections::HashSet;

use serde::{Serialize, Serializer};
use unicode_normalization::char::canonical_combining_class;
use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

use super::{
    Code, Invalid, fold,
    movie::quoted,
    short_text::{parse_short_text, parse_stored_text, read_as_text},
};

/// A role. Roles are ordered: each includes the permissions of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May read.
    Viewer,
    /// May also change, import and undo.
    Editor,
    /// May also manage users and backups.
    Owner,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    /// Parses exactly `viewer`, `editor` or `owner`.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            Invalid::new(Code::NotAllowed, "must be viewer, editor or owner").got(quoted(text))
        })
    }

    /// Returns the name as written in JSON.
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

read_as_text!(Role::parse, UserName::parse, TokenName::parse_stored);

/// A user name: 1 to 50 letters, digits and `.` `_` `-` `@` `+`, but neither `.` nor `..`. Unique ignoring
/// case and accents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserName(String);

impl UserName {
    /// The maximum length in characters.
    pub const MAX_CHARS: usize = 50;
    /// The rule as a regular expression (ECMA-262, Unicode) for the API description. Vowel signs are allowed,
    /// too, but few validators know their property `Alphabetic`.
    pub const PATTERN: &str = r"^(\.{0,2}[\p{L}\p{N}_@+-]|\.{3})[\p{L}\p{N}._@+-]*$";

    /// Normalizes a name to NFC, trims and validates it.
    ///
    /// # Errors
    /// [`Code::Empty`], [`Code::TooLong`], or [`Code::Malformed`] for other characters. `.` and `..` are
    /// malformed, since URLs resolve such segments (RFC 3986, 5.2.4).
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let name = parse_stored_text(text, Self::MAX_CHARS)?;
        if matches!(name.as_str(), "." | "..") {
            return Err(Invalid::new(Code::Malformed, "must not be . or .., which no address can name"));
        }
        match name.chars().find(|c| !c.is_alphanumeric() && !"._-@+".contains(*c)) {
            Some(c) => Err(Invalid::new(Code::Malformed, "must consist of letters, digits and . _ - @ +")
                .got(format_args!("{c:?}"))),
            None => Ok(Self(name)),
        }
    }

    /// Validates the name of a new user. Names from before this rule still work for sign-in.
    ///
    /// # Errors
    /// As [`UserName::parse`]; [`Code::Malformed`] for invisible letters, mixed scripts, and `console`,
    /// which the history uses for the administrator.
    pub fn parse_new(text: &str) -> Result<Self, Invalid> {
        let name = Self::parse(text)?;
        if name.looks_like(&Self(Self::CONSOLE.to_owned())) {
            return Err(Invalid::new(
                Code::Malformed,
                "must not be or look like console, the name of the administrator in the history",
            ));
        }
        if let Some(c) = name.0.chars().find(|c| INVISIBLE_LETTERS.contains(c)) {
            return Err(Invalid::new(Code::Malformed, "must not have invisible letters")
                .got(format_args!("U+{:04X}", u32::from(c))));
        }
        if name.0.chars().next().is_some_and(|c| canonical_combining_class(c) != 0) {
            return Err(Invalid::new(Code::Malformed, "must not begin with a mark"));
        }
        if !is_of_one_script(&name.0) {
            return Err(Invalid::new(
                Code::Malformed,
                "must not mix letters of several scripts, such as Latin and Cyrillic",
            ));
        }
        Ok(name)
    }

    /// The name of the administrator's commands in the history.
    pub const CONSOLE: &str = "console";

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key that equal names share.
    #[must_use]
    pub fn key(&self) -> String {
        fold(&self.0)
    }

    /// Returns whether two names look alike, as written or in lower case: Cyrillic `сор` and Latin `cop`
    /// (Unicode Technical Standard 39, section 4).
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        let looks_same = |one: &str, other: &str| skeleton(one).eq(skeleton(other));
        looks_same(&self.0, &other.0) || looks_same(&self.key(), &other.key())
    }
}

/// Invisible letters (`Default_Ignorable_Code_Point` of the Unicode Character Database).
const INVISIBLE_LETTERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

/// Returns whether all letters are of one script, or of scripts that are used together (Unicode Technical
/// Standard 39, "Highly Restrictive", without Latin beside Chinese, Japanese and Korean).
fn is_of_one_script(name: &str) -> bool {
    const TOGETHER: [&[Script]; 3] = [
        &[Script::Han, Script::Hiragana, Script::Katakana],
        &[Script::Han, Script::Hangul],
        &[Script::Han, Script::Bopomofo],
    ];
    let scripts: HashSet<Script> = name
        .chars()
        .map(|c| c.script())
        .filter(|script| ![Script::Common, Script::Inherited].contains(script))
        .collect();
    scripts.len() <= 1 || TOGETHER.iter().any(|set| scripts.iter().all(|script| set.contains(script)))
}

/// The name of an API token: 1 to 50 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenName(String);

impl TokenName {
    /// The maximum length in characters.
    pub const MAX_CHARS: usize = 50;

    /// Normalizes a name to NFC, trims and validates it.
    ///
    /// # Errors
    /// [`Code::Empty`], [`Code::TooLong`], or [`Code::Malformed`] for control characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        parse_short_text(text, Self::MAX_CHARS).map(Self)
    }

    /// Parses a name that was stored, also by version 0.1.0, which accepted names without a visible character.
    ///
    /// # Errors
    /// As [`TokenName::parse`].
    pub fn parse_stored(text: &str) -> Result<Self, Invalid> {
        parse_stored_text(text, Self::MAX_CHARS).map(Self)
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn names_of_new_users_look_like_no_others() {
        for good in [
            "olivia",
            "Zoë",
            "o.p-q_r@s+t",
            "оливия",
            "ὀλυμπία",
            "花子",
            "はなこ",
            "カナ花",
            "김민준",
            "عمر",
            "2001",
        ] {
            assert!(UserName::parse_new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "console",
            "Cónsole",
            "conso1e",
            "olivia\u{3164}",
            "\u{3164}",
            "\u{115f}",
            "\u{345}",
            "\u{301}a",
            "\u{43e}livia", // a Cyrillic o
            "olivi\u{3b1}", // a Greek alpha
            "김олег",
        ] {
            assert!(UserName::parse_new(bad).is_err(), "{bad:?}");
        }
        assert!(UserName::parse("\u{43e}livia").is_ok(), "who has such a name already signs in");
    }

    #[test]
    fn names_that_look_the_same_are_recognised() {
        let looks_like = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|name| UserName::parse(name).unwrap());
            assert_eq!(one.looks_like(&other), other.looks_like(&one));
            one.looks_like(&other)
        };
        for (one, other) in [
            ("\u{441}\u{43e}\u{440}", "cop"), // Cyrillic
            ("\u{3bf}\u{3bf}", "oo"),         // Greek
            ("\u{421}\u{41e}\u{420}", "cop"), // Cyrillic capitals whose small letters look like it
            ("Ivan", "lvan"),
            ("ivan", "IVAN"),
            ("o1ga", "olga"),
            ("zoë", "zoe"),
        ] {
            assert!(looks_like(one, other), "{one} {other}");
        }
        for (one, other) in [("olivia", "olive"), ("\u{438}\u{432}\u{430}\u{43d}", "ivan"), ("anna", "hanna")]
        {
            assert!(!looks_like(one, other), "{one} {other}");
        }
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
