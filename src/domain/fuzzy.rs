//! Fuzzy search: how many typing errors are allowed, and how a match is scored.
//!
//! An error is an inserted, missing or replaced letter, or two swapped neighbours (optimal string alignment
//! distance). As in every search, a term may be a prefix of a word.

use std::{
    ops::{Add, RangeInclusive},
    sync::LazyLock,
};

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder};

use super::title_words;

/// The lengths of terms that allow one error, in letters.
const ONE_ERROR: RangeInclusive<usize> = 4..=7;
/// The lengths of terms that allow two errors, in letters. No title has longer words.
const TWO_ERRORS: RangeInclusive<usize> = 8..=52;

/// A term of a fuzzy search.
pub struct FuzzyTerm {
    word: String,
    /// The number of errors that are allowed.
    errors: usize,
    /// The Levenshtein automaton of prefixes; `None` if no error is allowed.
    automaton: Option<DFA>,
}

impl FuzzyTerm {
    /// Creates a term from a folded word.
    #[must_use]
    pub fn new(word: &str) -> Self {
        Self::with_at_most(Self::allowed_errors(word), word)
    }

    /// Returns the number of errors that a folded word allows. Short words and numbers allow none: 1989 must not
    /// match 1999.
    #[must_use]
    pub fn allowed_errors(word: &str) -> usize {
        match word.chars().count() {
            _ if word.chars().all(char::is_numeric) => 0,
            letters if ONE_ERROR.contains(&letters) => 1,
            letters if TWO_ERRORS.contains(&letters) => 2,
            _ => 0,
        }
    }

    /// Creates a term that allows at most `errors` of the errors that the folded word allows.
    #[must_use]
    pub fn with_at_most(errors: usize, word: &str) -> Self {
        static ONE: LazyLock<LevenshteinAutomatonBuilder> =
            LazyLock::new(|| LevenshteinAutomatonBuilder::new(1, true));
        static TWO: LazyLock<LevenshteinAutomatonBuilder> =
            LazyLock::new(|| LevenshteinAutomatonBuilder::new(2, true));

        let errors = errors.min(Self::allowed_errors(word));
        let automaton = match errors {
            0 => None,
            1 => Some(ONE.build_dfa(word)),
            _ => Some(TWO.build_dfa(word)),
        };
        Self { word: word.to_owned(), errors, automaton }
    }

    /// Returns the folded term.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.word
    }

    /// Returns the automaton that accepts near prefixes; `None` if no error is allowed.
    #[must_use]
    pub const fn automaton(&self) -> Option<&DFA> {
        self.automaton.as_ref()
    }

    /// Returns the number of errors that are allowed.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// Scores a folded word of a title. Returns `None` if it has too many errors.
    #[must_use]
    pub fn fuzzy_score(&self, word: &str) -> Option<FuzzyScore> {
        let (least, of_all) = match &self.automaton {
            None => (word.starts_with(&self.word).then_some(0), (word == self.word).then_some(0)),
            Some(dfa) => (beginnings(dfa, word).flatten().min(), beginnings(dfa, word).last().flatten()),
        };
        Some(FuzzyScore { errors: least?, beginnings: usize::from(of_all != least) })
    }
}

/// Returns the errors of each prefix of a word, byte by byte, if they are allowed.
fn beginnings(dfa: &DFA, word: &str) -> impl Iterator<Item = Option<usize>> {
    let states = word.bytes().scan(dfa.initial_state(), |state, byte| {
        *state = dfa.transition(*state, byte);
        Some(*state)
    });
    // Within a multi-byte letter there is no exact distance.
    states.map(|state| match dfa.distance(state) {
        Distance::Exact(errors) => Some(errors.into()),
        Distance::AtLeast(_) => None,
    })
}

/// The score of a match; lower is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FuzzyScore {
    /// The errors of all terms.
    pub errors: usize,
    /// The number of terms that match only a prefix of a word.
    pub beginnings: usize,
}

impl Add for FuzzyScore {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { errors: self.errors + other.errors, beginnings: self.beginnings + other.beginnings }
    }
}

