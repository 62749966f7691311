//! Title search.

use std::{ops::Deref, sync::Arc};

use super::{Catalogue, set::Set};
use crate::domain::{Filter, are_neighbours, parts_of};

/// Cost of one set lookup, relative to adding a movie to a union.
const LOOKS_OF_A_UNION: u64 = 8;

/// The result of a word is remembered if finding it took at least this number of movies.
const MIN_RECENT_MOVIES: u64 = 1024;

/// The movies found by a search.
#[derive(Clone)]
pub(super) enum WordSet<'a> {
    /// A set of the index.
    Indexed(&'a Set),
    Computed(Arc<Set>),
}

impl Deref for WordSet<'_> {
    type Target = Set;

    fn deref(&self) -> &Set {
        match self {
            Self::Indexed(movies) => movies,
            Self::Computed(movies) => movies,
        }
    }
}

impl From<Set> for WordSet<'_> {
    fn from(movies: Set) -> Self {
        Self::Computed(Arc::new(movies))
    }
}

/// The movies that match one word of a search: the union of these sets.
struct WordMatches<'a> {
    sets: Vec<WordSet<'a>>,
    /// The sum of the set sizes: a movie in several sets counts several times.
    len: u64,
}

impl<'a> WordMatches<'a> {
    fn of(sets: Vec<WordSet<'a>>) -> Self {
        Self { len: sets.iter().map(|set| set.len()).sum(), sets }
    }

    fn union(&self) -> WordSet<'a> {
        match &self.sets[..] {
            [only] => only.clone(),
            _ => self.set().into(),
        }
    }

    fn set(&self) -> Set {
        Set::union(self.sets.iter().map(Deref::deref))
    }
}

impl Catalogue {
    /// Returns the movies that match the search of a filter, in any of its spellings. Returns `None` if it
    /// has no words.
    pub(super) fn found(&self, filter: &Filter) -> Option<WordSet<'_>> {
        let first = with_all(filter.words.iter().map(|word| self.together_or_apart(word)))?;
        // Hardly any title has two words joined, so look for that first.
        let spellings =
            filter.spellings.iter().filter(|words| words.iter().all(|word| self.terms.has_beginning(word)));
        let others = spellings
            .filter_map(|words| with_all(words.iter().map(|word| WordMatches::of(self.together(word)))));
        let mut all: Vec<WordSet<'_>> = others.filter(|found| !found.is_empty()).collect();
        all.push(first);
        Some(WordMatches::of(all).union())
    }

    /// Returns the movies with a word, written as one word or as two.
    fn together_or_apart(&self, word: &str) -> WordMatches<'_> {
        if let Some(movies) = self.recent_words.get(word) {
            return WordMatches::of(vec![WordSet::Computed(movies)]);
        }
        let mut sets = self.together(word);
        let (apart, looked_at) = self.written_apart(word);
        if !apart.is_empty() {
            sets.push(apart.into());
        }
        let matches = WordMatches::of(sets);
        let united = if matches.sets.len() > 1 { matches.len } else { 0 };
        if united + looked_at < MIN_RECENT_MOVIES {
            return matches;
        }
        let movies = Arc::new(matches.set());
        self.recent_words.remember(word, Arc::clone(&movies));
        WordMatches::of(vec![WordSet::Computed(movies)])
    }

    /// Returns the sets of the movies with a word that starts with this one.
    fn together(&self, word: &str) -> Vec<WordSet<'_>> {
        self.terms.beginning_with(word).into_iter().map(WordSet::Indexed).collect()
    }

    /// Returns the movies whose titles contain a word written as two, and the number of titles that it looked at.
    fn written_apart(&self, word: &str) -> (Set, u64) {
        let (mut found, mut looked_at) = (Set::default(), 0);
        for (one, other) in parts_of(word) {
            let Some((first, second)) = self.terms.whole(one).zip(self.terms.whole(other)) else { continue };
            first.intersection(second).for_each(|slot| {
                looked_at += 1;
                if are_neighbours(self.texts.title(self.rows[slot].text), one, other) {
                    found.insert(slot);
                }
            });
        }
        (found, looked_at)
    }
}

/// Returns the movies that match all words. Returns `None` if there is no word.
fn with_all<'a>(words: impl Iterator<Item = WordMatches<'a>>) -> Option<WordSet<'a>> {
    let mut words: Vec<WordMatches<'_>> = words.collect();
    words.sort_by_key(|word| word.len);
    let (rarest, others) = words.split_first()?;
    Some(others.iter().fold(rarest.union(), |movies, other| {
        // A union of many words costs more than looking up a few movies in each set.
        let looks = movies.len() * other.sets.len() as u64;
        let both = if other.sets.len() > 1 && looks * LOOKS_OF_A_UNION <= other.len {
            movies.in_any(&other.sets)
        } else {
            movies.intersection(&other.union())
        };
        both.into()
    }))
}
