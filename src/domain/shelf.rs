//! Library sort order of titles.

use std::{borrow::Cow, fmt::Write, sync::OnceLock};

use unicode_normalization::UnicodeNormalization;

use super::{
    Code, Invalid,
    fold::{FRACTION_SLASH, SEPARATOR, fold},
    movie::quoted,
    text::{alphanumeric_runs, join_thousands, words_of},
};

/// Articles that are ignored at the beginning of a title, such as `the`. One that ends with an apostrophe or
/// hyphen is joined to the next word, such as `l'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Articles(Vec<String>);

impl Default for Articles {
    fn default() -> Self {
        Self(["the", "a", "an"].map(str::to_owned).into())
    }
}

/// The articles of this process.
static ARTICLES: OnceLock<Articles> = OnceLock::new();

/// Words after which a leading "A" is no article: `A to Z`, `A Is for Acid`.
const AFTER_LETTER_A: [&str; 7] = ["to", "is", "for", "and", "or", "as", "vs"];

/// Marks the decimals of a fraction in sort keys. It sorts behind letters, so 8½ comes after `8mm`.
const DECIMALS: char = '\u{ffff}';

impl Articles {
    /// Parses a comma-separated list of words; `none` is the empty list.
    ///
    /// # Errors
    /// [`Code::Malformed`] for anything that is not a word.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(Self(Vec::new()));
        }
        let word = |word: &str| {
            let plain = normalized(word.trim());
            let letters = plain.strip_suffix(['\'', '-']).unwrap_or(&plain);
            if letters.is_empty() || !letters.chars().all(char::is_alphabetic) {
                let rule = "must be articles with commas between them, such as the,a,an,l', or none";
                return Err(Invalid::new(Code::Malformed, rule).got(quoted(word)));
            }
            Ok(plain)
        };
        text.split(',').map(word).collect::<Result<_, _>>().map(Self)
    }

    /// Sets the articles of this process, unless they are set already.
    pub fn install(self) {
        let _ = ARTICLES.set(self);
    }

    fn installed() -> &'static Self {
        ARTICLES.get_or_init(Self::default)
    }

    /// Returns the title without its leading article. The article must be a whole word with a space behind
    /// it.
    fn strip<'t>(&self, title: &'t str, accents: Accents) -> Option<&'t str> {
        let title = &title[title.find(has_letters)?..];
        let word = title.split(char::is_whitespace).next().unwrap_or_default();
        let first = if accents == Accents::Count { normalized(word) } else { normalized(&fold(word)) };
        for article in &self.0 {
            let article = match accents {
                Accents::Count => Cow::Borrowed(article.as_str()),
                Accents::Aside => fold(article).into(),
            };
            let rest = if article.ends_with(['\'', '-']) {
                let end = first.starts_with(&*article).then(|| word.find(['\'', '’', '-'])).flatten();
                end.and_then(|end| title[end..].char_indices().nth(1).map(|(next, _)| &title[end + next..]))
            } else {
                (first == article).then(|| &title[word.len()..])
            };
            let Some(rest) = rest else { continue };
            let is_letter = || {
                let next = fold(rest.split_whitespace().next().unwrap_or_default());
                article == "a" && AFTER_LETTER_A.contains(&next.as_str())
            };
            // Folding may remove all of an accented letter.
            return (fold(rest).contains(char::is_alphanumeric) && !is_letter()).then_some(rest);
        }
        None
    }
}

/// Returns whether letters or digits remain of a character when it is folded: of `㎏`, but not of an accent.
fn has_letters(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric()
    } else {
        fold(c.encode_utf8(&mut [0; 4])).contains(char::is_alphanumeric)
    }
}

/// Whether accents of an article count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Accents {
    Count,
    Aside,
}

/// Normalizes a word for the comparison with articles. Accents count: French `à` is not an article.
fn normalized(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    word.nfkc().map(|c| if c == '’' { '\'' } else { c }).collect::<String>().to_lowercase()
}

/// Returns the sort key of a title. It ignores case, accents, punctuation and a leading article (The, A, An
/// by default). Numbers sort by value, before letters.
#[must_use]
pub fn sort_key(title: &str) -> String {
    key_of(&fold(Articles::installed().strip(title, Accents::Count).unwrap_or(title)))
}

/// Returns the sort key of a title and its search words.
#[must_use]
pub fn sort_key_and_words(title: &str) -> (String, Vec<String>) {
    let folded = fold(title);
    let words = words_of(&folded);
    match Articles::installed().strip(title, Accents::Count) {
        Some(rest) => (key_of(&fold(rest)), words),
        None => (key_of(&folded), words),
    }
}

