//! Rules of new passwords.

use std::{borrow::Cow, collections::HashSet, sync::LazyLock};

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Code, Invalid, UserName, fold};

/// A new password: 10 to 256 characters and not easy to guess, as the OWASP Authentication Cheat Sheet and
/// NIST SP 800-63B require. `Debug` does not print it.
#[derive(Clone)]
pub struct Password(String);

/// Common passwords, sorted.
static COMMON: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    include_str!("common_passwords.txt").lines().filter(|line| !line.starts_with("# ")).collect()
});

/// Words that people combine with digits instead of choosing a password.
const COMMON_WORDS: [&str; 41] = [
    "reelshelf",
    "password",
    "passwort",
    "passwd",
    "passw",
    "letmein",
    "welcome",
    "iloveyou",
    "loveyou",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "basketball",
    "sunshine",
    "princess",
    "master",
    "shadow",
    "superman",
    "batman",
    "trustno",
    "administrator",
    "admin",
    "secret",
    "login",
    "hello",
    "michael",
    "charlie",
    "jordan",
    "summer",
    "winter",
    "spring",
    "autumn",
    "starwars",
    "whatever",
    "freedom",
    "changeme",
    "default",
    "computer",
    "movies",
    "films",
];

/// Keyboard rows, and the order of digits and of the signs above them.
const ROWS: [&str; 8] =
    ["1234567890", "!@#$%^&*()", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "yxcvbnm"];

/// Repeating a text shorter than this, in characters, does not make it stronger.
const SHORT_UNIT: usize = 8;

impl Password {
    /// The minimum length in Unicode scalar values.
    pub const MIN_CHARS: usize = 10;
    /// The maximum length in Unicode scalar values.
    pub const MAX_CHARS: usize = 256;
    /// The minimum number of different characters outside of names, common words, years, keyboard rows and
    /// repetitions.
    const MIN_OWN_CHARS: usize = 4;

    /// Validates a new password, against the user's name if known. The time depends only on the length.
    ///
    /// # Errors
    /// [`Code::TooShort`], [`Code::TooLong`], or [`Code::TooWeak`] for a common password or one with little
    /// besides the user's name, common words, years, keyboard rows and repetitions.
    pub fn parse<'n>(text: &str, name: impl Into<Option<&'n UserName>>) -> Result<Self, Invalid> {
        let text = Self::normalize(text);
        let chars = text.chars().count();
        if chars < Self::MIN_CHARS {
            let rule = format!("must have at least {} characters", Self::MIN_CHARS);
            return Err(Invalid::new(Code::TooShort, rule).got(chars));
        }
        if chars > Self::MAX_CHARS {
            return Err(Invalid::new(
                Code::TooLong,
                format!("must have at most {} characters", Self::MAX_CHARS),
            )
            .got(chars));
        }
        if is_common(&text) || own_chars(&text, name.into()) < Self::MIN_OWN_CHARS {
            return Err(Invalid::new(Code::TooWeak, "is one of the common passwords, or too easily guessed"));
        }
        Ok(Self(text.into_owned()))
    }

    /// Normalizes a password, so that different keyboards and systems produce the same text: NFC, and all
    /// spaces as U+0020 (profile `OpaqueString` of RFC 8265).
    #[must_use]
    pub fn normalize(text: &str) -> Cow<'_, str> {
        let is_other_space = |c: char| {
            matches!(
                c,
                '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
            )
        };
        if is_nfc_quick(text.chars()) == IsNormalized::Yes && !text.contains(is_other_space) {
            return Cow::Borrowed(text);
        }
        text.chars().map(|c| if is_other_space(c) { ' ' } else { c }).nfc().collect::<String>().into()
    }

    /// Returns the password, to be hashed.
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

/// Returns whether a password is in the list, ignoring case, accents, digits for letters, and trailing digits
/// or signs.
fn is_common(text: &str) -> bool {
    let is_listed = |text: &str| COMMON.binary_search(&text).is_ok();
    let folded: Vec<char> = fold(text).chars().collect();
    is_listed(&text.to_lowercase())
        || spellings(&folded).iter().any(|spelling| {
            let spelling: String = spelling.iter().collect();
            is_listed(&spelling) || is_listed(spelling.trim_end_matches(|c: char| !c.is_alphabetic()))
        })
}

/// Returns the text as it is and with letters for digits and signs, character by character.
fn spellings(folded: &[char]) -> [Vec<char>; 3] {
    let letters = |one: char| {
        let letter = |c: &char| match c {
            '0' => 'o',
            '1' | '!' => one,
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            c => *c,
        };
        folded.iter().map(letter).collect()
    };
    [folded.to_vec(), letters('i'), letters('l')]
}

