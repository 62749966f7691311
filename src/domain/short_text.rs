//! Reads short texts: titles and names.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::{Code, Invalid, fold::is_invisible};

/// Returns whether a letter or symbol is drawn as a blank: Hangul fillers, the empty Braille pattern.
const fn is_blank_letter(c: char) -> bool {
    matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}')
}

/// Returns whether a character separates lines, or overrides the direction of the text behind it, so that it reads
/// differently than it is stored. Marks, embeddings, isolates and joiners are no such characters: texts in Hebrew,
/// Arabic, Persian or Hindi need them.
pub(crate) const fn reorders(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202d}' | '\u{202e}')
}

/// Normalizes a short text (NFC, trimmed) and checks its length in Unicode scalar values. It must have a visible
/// character, and nothing that [`reorders`] it.
pub(super) fn parse_short_text(text: &str, max_chars: usize) -> Result<String, Invalid> {
    let text = parse_stored_text(text, max_chars)?;
    if let Some(disorder) = text.chars().find(|c| reorders(*c)) {
        let rule = "must not contain line separators or overrides of the direction";
        return Err(Invalid::new(Code::Malformed, rule).got(format_args!("U+{:04X}", u32::from(disorder))));
    }
    if text.chars().all(|c| c.is_whitespace() || is_invisible(c) || is_blank_letter(c)) {
        return Err(Invalid::new(Code::Empty, "must have a visible character"));
    }
    Ok(text)
}

/// Does the same, but accepts what only version 0.1.0 accepted: no visible character, and what [`reorders`].
pub(super) fn parse_stored_text(text: &str, max_chars: usize) -> Result<String, Invalid> {
    let text = if is_nfc(text) { Cow::Borrowed(text) } else { text.nfc().collect() };
    let text = text.trim();
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(Invalid::new(Code::Malformed, "must not contain control characters")
            .got(format_args!("U+{:04X}", u32::from(control))));
    }
    match text.chars().count() {
        0 => Err(Invalid::new(Code::Empty, "must not be empty")),
        n if n > max_chars => {
            Err(Invalid::new(Code::TooLong, format!("must have at most {max_chars} characters")).got(n))
        }
        _ => Ok(text.to_owned()),
    }
}

/// Implements deserialization from text.
macro_rules! read_as_text {
    ($($name:ident::$parse:ident),+) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::$parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

pub(super) use read_as_text;
