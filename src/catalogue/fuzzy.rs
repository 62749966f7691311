//! Fuzzy search.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Catalogue, column::Slot, matches::Matches, set::Set};
use crate::{
    domain::{Filter, FuzzyScore, FuzzyTerm, Movie, SortKey},
    limits::MAX_FUZZY_MOVIES,
};

const BY_TITLE: &[(SortKey, bool)] = &[(SortKey::Title, false), (SortKey::Id, false)];

/// Movies by score. A movie with several matching words can be in several sets.
type ByScore<'a> = BTreeMap<FuzzyScore, Vec<Cow<'a, Set>>>;

impl Catalogue {
    /// Runs a fuzzy search with the rest of the filter. Returns at most [`MAX_FUZZY_MOVIES`] movies, sorted
    /// by score, then by title. Returns none if no search term is long enough to be fuzzy.
    #[must_use]
    pub fn fuzzy_matches(&self, filter: &Filter) -> Vec<Movie> {
        let allowed = filter.words.iter().map(|word| FuzzyTerm::allowed_errors(word)).max().unwrap_or(0);
        // A search with one error takes a fraction of the time, and often finds enough.
        let first = if allowed > 1 { self.with_errors(1, filter) } else { Vec::new() };
        let found = match first.len() {
            MAX_FUZZY_MOVIES => first,
            _ if allowed > 0 => self.with_errors(allowed, filter),
            _ => Vec::new(),
        };
        found.into_iter().map(|slot| self.movie(slot)).collect()
    }

    /// Runs a fuzzy search with at most `errors` errors in a term. If a term allows more, returns only the first
    /// movies of the full result: those with at most `errors` errors in total.
    fn with_errors(&self, errors: usize, filter: &Filter) -> Vec<Slot> {
        let typed: Vec<FuzzyTerm> =
            filter.words.iter().map(|word| FuzzyTerm::with_at_most(errors, word)).collect();
        let is_part = filter.words.iter().any(|word| FuzzyTerm::allowed_errors(word) > errors);
        let mut better: Vec<Set> = Vec::new();
        let mut found: Vec<Slot> = Vec::new();
        for (score, sets) in self.by_score(&typed) {
            if is_part && score.errors > errors {
                break;
            }
            let group = Set::union(sets.iter().map(AsRef::as_ref));
            let group = better.iter().fold(group, Set::difference);
            let matches = Matches::of(self, filter, Some(&group));
            found.extend(self.first(&matches, BY_TITLE, None, MAX_FUZZY_MOVIES - found.len()));
            if found.len() == MAX_FUZZY_MOVIES {
                break;
            }
            better.push(group);
        }
        found
    }

    /// Returns the movies with a match for every term, by total score.
    fn by_score(&self, typed: &[FuzzyTerm]) -> ByScore<'_> {
        let mut of_words = typed.iter().map(|typed| self.terms.fuzzy_matches(typed));
        let mut found = of_words.next().unwrap_or_default();
        while !found.is_empty()
            && let Some(of_word) = of_words.next()
        {
            found = sums(found, of_word);
        }
        found
    }
}

/// Intersects two results and adds their scores.
fn sums<'a>(one: ByScore<'_>, other: ByScore<'_>) -> ByScore<'a> {
    let [one, other] = [one, other].map(|sets| {
        let unions =
            sets.into_iter().map(|(score, sets)| (score, Set::union(sets.iter().map(AsRef::as_ref))));
        unions.collect::<Vec<_>>()
    });
    let mut sums = ByScore::new();
    for (one_score, one) in &one {
        for (other_score, other) in &other {
            let both = one.intersection(other);
            if !both.is_empty() {
                sums.entry(*one_score + *other_score).or_default().push(Cow::Owned(both));
            }
        }
    }
    sums
}
