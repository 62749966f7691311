//! Folding of text, to ignore case and accents.

use caseless::Caseless;
use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

/// Separates a superscript, subscript or enclosed character from the one before: 8½ becomes 8 and ½, not
/// 81⁄2.
pub(super) const SEPARATOR: char = '\u{2064}';
/// The slash of a fraction in Unicode's decomposition.
pub(super) const FRACTION_SLASH: char = '\u{2044}';

/// Folds text: compatibility decomposition without accents, full case folding, digits of every script as 0 to
/// 9. Letters with a stroke or ligature that Unicode does not decompose are replaced, too.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase(); // the same result, much faster
    }
    let separated = separate(text);
    let mut folded = String::with_capacity(separated.len());
    let mut base = ' ';
    let without_accents = separated.nfkd().filter(|c| !is_accent_after(&mut base, *c));
    let mut folded_base = ' ';
    for c in without_accents.default_case_fold().nfkd() {
        // Folding and decomposition can add marks: İ becomes i and a combining dot above.
        if is_accent_after(&mut folded_base, c) || is_ignored(c) {
            continue;
        }
        match plain_letters(c) {
            Some(letters) => folded.push_str(letters),
            None if is_apostrophe(c) => folded.push('\''),
            None => folded.push(decimal_digit(c).unwrap_or(c)),
        }
    }
    folded.nfc().collect()
}

/// Separates small and enclosed characters from their neighbours, and removes invisible ones.
fn separate(text: &str) -> String {
    let mut separated = String::with_capacity(text.len());
    let mut shown = text.chars().filter(|c| !is_ignored(*c)).peekable();
    while let Some(c) = shown.next() {
        let base = separated.chars().rev().find(|c| canonical_combining_class(*c) == 0);
        let before = base.is_some_and(|before| match c {
            '₀'..='₉' => before.is_numeric(), // H₂O is one word
            _ => before.is_alphanumeric(),
        });
        let (is_apart, is_apart_behind) = match c {
            '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉' => (true, false),
            '¼'..='¾' | '⅐'..='⅞' | '↉' | '①'..='⒛' | '⓪'..='⓿' | 'Ⅰ'..='ⅿ' | '㉑'..='㉟' | '㊱'..='㊿' => {
                (true, true)
            }
            _ => (false, false),
        };
        if is_apart && before {
            separated.push(SEPARATOR);
        }
        separated.push(if is_apostrophe(c) { '\'' } else { c });
        let goes_on = |next: &char| next.is_alphanumeric() && !matches!(next, '¼'..='¾' | '⅐'..='⅞');
        if is_apart_behind && shown.peek().is_some_and(goes_on) {
            separated.push(SEPARATOR);
        }
    }
    separated
}

/// Returns whether a character is ignored: invisible ones, trademark signs, and the tatweel that only
/// lengthens a word.
fn is_ignored(c: char) -> bool {
    matches!(c, '™' | '℠' | '\u{640}') || (c != SEPARATOR && is_invisible(c))
}

/// Returns whether a character is drawn as nothing: joiners, direction marks, variation selectors.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns whether a letter is written like an apostrophe: `Hawaiʻi`.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\u{2b9}'..='\u{2bf}' | '\u{2c8}' | '\u{2cb}' | '\u{2ee}')
}

