//! Title search.

use std::{borrow::Cow, slice};

use super::{Catalogue, set::Set};
use crate::domain::{Filter, are_neighbours, parts_of};

impl Catalogue {
    /// Returns the movies that match the search of a filter, in any of its spellings. Returns `None` if it
    /// has no words.
    pub(super) fn found(&self, filter: &Filter) -> Option<Cow<'_, Set>> {
        let first = self.with_words(&filter.words)?;
        let others = filter.spellings.iter().filter_map(|words| self.terms.search(words));
        let others: Vec<Cow<'_, Set>> = others.filter(|found| !found.is_empty()).collect();
        if others.is_empty() {
            return Some(first);
        }
        Some(Cow::Owned(Set::union(std::iter::once(&first).chain(&others).map(AsRef::as_ref))))
    }

    /// Returns the movies with all of these words, each written as one word or as two.
    fn with_words(&self, words: &[String]) -> Option<Cow<'_, Set>> {
        let apart: Vec<Set> = words.iter().map(|word| self.written_apart(word)).collect();
        if apart.iter().all(Set::is_empty) {
            return self.terms.search(words);
        }
        let each = words.iter().zip(&apart).filter_map(|(word, apart)| {
            let together = self.terms.search(slice::from_ref(word))?;
            let is_apart = !apart.is_empty();
            Some(if is_apart { Cow::Owned(Set::union([together.as_ref(), apart])) } else { together })
        });
        each.reduce(|one, other| Cow::Owned(one.intersection(&other)))
    }

    /// Returns the movies whose titles contain a word written as two.
    fn written_apart(&self, word: &str) -> Set {
        let mut found = Set::default();
        for (one, other) in parts_of(word) {
            let Some((first, second)) = self.terms.whole(one).zip(self.terms.whole(other)) else { continue };
            first.intersection(second).for_each(|slot| {
                if are_neighbours(self.texts.title(self.rows[slot].text), one, other) {
                    found.insert(slot);
                }
            });
        }
        found
    }
}
