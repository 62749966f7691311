//! Fuzzy search.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Catalogue, column::Slot, matches::Matches, set::Set};
use crate::{
    domain::{Filter, FuzzyScore, FuzzyTerm, Movie, SortKey},
    limits::MAX_FUZZY_MOVIES,
};

const BY_TITLE: &[(SortKey, bool)] = &[(SortKey::Title, false), (SortKey::Id, false)];

/// Movies by score. A movie with several matching words can be in several sets.
type ByNearness<'a> = BTreeMap<FuzzyScore, Vec<Cow<'a, Set>>>;

impl Catalogue {
    /// Runs a fuzzy search with the rest of the filter. Returns at most [`MAX_FUZZY_MOVIES`] movies, sorted
    /// by score, then by title. Returns none if no search term is long enough to be fuzzy.
    #[must_use]
    pub fn near(&self, filter: &Filter) -> Vec<Movie> {
        let typed: Vec<FuzzyTerm> = filter.words.iter().map(|word| FuzzyTerm::new(word)).collect();
        if typed.iter().all(|typed| typed.automaton().is_none()) {
            return Vec::new();
        }
        let mut nearer: Vec<Set> = Vec::new();
        let mut found: Vec<Slot> = Vec::new();
        for (_, sets) in self.by_nearness(&typed) {
            let near = Set::union(sets.iter().map(AsRef::as_ref));
            let near = nearer.iter().fold(near, Set::difference);
            let matches = Matches::of(self, filter, Some(&near));
            found.extend(self.first(&matches, BY_TITLE, None, MAX_FUZZY_MOVIES - found.len()));
            if found.len() == MAX_FUZZY_MOVIES {
                break;
            }
            nearer.push(near);
        }
        found.into_iter().map(|slot| self.movie(slot)).collect()
    }

    /// Returns the movies with a match for every term, by total score.
    fn by_nearness(&self, typed: &[FuzzyTerm]) -> ByNearness<'_> {
        let of_words = typed.iter().map(|typed| self.terms.near(typed));
        of_words.reduce(sums).unwrap_or_default()
    }
}

/// Intersects two results and adds their scores.
fn sums<'a>(one: ByNearness<'_>, other: ByNearness<'_>) -> ByNearness<'a> {
    let [one, other] = [one, other].map(|sets| {
        let unions =
            sets.into_iter().map(|(nearness, sets)| (nearness, Set::union(sets.iter().map(AsRef::as_ref))));
        unions.collect::<Vec<_>>()
    });
    let mut sums = ByNearness::new();
    for (one_nearness, one) in &one {
        for (other_nearness, other) in &other {
            let both = one.intersection(other);
            if !both.is_empty() {
                sums.entry(*one_nearness + *other_nearness).or_default().push(Cow::Owned(both));
            }
        }
    }
    sums
}
