//! The results of the words that were searched last.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{column::Slot, set::Set};

/// The movies that match a word, for the words that were searched last. The union of the sets of many words can
/// be as large as a bitmap of all movies; without this, each search for a frequent word would build it.
#[derive(Default)]
pub(super) struct RecentWords {
    /// The last one first.
    results: Mutex<Vec<(Box<str>, Arc<Set>)>>,
}

/// A result needs about one bit for each slot at most.
const MAX_WORDS: usize = 64;

impl RecentWords {
    /// Returns the movies that match a word, if they are known.
    pub(super) fn get(&self, word: &str) -> Option<Arc<Set>> {
        let mut results = self.lock();
        let at = results.iter().position(|(other, _)| **other == *word)?;
        results[..=at].rotate_right(1);
        Some(Arc::clone(&results[0].1))
    }

    /// Remembers the movies that match a word, and forgets the word that was searched longest ago.
    pub(super) fn remember(&self, word: &str, movies: Arc<Set>) {
        let mut results = self.lock();
        results.retain(|(other, _)| **other != *word);
        results.truncate(MAX_WORDS - 1);
        results.insert(0, (word.into(), movies));
    }

    /// Adds a movie to the results of the words that it matches.
    pub(super) fn insert(&mut self, slot: Slot, is_match: impl Fn(&str) -> bool) {
        for (word, movies) in self.results.get_mut().unwrap_or_else(PoisonError::into_inner) {
            if is_match(word) {
                Arc::make_mut(movies).insert(slot);
            }
        }
    }

    /// Removes a movie from all results.
    pub(super) fn remove(&mut self, slot: Slot) {
        for (_, movies) in self.results.get_mut().unwrap_or_else(PoisonError::into_inner) {
            if movies.contains(slot) {
                Arc::make_mut(movies).remove(slot);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Box<str>, Arc<Set>)>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