/// Counts different characters outside of the user's name, common words, years, keyboard rows and
/// repetitions.
fn own_chars(text: &str, name: Option<&UserName>) -> usize {
    let folded: Vec<char> = fold(text).chars().collect();
    let mut is_own = vec![true; folded.len()];
    let name = name.map(UserName::key).unwrap_or_default();
    let parts = name.split(|c: char| !c.is_alphabetic()).filter(|part| part.chars().count() >= 3);
    let words: Vec<Vec<char>> =
        parts.chain([name.as_str()]).chain(COMMON_WORDS).map(|word| word.chars().collect()).collect();
    for spelling in spellings(&folded) {
        for word in &words {
            take(&mut is_own, word.len(), &spelling, |found| found == word.as_slice());
        }
    }
    take(&mut is_own, 4, &folded, |year| {
        matches!(year, ['1', '9', ..] | ['2', '0', ..]) && year.iter().all(char::is_ascii_digit)
    });
    take(&mut is_own, 3, &folded, |three| is_step(three[0], three[1], three[2]));
    let repeated = (1..=folded.len() / 2).find(|unit| folded[*unit..] == folded[..folded.len() - unit]);
    if repeated.is_some_and(|unit| unit < SHORT_UNIT) {
        return 0;
    }
    is_own[repeated.unwrap_or(folded.len())..].fill(false);
    let own = folded.iter().zip(is_own).filter(|(_, is_own)| *is_own);
    own.map(|(c, _)| c).collect::<HashSet<_>>().len()
}

/// Marks the characters of all recognized parts of a given length.
fn take(is_own: &mut [bool], length: usize, text: &[char], is_known: impl Fn(&[char]) -> bool) {
    if length == 0 {
        return;
    }
    for (start, place) in text.windows(length).enumerate() {
        if is_known(place) {
            is_own[start..start + length].fill(false);
        }
    }
}

/// Returns whether three characters continue a sequence: equal, alphabetic, numeric (up or down) or along a
/// keyboard row.
fn is_step(a: char, b: char, c: char) -> bool {
    let steps = (
        i64::from(u32::from(b)) - i64::from(u32::from(a)),
        i64::from(u32::from(c)) - i64::from(u32::from(b)),
    );
    let in_row = |row: &str| {
        let place = |c: char| row.find(c);
        let (Some(a), Some(b), Some(c)) = (place(a), place(b), place(c)) else { return false };
        (a + 1 == b && b + 1 == c) || (c + 1 == b && b + 1 == a)
    };
    matches!(steps, (0, 0) | (1, 1) | (-1, -1)) || ROWS.iter().any(|row| in_row(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Password, Invalid> {
        Password::parse(text, &UserName::parse("olivia").unwrap())
    }

    #[test]
    fn passwords_have_10_to_256_characters_and_are_not_common() {
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
            "iamthebest",
            "ilovemymom",
            "linkedin123",
            "justinbieb",
            "principessa",
            "1q2w3e4r5t6y7u8i9o0p",
        ] {
            assert!(parse(common).is_err(), "{common}");
        }
        for good in
            ["correct horse battery", "owner-password", "s3cret-editor-pass", "8302917465", "Lärmschutz7"]
        {
            assert!(parse(good).is_ok(), "{good}");
        }
        assert_eq!(format!("{:?}", parse("kX9-vbq2#w").unwrap()), "Password(…)");
    }

    #[test]
    fn every_listed_password_is_refused_also_in_capitals_and_with_a_number() {
        assert!(COMMON.len() > 2_800, "{}", COMMON.len());
        assert!(COMMON.is_sorted());
        for common in COMMON.iter() {
            assert!(parse(common).is_err(), "{common}");
            assert!(parse(&common.to_uppercase()).is_err(), "{common}");
            if common.ends_with(char::is_alphabetic) && common.is_ascii() {
                assert!(parse(&format!("{common}2026!")).is_err(), "{common}");
            }
        }
    }

    #[test]
    fn little_more_than_a_name_a_word_a_year_or_a_row_is_refused() {
        for text in [
            "Olivia2026!",
            "0l1v1a2026!",
            "ólivia-1990-",
            "olivia.olivia",
            "reelshelf1!",
            "R33lsh3lf!!",
            "P@ssw0rd2026",
            "qwertz12345!",
            "asdfghjkl;'",
            "!@#$%^&*()",
            "xk4xk4xk4xk4",
            "aabbaabbaabb",
            "olgaolgaolga",
            "19901991199",
            "winter2026!!",
            "ZYXWVUTSRQ",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("olivia-kX9b").is_ok(), "enough of one's own");
        let pete = UserName::parse("pete.miller").unwrap();
        assert!(Password::parse("Miller2026!", &pete).is_err());
        assert!(Password::parse("a mill by the sea", &pete).is_ok());
    }

    #[test]
    fn a_password_is_the_same_however_it_is_composed() {
        assert_eq!(Password::normalize("gro\u{308}\u{df}e"), "gr\u{f6}\u{df}e");
        assert_eq!(Password::normalize("a\u{a0}b\u{3000}c"), "a b c");
        assert!(matches!(Password::normalize("größe über tapes 7x"), Cow::Borrowed(_)));
        let decomposed = "gro\u{308}\u{df}e u\u{308}ber";
        assert_eq!(parse(decomposed).unwrap().expose(), "größe über");
    }

    #[test]
    fn the_longest_password_is_judged_in_time_that_grows_with_its_length() {
        // Many ambiguous signs: trying all combinations would not end.
        let text: String = "@4(<{[369!1|0$5+7%2z".chars().cycle().take(256).collect();
        assert!(parse(&text).is_ok());
    }
}
