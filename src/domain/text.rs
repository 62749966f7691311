//! Folding of titles: keys under which both databases order and find them alike, byte by byte.

use std::fmt::Write;

use caseless::Caseless;
use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

/// Text with case and accents put aside: compatibility decomposition without its accents, full case
/// folding, and the letters whose stroke or ligature Unicode does not decompose.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase(); // the same, much sooner
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_accent(*c)).default_case_fold().nfkd() {
        match c {
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ŧ' => folded.push('t'),
            'ı' => folded.push('i'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            c if is_accent(c) => {} // folding can bring marks of its own: İ becomes i and a dot above
            c => folded.push(c),
        }
    }
    folded.nfc().collect()
}

/// Whether a mark only accents the letter before it. Classes below 10 make other letters of it: the
/// voicing of kana, the nukta and the virama of Indian scripts.
fn is_accent(c: char) -> bool {
    canonical_combining_class(c) >= 10
}

/// The place of a title on a library's shelf: case, accents and punctuation do not count, a leading
/// article (The, A, An) neither, and numbers sort by value, before letters.
#[must_use]
pub fn sort_key(title: &str) -> String {
    let folded = join_thousands(&fold(title));
    let mut words: Vec<&str> = alphanumeric_runs(&folded).collect();
    if words.len() > 1 && matches!(words[0], "the" | "a" | "an") {
        words.remove(0);
    }
    if words.is_empty() {
        return folded; // a title of signs alone stands under its signs
    }
    let mut key = String::with_capacity(folded.len() + 4);
    for word in words {
        if !key.is_empty() {
            key.push(' ');
        }
        push_with_numbers_by_value(&mut key, word);
    }
    key
}

/// The words under which a title is found. A word written with signs inside counts in its parts and
/// as a whole: `M*A*S*H` is found by `mash`, `L'Avventura` by `avventura`.
#[must_use]
pub fn title_words(title: &str) -> Vec<String> {
    let mut words = Vec::new();
    for chunk in fold(title).split_whitespace() {
        let parts: Vec<&str> = alphanumeric_runs(chunk).collect();
        if parts.len() > 1 {
            words.push(parts.concat());
        }
        words.extend(parts.into_iter().map(str::to_owned));
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// The words of a search, each to be the beginning of a word of the title.
#[must_use]
pub fn query_words(query: &str) -> Vec<String> {
    let folded = fold(query);
    let mut words: Vec<String> = alphanumeric_runs(&folded).map(str::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn alphanumeric_runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty())
}

/// `20,000 leagues` becomes `20000 leagues`: a comma between groups of three digits is no end of a number.
fn join_thousands(text: &str) -> String {
    let bytes = text.as_bytes();
    let digits_from = |at: usize| bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut joined = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let lead = digits_from(at);
        if lead == 0 {
            let end = bytes[at..].iter().position(u8::is_ascii_digit).map_or(bytes.len(), |n| at + n);
            joined.push_str(&text[at..end]);
            at = end;
            continue;
        }
        joined.push_str(&text[at..at + lead]);
        at += lead;
        if lead <= 3 {
            while bytes.get(at) == Some(&b',') && digits_from(at + 1) == 3 {
                joined.push_str(&text[at + 1..at + 4]);
                at += 4;
            }
        }
    }
    joined
}

/// Writes each run of digits without leading zeros and with their count (two digits) before it, so
/// that comparing bytes compares values. A title has at most 50 characters, and so have its numbers.
fn push_with_numbers_by_value(key: &mut String, word: &str) {
    let mut rest = word;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let digits = from[..end].trim_start_matches('0');
        key.push_str(before);
        let _ = write!(key, "{:02}{digits}", digits.len());
        rest = &from[end..];
    }
    key.push_str(rest);
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
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn titles_stand_as_on_a_librarys_shelf() {
        let shelf = [
            "…And Justice for All",
            "2 Fast 2 Furious",
            "007: Dr. No",
            "8½",
            "10 Things I Hate About You",
            "12 Angry Men",
            "101 Dalmatians",
            "2001: A Space Odyssey",
            "20,000 Leagues Under the Sea",
            "A",
            "Alien",
            "Alien 2",
            "Alien 10",
            "Amélie",
            "An American in Paris",
            "The Apartment",
            "A Bug's Life",
            "Les Misérables",
            "The Matrix",
            "The",
            "Theatre of Blood",
            "Zodiac",
        ];
        let mut sorted = shelf;
        sorted.sort_by_key(|title| sort_key(title));
        // A title that opens with a sign stands under its first word; 8½ counts as 81⁄2.
        let expected = [
            "2 Fast 2 Furious",
            "007: Dr. No",
            "10 Things I Hate About You",
            "12 Angry Men",
            "8½",
            "101 Dalmatians",
            "2001: A Space Odyssey",
            "20,000 Leagues Under the Sea",
            "A",
            "Alien",
            "Alien 2",
            "Alien 10",
            "Amélie",
            "An American in Paris",
            "…And Justice for All",
            "The Apartment",
            "A Bug's Life",
            "Les Misérables",
            "The Matrix",
            "The",
            "Theatre of Blood",
            "Zodiac",
        ];
        assert_eq!(sorted, expected);
    }

    #[test]
    fn only_whole_groups_of_three_digits_are_thousands() {
        assert_eq!(
            join_thousands("10,000 b.c. 1,2,3 1,2345 1234,567 1,234,567"),
            "10000 b.c. 1,2,3 1,2345 1234,567 1234567"
        );
    }

    #[test]
    fn words_with_signs_inside_count_in_parts_and_whole() {
        assert_eq!(title_words("M*A*S*H"), ["a", "h", "m", "mash", "s"]);
        assert_eq!(title_words("L'Avventura"), ["avventura", "l", "lavventura"]);
        assert_eq!(title_words("Spider-Man: No Way"), ["man", "no", "spider", "spiderman", "way"]);
        assert!(title_words("?!").is_empty());
    }

    proptest! {
        #[test]
        fn every_word_of_a_title_finds_it(title in "\\PC{1,50}") {
            let words = title_words(&title);
            for word in query_words(&title) {
                prop_assert!(words.contains(&word), "{word} of {title}");
            }
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,50}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }

        #[test]
        fn plain_text_is_folded_like_any_other(text in "[ -~]{0,50}") {
            prop_assert_eq!(fold(&text) + " e", fold(&format!("{text} é")));
        }

        #[test]
        fn numbers_sort_by_value(a in 0u64..100_000, b in 0u64..100_000) {
            prop_assert_eq!(sort_key(&a.to_string()).cmp(&sort_key(&b.to_string())), a.cmp(&b));
        }
    }
}
