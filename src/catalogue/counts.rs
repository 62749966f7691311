//! Counts of matching movies: the total, the facet counts, and a random match.

use rand::{Rng, RngExt};

use super::{
    Catalogue,
    matches::Matches,
    packed::{Facet, Packed},
};
use crate::domain::{Filter, Movie, MovieId};

/// The number of movies, and the facet counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub movies: i64,
    /// For each facet: the number of movies by value number.
    by_value: [Vec<i64>; Facet::ALL.len()],
}

impl Counts {
    /// Counts the given movies.
    #[must_use]
    pub fn of<'a>(movies: impl IntoIterator<Item = &'a Movie>) -> Self {
        let mut counts = Self::none();
        for movie in movies {
            counts.add(Packed::new(&movie.attributes));
        }
        counts
    }

    /// Iterates over the values of a facet and their numbers of movies. A format is given by its index in
    /// [`MovieFormat::ALL`].
    ///
    /// [`MovieFormat::ALL`]: crate::domain::MovieFormat::ALL
    pub fn by_value(&self, facet: Facet) -> impl Iterator<Item = (i64, i64)> {
        (facet.min()..).zip(self.by_value[facet as usize].iter().copied())
    }

    fn none() -> Self {
        Self { movies: 0, by_value: Facet::ALL.map(|facet| vec![0; facet.values()]) }
    }

    fn add(&mut self, packed: Packed) {
        self.movies += 1;
        for facet in Facet::ALL {
            self.by_value[facet as usize][packed.value(facet)] += 1;
        }
    }

    /// Adds the counts of all movies of the catalogue for a facet.
    fn add_all(&mut self, catalogue: &Catalogue, facet: Facet) {
        for (value, count) in self.by_value[facet as usize].iter_mut().enumerate() {
            *count = signed(catalogue.len_of(facet, value));
        }
    }
}

/// The number of movies is below 2^32, so this cannot overflow.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Catalogue {
    /// Counts the movies that match the filter.
    #[must_use]
    pub fn count(&self, filter: &Filter) -> u64 {
        let found = self.found(filter);
        Matches::of(self, filter, found.as_deref()).count()
    }

    /// Counts the movies that match the filter, in total and by facet value.
    #[must_use]
    pub fn counts(&self, filter: &Filter) -> Counts {
        let found = self.found(filter);
        self.counts_of(&Matches::of(self, filter, found.as_deref()))
    }

    fn counts_of(&self, matches: &Matches<'_>) -> Counts {
        let mut counts = Counts::none();
        if matches.is_all() {
            for facet in Facet::ALL {
                counts.add_all(self, facet);
            }
            counts.movies = signed(self.len as u64);
        } else {
            matches.for_each_packed(|packed| counts.add(packed));
        }
        counts
    }

    /// Counts facet values for the sidebar: each facet ignores its own part of the filter. `movies` is the
    /// number of movies that match the whole filter.
    #[must_use]
    pub fn facet_counts(&self, filter: &Filter) -> Counts {
        let found = self.found(filter);
        let matches = Matches::of(self, filter, found.as_deref());
        let mut counts = self.counts_of(&matches);
        for facet in Facet::ALL.into_iter().filter(|facet| !matches.test.allows_all(*facet)) {
            let others = matches.without(facet);
            if others.is_all() {
                counts.add_all(self, facet);
            } else {
                let by_value = &mut counts.by_value[facet as usize];
                by_value.fill(0);
                others.for_each_packed(|packed: Packed| by_value[packed.value(facet)] += 1);
            }
        }
        counts
    }

    /// Returns the ids of all movies that match the filter, in no particular order.
    #[must_use]
    pub fn ids(&self, filter: &Filter) -> Vec<MovieId> {
        let found = self.found(filter);
        let slots = Matches::of(self, filter, found.as_deref()).slots();
        slots.into_iter().map(|slot| MovieId::from_stored(self.ids[slot])).collect()
    }

    /// Returns a random movie that matches the filter, with uniform probability.
    #[must_use]
    pub fn random(&self, filter: &Filter, random: &mut impl Rng) -> Option<Movie> {
        /// The number of random slots to try first: enough to succeed nearly always if 5% of the movies
        /// match.
        const GUESSES: usize = 64;

        let found = self.found(filter);
        let matches = Matches::of(self, filter, found.as_deref());
        let slots = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        if slots == 0 {
            return None;
        }
        // Rejection sampling: the first uniform guess that matches is uniform among the matches.
        let mut guesses = (0..GUESSES).map(|_| random.random_range(0..slots));
        if let Some(slot) = guesses.find(|slot| matches.contains(*slot)) {
            return Some(self.movie(slot));
        }
        let found = matches.slots();
        let place = found.len().checked_sub(1).map(|last| random.random_range(0..=last))?;
        Some(self.movie(found[place]))
    }
}