/// Scores a title: each term counts with its best word. Returns `None` if a term matches no word.
#[must_use]
pub fn fuzzy_score(search: &[FuzzyTerm], title: &str) -> Option<FuzzyScore> {
    let words = title_words(title);
    search.iter().try_fold(FuzzyScore::default(), |sum, typed| {
        Some(sum + words.iter().filter_map(|word| typed.fuzzy_score(word)).min()?)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns errors and prefixes of a search with one term, in a title of one word.
    fn score(typed: &str, word: &str) -> Option<(usize, usize)> {
        let score = FuzzyTerm::new(typed).fuzzy_score(word)?;
        Some((score.errors, score.beginnings))
    }

    #[test]
    fn each_kind_of_error_counts_once() {
        for (typed, word) in [
            ("matrxi", "matrix"),
            ("matrix", "matric"),
            ("matrx", "matrix"),
            ("matriix", "matrix"),
            ("xmatrix", "matrix"),
            ("amtrix", "matrix"),
            ("σκιαα", "σκια"),
        ] {
            assert_eq!(score(typed, word), Some((1, 0)), "{typed} for {word}");
        }
        assert_eq!(score("matrix", "matrix"), Some((0, 0)));
        assert_eq!(score("matr", "matrix"), Some((0, 1)));
        assert_eq!(score("matrx", "matrixes"), Some((1, 1)));
        assert_eq!(score("teminaotr", "terminator"), Some((2, 0)));
    }

    #[test]
    fn longer_words_are_forgiven_more() {
        for (typed, word, found) in [
            ("hat", "heat", false),
            ("haet", "heat", true),
            ("haetx", "heat", false),
            ("matirx", "matrix", true),
            ("teminat", "terminat", true),
            ("temniat", "terminat", false),
            ("temniato", "terminato", true),
            ("temniatro", "terminator", false),
            ("éïöü", "éïoü", true),
            ("éïö", "éïo", false),
        ] {
            assert_eq!(score(typed, word).is_some(), found, "{typed} for {word}");
        }
        let long = "x".repeat(52);
        assert_eq!(score(&long, &long[2..]), Some((2, 0)));
        assert_eq!(score(&format!("{long}x"), &long), None);
    }

    #[test]
    fn numbers_are_not_forgiven() {
        assert_eq!(score("1999", "1989"), None);
        assert_eq!(score("1999", "19999"), Some((0, 1)));
        assert_eq!(score("20000000", "2000000"), None);
        assert_eq!(score("١٩٩٩", "١٩٨٩"), None);
        assert_eq!(score("se7en", "seven"), Some((1, 0)));
    }

    #[test]
    fn a_title_is_as_near_as_its_nearest_words() {
        let of = |search: &str, title| {
            let typed: Vec<FuzzyTerm> = search.split(' ').map(FuzzyTerm::new).collect();
            fuzzy_score(&typed, title).map(|score| (score.errors, score.beginnings))
        };
        assert_eq!(of("matrx", "The Matrix Reloaded"), Some((1, 0)));
        assert_eq!(of("the matrx reloded", "The Matrix Reloaded"), Some((2, 0)));
        assert_eq!(of("th matrx relod", "The Matrix Reloaded"), Some((2, 2)));
        assert_eq!(of("teh matrix", "The Matrix"), None);
        assert_eq!(of("spidreman", "Spider-Man"), Some((1, 0)));
        assert_eq!(of("matrix", "Matric Matrixes"), Some((0, 1)));
    }

    /// Computes the optimal string alignment distance by definition.
    fn errors(one: &[char], other: &[char]) -> usize {
        let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
        for (i, j) in (0..=one.len()).flat_map(|i| (0..=other.len()).map(move |j| (i, j))) {
            let replaced = |i: usize, j: usize| usize::from(one[i - 1] != other[j - 1]);
            rows[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + replaced(i, j)),
            };
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows[one.len()][other.len()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn words_are_as_near_as_the_definition_says(typed in "[abcé한]{1,10}", word in "[abcé한]{1,12}") {
            let (letters, of_word): (Vec<char>, Vec<char>) = (typed.chars().collect(), word.chars().collect());
            let forgiven = match letters.len() {
                0..=3 => 0,
                4..=7 => 1,
                _ => 2,
            };
            let of_beginnings: Vec<usize> = (1..=of_word.len()).map(|end| errors(&letters, &of_word[..end])).collect();
            let least = of_beginnings.iter().min().copied().filter(|errors| *errors <= forgiven);
            let expected = least.map(|errors| (errors, usize::from(*of_beginnings.last().unwrap() > errors)));
            prop_assert_eq!(score(&typed, &word), expected);
        }
    }
}