/// Returns the keys of all titles that differ only in case and accents: for `A bout` also that of `À bout`.
#[must_use]
pub fn sort_keys_of_same(title: &str) -> Vec<String> {
    let folded = fold(title);
    let mut keys = vec![key_of(&folded)];
    let without_article = Articles::installed().strip(&folded, Accents::Aside);
    keys.extend(without_article.map(|rest| key_of(&fold(rest))).filter(|key| *key != keys[0]));
    keys
}

/// Returns the key of a folded title without its article.
fn key_of(folded: &str) -> String {
    let joined = join_thousands(folded);
    let decimal = with_decimals(&joined);
    let mut key = String::with_capacity(folded.len() + 4);
    for word in alphanumeric_runs(&decimal) {
        if !key.is_empty() {
            key.push(' ');
        }
        push_with_numbers_by_value(&mut key, word);
    }
    if key.is_empty() { folded.to_owned() } else { key } // a title of signs only sorts by its signs
}

/// Writes fractions as decimals: `8½` and `8 1/2` as 8.5.
fn with_decimals(text: &str) -> Cow<'_, str> {
    if !text.contains([FRACTION_SLASH, '/']) {
        return text.into();
    }
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // A number behind a slash is part of a date.
        if !written.ends_with('/')
            && let Some((whole, decimals, behind)) = mixed_number(rest)
        {
            let _ = write!(written, "{whole}{DECIMALS}{decimals}");
            rest = behind;
            continue;
        }
        let digits = digits_of(rest).len();
        let (before, behind) = rest.split_at(digits.max(first.len_utf8()));
        written.push_str(before);
        rest = behind;
    }
    written.into()
}

/// Splits a leading mixed number into whole number, decimals and rest.
fn mixed_number(text: &str) -> Option<(&str, String, &str)> {
    let first = digits_of(text);
    if first.is_empty() {
        return None;
    }
    let behind = &text[first.len()..];
    if let Some((decimals, rest)) = fraction(first, behind) {
        return Some(("0", decimals, rest));
    }
    let behind = behind.strip_prefix([SEPARATOR, ' ', '-'])?;
    let numerator = digits_of(behind);
    let (decimals, rest) = fraction(numerator, &behind[numerator.len()..])?;
    Some((first, decimals, rest))
}

/// Returns the decimals of a fraction, given its numerator. With an ordinary slash, which dates also have, it
/// must be a proper fraction of small numbers.
fn fraction<'t>(numerator: &str, behind: &'t str) -> Option<(String, &'t str)> {
    let slash = behind.chars().next().filter(|slash| matches!(*slash, FRACTION_SLASH | '/'))?;
    let behind = &behind[slash.len_utf8()..];
    let denominator = digits_of(behind);
    let rest = &behind[denominator.len()..];
    let (above, below): (u64, u64) = (numerator.parse().ok()?, denominator.parse().ok()?);
    let is_proper = above < below && below <= 1000;
    if !is_proper || slash == '/' && (below > 10 || rest.starts_with('/')) {
        return None;
    }
    let decimals = format!("{:04}", above * 10_000 / below);
    Some((decimals.trim_end_matches('0').to_owned(), rest))
}

