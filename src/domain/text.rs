//! Words of titles and searches.

use std::borrow::Cow;

use unicode_normalization::char::canonical_combining_class;
use unicode_script::{Script, UnicodeScript};

use super::fold::{FRACTION_SLASH, SEPARATOR, fold};

/// The minimum length of both parts when a word is split in two: `starwars` also matches `star wars`.
const PART_CHARS: usize = 3;

/// Returns the search words of a title. A word with signs inside counts as its parts and as a whole: `mash`
/// finds `M*A*S*H`, `avventura` finds `L'Avventura`. `&` and `+` mean `and`. In scripts without spaces a word
/// may begin anywhere. Symbols are words, too, and all signs of a title without letters.
#[must_use]
pub fn title_words(title: &str) -> Vec<String> {
    words_of(&fold(title))
}

/// Returns the search words of a folded title.
pub(super) fn words_of(folded: &str) -> Vec<String> {
    let folded = join_thousands(folded);
    let mut words = Vec::new();
    for chunk in folded.split_whitespace() {
        let parts: Vec<&str> = alphanumeric_runs(chunk).collect();
        if parts.len() > 1 && !holds_numbers_apart(chunk) {
            words.push(parts.concat());
        }
        for part in parts {
            words.extend(beginnings_inside(part).map(str::to_owned));
            words.push(part.to_owned());
        }
    }
    let is_found_under = if words.is_empty() { is_sign } else { is_symbol };
    words.extend(folded.chars().filter(|c| is_found_under(*c)).map(String::from));
    if folded.contains(['&', '+']) {
        words.push("and".to_owned());
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// Returns the words of a search, each a prefix. Signs count only if there is nothing else.
#[must_use]
pub fn query_words(query: &str) -> Vec<String> {
    let mut words = words_in_order(query);
    words.sort_unstable();
    words.dedup();
    words
}

/// Returns alternative spellings with two neighbours joined: `spiderman` for `spider man`.
#[must_use]
pub fn joined_spellings(query: &str) -> Vec<Vec<String>> {
    let words = words_in_order(query);
    let has_letters = |word: &String| word.chars().all(char::is_alphabetic) && word.chars().nth(1).is_some();
    let joined = |first: usize| {
        let mut words = words.clone();
        let second = words.remove(first + 1);
        words[first].push_str(&second);
        words.sort_unstable();
        words.dedup();
        words
    };
    let pairs = (1..words.len()).filter(|second| words[second - 1..=*second].iter().all(has_letters));
    pairs.map(|second| joined(second - 1)).collect()
}

/// Splits a word in two at each possible place: `star` and `wars` for `starwars`.
pub fn parts_of(word: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = word.char_indices().map(|(at, _)| at);
    let is_alphabetic = word.chars().all(char::is_alphabetic);
    let long_enough = |part: &str| part.chars().nth(PART_CHARS - 1).is_some();
    let parts = ends.skip(PART_CHARS).map(|at| word.split_at(at));
    parts.filter(move |(one, other)| is_alphabetic && long_enough(one) && long_enough(other))
}

/// Returns whether a title with these words matches a word of a search: one of them starts with it, or two in
/// sequence are its parts.
#[must_use]
pub fn matches_word(title: &str, words: &[String], typed: &str) -> bool {
    let has = |part: &str| words.iter().any(|word| word == part); // faster than reading the title
    let is_apart = |(one, other)| has(one) && has(other) && are_neighbours(title, one, other);
    words.iter().any(|word| word.starts_with(typed)) || parts_of(typed).any(is_apart)
}

/// Returns whether a title contains two words in sequence.
#[must_use]
pub fn are_neighbours(title: &str, one: &str, other: &str) -> bool {
    let folded = fold(title);
    let folded = join_thousands(&folded);
    let runs: Vec<&str> = alphanumeric_runs(&folded).collect();
    runs.windows(2).any(|pair| pair == [one, other])
}

fn words_in_order(query: &str) -> Vec<String> {
    let folded = fold(query);
    let folded = join_thousands(&folded);
    let words: Vec<String> = alphanumeric_runs(&folded).map(str::to_owned).collect();
    if words.is_empty() { folded.chars().filter(|c| is_sign(*c)).map(String::from).collect() } else { words }
}

/// Returns the runs of letters, digits and their combining marks.
pub(super) fn alphanumeric_runs(text: &str) -> impl Iterator<Item = &str> {
    let in_word = |c: char| c.is_alphanumeric() || c == '\u{ffff}' || canonical_combining_class(c) > 0;
    text.split(move |c: char| !in_word(c)).filter(|run| run.contains(char::is_alphanumeric))
}

/// Returns whether a word has adjacent figures that are not one number, as in 8½ and 10².
fn holds_numbers_apart(chunk: &str) -> bool {
    let parts: Vec<&str> = chunk.split(SEPARATOR).collect();
    let are_figures =
        |pair: &[&str]| pair[0].ends_with(char::is_numeric) && pair[1].starts_with(char::is_numeric);
    chunk.contains(FRACTION_SLASH) || parts.windows(2).any(are_figures)
}

/// Returns the suffixes of a word in scripts that do not separate words.
fn beginnings_inside(word: &str) -> impl Iterator<Item = &str> {
    let is_unseparated = |c: char| {
        matches!(
            c.script(),
            Script::Han
                | Script::Hiragana
                | Script::Katakana
                | Script::Thai
                | Script::Lao
                | Script::Khmer
                | Script::Myanmar
        ) && c.is_alphabetic()
    };
    let inside = if word.is_ascii() { "" } else { word };
    inside.char_indices().skip(1).filter(move |(_, c)| is_unseparated(*c)).map(|(at, _)| &inside[at..])
}

/// Returns whether a character is visible and neither letter nor digit.
fn is_sign(c: char) -> bool {
    !c.is_alphanumeric()
        && !c.is_whitespace()
        && !c.is_control()
        && canonical_combining_class(c) == 0
        && c != SEPARATOR
}

/// Returns whether a sign is a symbol, not ordinary punctuation.
fn is_symbol(c: char) -> bool {
    let is_punctuation = match c {
        '$' | '#' | '@' | '%' | '&' | '+' | '=' | '<' | '>' => false,
        c if c.is_ascii() => true,
        c => matches!(c, '\u{a0}'..='\u{bf}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '・'),
    };
    is_sign(c) && !is_punctuation
}

/// Removes thousands separators: `20,000 leagues` becomes `20000 leagues`.
pub(super) fn join_thousands(text: &str) -> Cow<'_, str> {
    if !text.contains(',') {
        return text.into();
    }
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
    joined.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        assert_eq!(title_words("8½"), ["1", "2", "8"]);
        assert_eq!(title_words("Alien³"), ["3", "alien", "alien3"]);
        assert_eq!(title_words("10,000 BC"), ["10000", "bc"]);
        assert_eq!(title_words("?!"), ["!", "?"]);
    }

    /// Returns whether a search finds a title.
    fn finds(query: &str, title: &str) -> bool {
        let words = title_words(title);
        let found = |word: &String| {
            let apart = || parts_of(word).any(|(one, other)| are_neighbours(title, one, other));
            words.iter().any(|of_title| of_title.starts_with(word.as_str())) || apart()
        };
        std::iter::once(query_words(query))
            .chain(joined_spellings(query))
            .any(|words| words.iter().all(found))
    }

    #[test]
    fn titles_are_found_as_people_type_them() {
        for (query, title) in [
            ("fast and furious", "Fast & Furious"),
            ("fast & furious", "Fast and Furious"),
            ("romeo and juliet", "Romeo + Juliet"),
            ("starwars", "Star Wars"),
            ("spiderman", "Spider Man"),
            ("spider man", "Spiderman"),
            ("spider-man", "Spiderman"),
            ("the spider man returns", "The Spiderman Returns"),
            ("10,000", "10000 BC"),
            ("10000", "10,000 BC"),
            ("神隠し", "千と千尋の神隠し"),
            ("8½", "8½"),
            ("8 1/2", "8½"),
            ("alien3", "Alien³"),
            ("hawaii", "Hawaiʻi"),
            ("3", "٣"),
            ("$", "$9.99"),
            ("🎬", "الرسالة 🎬"),
            ("?", "?"),
            ("फिल्म", "मेरी फिल्म"),
        ] {
            assert!(finds(query, title), "{query} {title}");
        }
        for (query, title) in [
            ("81", "8½"),
            ("12", "8½"),
            ("102", "10²"),
            ("$", "Heat"),
            ("🎬", "Heat"),
            ("?", "What?"),
            ("start", "Star Trek"),
            ("there", "The Remains of the Day"),
            ("starwars", "Star of the Wars"),
        ] {
            assert!(!finds(query, title), "{query} {title}");
        }
    }

    proptest! {
        #[test]
        fn every_word_of_a_title_finds_it(title in "\\PC{1,50}") {
            let words = title_words(&title);
            for word in query_words(&title) {
                prop_assert!(words.contains(&word), "{word} of {title}");
            }
        }
    }
}