/// Returns whether a mark is an accent of the letter before it; remembers that letter in `base`.
fn is_accent_after(base: &mut char, c: char) -> bool {
    // Combining classes below 10 make another letter: the voicing of kana, nukta and virama of Indian
    // scripts.
    if canonical_combining_class(c) < 10 {
        *base = c;
        return false;
    }
    match c {
        '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' => match *base {
            // й, ї, ў, ѓ and ќ are separate letters. Stress marks are optional, and so is ё in most texts.
            'г' | 'к' | 'Г' | 'К' => false,
            '\u{400}'..='\u{52f}' | '\u{a640}'..='\u{a69f}' => {
                matches!(c, '\u{300}' | '\u{301}') || c == '\u{308}' && matches!(*base, 'е' | 'Е')
            }
            _ => true,
        },
        // Hamza and madda make another letter, except of alef, which most people write without them.
        '\u{653}'..='\u{655}' => *base == 'ا',
        // Vowel marks that are usually omitted in Hebrew, Arabic and Syriac, and Vedic accents.
        '\u{591}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}'
        | '\u{670}'
        | '\u{6d6}'..='\u{6ed}'
        | '\u{730}'..='\u{74a}'
        | '\u{8d3}'..='\u{8ff}'
        | '\u{951}'..='\u{954}'
        | '\u{1cd0}'..='\u{1cff}' => true,
        // Tones and vowels of Thai, Lao, Tibetan and others distinguish words.
        _ => false,
    }
}

/// Returns the plain letters for a folded letter that Unicode does not decompose.
const fn plain_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ø' | 'ɔ' => "o",
        'ł' | 'ƚ' => "l",
        'đ' | 'ð' | 'ɖ' | 'ɗ' => "d",
        'ħ' => "h",
        'ŧ' | 'ƭ' => "t",
        'ı' | 'ɨ' => "i",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ƀ' | 'ɓ' => "b",
        'ƒ' => "f",
        'ǥ' | 'ɠ' => "g",
        'ƙ' => "k",
        'ŋ' | 'ɲ' => "n",
        'ʉ' => "u",
        'ƶ' => "z",
        'ə' | 'ɛ' => "e",
        _ => return None,
    })
}

/// The digit zero of each script with its own digits; the other nine digits follow it.
const ZEROS: [u32; 59] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136,
    0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50,
    0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// Converts a digit of any script to 0 to 9.
fn decimal_digit(c: char) -> Option<char> {
    let code = u32::from(c);
    let script = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    char::from_digit(code - ZEROS[script], 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folding_puts_case_and_accents_aside() {
        for (text, folded) in [
            ("Amélie", "amelie"),
            ("Ame\u{301}lie", "amelie"),
            ("ÅNGSTRÖM", "angstrom"),
            ("Straße", "strasse"),
            ("Ødipus Æon Łódź", "odipus aeon lodz"),
            ("İstanbul", "istanbul"),
            ("ＦＵＬＬ", "full"),
            ("Σίσυφος", "σισυφοσ"),
            ("الرسالة", "الرسالة"),
            ("がか 한글", "がか 한글"),
            ("Toys™ soft\u{ad}ly", "toys softly"),
            ("Hawaiʻi", "hawai'i"),
            ("Ёлки", "елки"),
            ("за́мок", "замок"),
            ("أحمد آدم", "احمد ادم"),
            ("שָׁלוֹם", "שלום"),
            ("٣ ۳ ३ ๓ ３ 𝟛", "3 3 3 3 3 3"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn marks_that_make_another_letter_stay() {
        for (one, other) in [
            ("น้ำ", "นำ"),
            ("Кай", "Каи"),
            ("їх", "іх"),
            ("ў", "у"),
            ("ќ", "к"),
            ("が", "か"),
            ("ؤ", "و"),
            ("ກໍ່", "ກໍ"),
            ("ดี", "ดิ"),
        ] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn small_and_enclosed_figures_do_not_become_part_of_what_is_before_them() {
        for (one, other) in
            [("8½", "81/2"), ("8½", "812"), ("Alien³", "Alien3"), ("10²", "102"), ("2①", "21"), ("AⅣ", "AIV")]
        {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
        assert_eq!(fold("e\u{301}½"), fold("é½"));
        assert_eq!(fold("Rocky Ⅳ"), fold("Rocky IV"));
        assert_eq!(fold("H₂O"), "h2o");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,50}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }

        #[test]
        fn plain_text_is_folded_like_any_other(text in "[ -~]{0,50}") {
            prop_assert_eq!(fold(&text) + " e", fold(&format!("{text} é")));
        }
    }
}