fn digits_of(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

/// Writes each run of digits without leading zeros, preceded by its length (two digits), so that byte order
/// equals numeric order. A title has at most 50 digits.
fn push_with_numbers_by_value(key: &mut String, word: &str) {
    let mut rest = word;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = digits_of(from).len();
        let digits = from[..end].trim_start_matches('0');
        key.push_str(before);
        let _ = write!(key, "{:02}{digits}", digits.len());
        rest = &from[end..];
        if let Some(decimals) = rest.strip_prefix(DECIMALS) {
            let end = DECIMALS.len_utf8() + digits_of(decimals).len();
            key.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    key.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted<const N: usize>(mut titles: [&str; N]) -> [&str; N] {
        titles.sort_by_key(|title| sort_key(title));
        titles
    }

    #[test]
    fn titles_stand_as_on_a_librarys_shelf() {
        let shelf = [
            "2 Fast 2 Furious",
            "007: Dr. No",
            "8",
            "8mm",
            "8½",
            "9",
            "10 Things I Hate About You",
            "12 Angry Men",
            "101 Dalmatians",
            "2001: A Space Odyssey",
            "20,000 Leagues Under the Sea",
            "A",
            "À bout de souffle",
            "A.I. Love",
            "A* P* E*",
            "A-Team",
            "A to Z",
            "Alien",
            "Alien 2",
            "Alien³",
            "Alien 10",
            "Amélie",
            "An American in Paris",
            "…And Justice for All",
            "The Apartment",
            "A Bug's Life",
            "Les Misérables",
            "The Matrix",
            "The",
            "Thé au harem",
            "Theatre of Blood",
            "Zodiac",
        ];
        let mut reversed = shelf;
        reversed.reverse();
        assert_eq!(sorted(reversed), shelf);
    }

    #[test]
    fn an_article_is_a_whole_word_with_a_title_behind_it() {
        for (title, key) in [
            ("The Heat", "heat"),
            ("the  heat", "heat"),
            ("\"The Heat\"", "heat"),
            ("Ｔｈｅ Heat", "heat"),
            ("The…", "the"),
            ("The-Heat", "the heat"),
            ("The, Heat", "the heat"),
            ("'A' Gai Wak", "a gai wak"),
            ("A Is for Acid", "a is for acid"),
            ("Á volta", "a volta"),
            ("Ä Heat", "a heat"),
            ("Die Hard", "die hard"),
        ] {
            assert_eq!(sort_key(title), key, "{title}");
        }
    }

    #[test]
    fn articles_can_be_chosen() {
        let french = Articles::parse("le, la ,LES,L’,al-").unwrap();
        let of = |title| french.strip(title, Accents::Count);
        assert_eq!(of("Le Mépris"), Some(" Mépris"));
        assert_eq!(of("L’Avventura"), Some("Avventura"));
        assert_eq!(of("l'Avventura"), Some("Avventura"));
        assert_eq!(of("Al-Risala"), Some("Risala"));
        for title in ["The Heat", "Lézard", "Laputa", "L Avventura", "L'", "Le"] {
            assert_eq!(of(title), None, "{title}");
        }
        assert_eq!(Articles::parse("none"), Ok(Articles(Vec::new())));
        for bad in ["", "the,", "the an", "1", "'"] {
            assert!(Articles::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fractions_sort_by_value() {
        let shelf =
            ["½", "1", "8", "8⅓", "8½", "8¾", "9", "9 1/2 Weeks", "10", "33⅓", "34", "71", "81", "82"];
        let mut reversed = shelf;
        reversed.reverse();
        assert_eq!(sorted(reversed), shelf);
        assert_eq!(sort_key("9½ Weeks"), sort_key("9 1/2 Weeks"));
        assert_eq!(sort_key("8-1/2"), sort_key("8½"));
        for date in ["9/11", "24/7", "1/2/3", "11/22/63"] {
            assert!(!sort_key(date).contains(DECIMALS), "{date}");
        }
        assert_eq!(sorted(["١٠", "٣", "٢"]), ["٢", "٣", "١٠"]);
    }

    #[test]
    fn an_article_before_an_accent_alone_counts() {
        for title in ["a \u{1abf}", "The \u{363}"] {
            assert!(sort_keys_of_same(title).contains(&sort_key(title)), "{title}");
        }
    }

    #[test]
    fn an_article_behind_a_symbol_counts_if_the_symbol_is_written_with_letters() {
        for (title, key) in
            [("㎏ The Heat", "kg the heat"), ("№ A Heat", "no a heat"), ("☃ The Heat", "heat")]
        {
            assert_eq!(sort_key(title), key);
        }
        for symbol in ('\u{80}'..='\u{33ff}').chain('\u{1f100}'..='\u{1f2ff}') {
            let title = format!("{symbol} The Heat");
            assert!(sort_keys_of_same(&title).contains(&sort_key(&title)), "{title}");
        }
    }

    proptest! {
        /// A chosen article is found in the folded title, too, by which duplicates are found.
        #[test]
        fn a_chosen_article_is_found_in_spite_of_accents_and_signs(
            article in prop::sample::select(&["Le ", "L'", "l’", "Ｌ’", "“L’", "Al-", "LES\u{a0}"][..]),
            title in "\\PC{1,20}",
        ) {
            let articles = Articles::parse("le,les,l',al-").unwrap();
            let title = format!("{article}{title}");
            if let Some(rest) = articles.strip(&title, Accents::Count) {
                let folded = fold(&title);
                let same = articles.strip(&folded, Accents::Aside).map(|rest| key_of(&fold(rest)));
                prop_assert_eq!(same, Some(key_of(&fold(rest))), "{}", title);
            }
        }

        #[test]
        fn numbers_sort_by_value(a in 0u64..100_000, b in 0u64..100_000) {
            prop_assert_eq!(sort_key(&a.to_string()).cmp(&sort_key(&b.to_string())), a.cmp(&b));
        }

        /// Titles that differ only in case and accents share at least one key.
        #[test]
        fn titles_that_fold_alike_have_one_of_the_keys(
            article in prop::sample::select(&["", "a ", "à ", "The ", "thé ", "An ", "a.", "“A "][..]),
            title in "\\PC{1,20}",
        ) {
            let title = format!("{article}{title}");
            prop_assert!(sort_keys_of_same(&title).contains(&sort_key(&title)), "{}", title);
            prop_assert!(sort_keys_of_same(&fold(&title)).contains(&sort_key(&title)), "{}", title);
        }
    }
}
