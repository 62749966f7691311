//! Search with typing errors forgiven.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::{
    Catalogue,
    column::Slot,
    page::{Matches, sort_first},
};
use crate::{
    domain::{Filter, Movie, Nearness, SortKey, Typed},
    limits::MAX_FUZZY_MOVIES,
};

impl Catalogue {
    /// The movies that pass the filter with typing errors in its search forgiven: the nearest first, of equally near
    /// ones by title; at most [`MAX_FUZZY_MOVIES`]. None where nothing of the search can be forgiven.
    #[must_use]
    pub fn near(&self, filter: &Filter) -> Vec<Movie> {
        let typed: Vec<Typed> = filter.words.iter().map(|word| Typed::new(word)).collect();
        if typed.iter().all(|typed| typed.automaton().is_none()) {
            return Vec::new();
        }
        let matches = Matches::without_search(self, filter);
        let mut found: Vec<Slot> = Vec::new();
        for (_, slots) in self.by_nearness(&typed) {
            let mut slots: Vec<Slot> = slots.into_iter().filter(|slot| matches.contains(*slot)).collect();
            sort_first(&mut slots, MAX_FUZZY_MOVIES - found.len(), |one, other| {
                self.compare(SortKey::Title, one, other).then_with(|| self.compare_id(one, other))
            });
            found.extend(slots);
            if found.len() == MAX_FUZZY_MOVIES {
                break;
            }
        }
        found.into_iter().map(|slot| self.movie(slot)).collect()
    }

    /// The movies with a near word for each typed one, by how near they are in all.
    fn by_nearness(&self, typed: &[Typed]) -> BTreeMap<Nearness, RoaringBitmap> {
        let mut found: Option<BTreeMap<Nearness, RoaringBitmap>> = None;
        for typed in typed {
            let of_word = each_once(self.terms.near(typed));
            found = Some(match found {
                None => of_word,
                Some(before) => {
                    let mut sums: BTreeMap<Nearness, RoaringBitmap> = BTreeMap::new();
                    for (one, slots) in &before {
                        for (other, others) in &of_word {
                            let both = slots & others;
                            if !both.is_empty() {
                                *sums.entry(*one + *other).or_default() |= both;
                            }
                        }
                    }
                    sums
                }
            });
        }
        found.unwrap_or_default()
    }
}

/// Each movie where it is nearest.
fn each_once(mut near: BTreeMap<Nearness, RoaringBitmap>) -> BTreeMap<Nearness, RoaringBitmap> {
    let mut nearer = RoaringBitmap::new();
    for slots in near.values_mut() {
        *slots -= &nearer;
        nearer |= &*slots;
    }
    near
}
