//! The index itself: columns, sets and orders of all movies.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use super::{
    Facet,
    column::{Column, Slot, TextRef, Texts},
    ids::Ids,
    order::{Entry, Order, OrderPosition},
    packed::Packed,
    recent_words::RecentWords,
    set::Set,
    terms::Terms,
    titles::{TitleEntry, Titles},
};
use crate::domain::{
    Attributes, Length, Movie, MovieFormat, MovieId, Rating, ReleaseYear, SortKey, Time, Title, fold,
    matches_word, sort_key_and_words, sort_keys_of_same, title_words,
};

/// All movies of a collection at one log position.
#[derive(Default)]
pub struct Catalogue {
    /// The attributes that filters test.
    pub(super) packed: Column<Packed>,
    pub(super) ids: Ids,
    pub(super) rows: Column<Row>,
    pub(super) texts: Texts,
    /// Slots of deleted movies, to be reused from the lowest on: so the slots stay nearly in the order of the ids.
    pub(super) free: BinaryHeap<Reverse<Slot>>,
    pub(super) len: usize,
    /// For each facet, the movies by value.
    pub(super) facets: [Vec<Value>; Facet::ALL.len()],
    pub(super) terms: Terms,
    pub(super) recent_words: RecentWords,
    pub(super) by_id: Order,
    pub(super) titles: Titles,
    pub(super) by_created_at: Order,
    pub(super) by_updated_at: Order,
}

/// The movies with one facet value.
#[derive(Default)]
pub struct Value {
    pub(super) slots: Set,
    pub(super) len: u32,
}

impl Value {
    pub(super) fn insert(&mut self, slot: Slot) {
        self.slots.insert(slot);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, slot: Slot) {
        self.slots.remove(slot);
        self.len -= 1;
    }
}

/// The other data of a movie.
#[derive(Debug, Clone, Copy, Default)]
pub struct Row {
    pub(super) version: i64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) text: TextRef,
}

impl Catalogue {
    /// Returns the number of movies.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether the catalogue is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the movie with an id.
    #[must_use]
    pub fn get(&self, id: MovieId) -> Option<Movie> {
        self.slot_of(id).map(|slot| self.movie(slot))
    }

    /// Returns the movies with the same release year and the same title, ignoring case and accents, by id.
    #[must_use]
    pub fn duplicates(&self, title: &Title, year: ReleaseYear) -> Vec<Movie> {
        let folded = fold(title.as_str());
        let mut movies: Vec<Movie> = Vec::new();
        for key in sort_keys_of_same(title.as_str()) {
            let start = self.titles.order().partition(|slot| self.key(slot) < &*key);
            let behind = self.titles.order().from(start).map(Entry::slot);
            let same_key = behind.take_while(|slot| self.key(*slot) == key);
            movies.extend(same_key.map(|slot| self.movie(slot)).filter(|movie| {
                movie.attributes.release_year == year && fold(movie.attributes.title.as_str()) == folded
            }));
        }
        movies.sort_unstable_by_key(|movie| movie.id);
        movies
    }

    /// Returns the duplicate with the lowest id: same title (ignoring case and accents), release year and
    /// format.
    #[must_use]
    pub fn same(&self, attributes: &Attributes) -> Option<Movie> {
        if self.is_empty() {
            return None; // most large imports fill an empty collection
        }
        let mut same = self.duplicates(&attributes.title, attributes.release_year).into_iter();
        same.find(|movie| movie.attributes.movie_format == attributes.movie_format)
    }

    /// Adds or replaces a movie by id.
    ///
    /// # Panics
    /// If there would be more than 4,294,967,295 movies.
    pub fn put(&mut self, movie: &Movie) {
        let title = movie.attributes.title.as_str();
        match self.slot_of(movie.id) {
            Some(slot) if self.texts.title(self.rows[slot].text) == title => return self.change(slot, movie),
            Some(_) => drop(self.remove(movie.id)),
            None => {}
        }
        let slot = self.free.pop().map_or_else(|| self.next_slot(), |Reverse(slot)| slot);
        let (key, words) = sort_key_and_words(title);
        self.store(slot, movie, &key);
        self.terms.insert(&words, slot);
        self.recent_words.insert(slot, |word| matches_word(title, &words, word));
        let (place, packed) = (self.place_of_title(slot), self.packed[slot]);
        let Self { titles, rows, texts, .. } = self;
        let key = |slot: Slot| texts.key(rows[slot].text);
        titles.insert(TitleEntry { slot, packed }, place, |other| key(other) == key(slot));
        for key in ORDERED {
            self.in_order(key, |order, is_before| order.insert(slot, is_before), slot);
        }
    }

    /// Updates a movie whose title is unchanged.
    pub(super) fn change(&mut self, slot: Slot, movie: &Movie) {
        for key in TIMES {
            self.in_order(key, |order, is_before| order.remove(slot, is_before), slot);
        }
        let row = &mut self.rows[slot];
        row.version = movie.version;
        (row.created_at, row.updated_at) = (movie.created_at.as_millis(), movie.updated_at.as_millis());
        for key in TIMES {
            self.in_order(key, |order, is_before| order.insert(slot, is_before), slot);
        }
        let packed = Packed::new(&movie.attributes);
        let before = std::mem::replace(&mut self.packed[slot], packed);
        if before == packed {
            return;
        }
        let ids = &self.ids;
        self.titles.replace(TitleEntry { slot, packed }, |other| ids[other] < ids[slot]);
        for facet in Facet::ALL {
            let (from, to) = (before.value(facet), packed.value(facet));
            if from != to {
                self.facets[facet as usize][from].remove(slot);
                self.facets[facet as usize][to].insert(slot);
            }
        }
    }

    pub(super) fn next_slot(&self) -> Slot {
        Slot::try_from(self.rows.len()).expect("fewer movies than a slot can number")
    }

    /// Writes a movie to its slot, except for the sorted orders and the title words.
    pub(super) fn store(&mut self, slot: Slot, movie: &Movie, key: &str) {
        let packed = Packed::new(&movie.attributes);
        self.packed.set(slot, packed);
        self.ids.set(slot, movie.id.get());
        let row = Row {
            version: movie.version,
            created_at: movie.created_at.as_millis(),
            updated_at: movie.updated_at.as_millis(),
            text: self.texts.push(movie.attributes.title.as_str(), key),
        };
        self.rows.set(slot, row);
        self.len += 1;
        for facet in Facet::ALL {
            let values = &mut self.facets[facet as usize];
            values.resize_with(facet.values(), Value::default);
            values[packed.value(facet)].insert(slot);
        }
    }

    /// Removes the movie with an id. Returns whether it existed.
    pub fn remove(&mut self, id: MovieId) -> bool {
        let Some(slot) = self.slot_of(id) else { return false };
        for key in ORDERED {
            self.in_order(key, |order, is_before| order.remove(slot, is_before), slot);
        }
        let ids = &self.ids;
        self.titles.remove(slot, |other| ids[other] < id.get());
        let row = self.rows[slot];
        self.terms.remove(&title_words(self.texts.title(row.text)), slot);
        self.recent_words.remove(slot);
        for facet in Facet::ALL {
            self.facets[facet as usize][self.packed[slot].value(facet)].remove(slot);
        }
        self.packed[slot] = Packed::default();
        self.ids.clear(slot);
        self.rows[slot] = Row::default();
        self.free.push(Reverse(slot));
        self.len -= 1;
        if self.texts.remove(row.text) {
            self.close_gaps();
        }
        true
    }

    /// Calls `change` with an order and a function that tests whether a slot sorts before this one.
    pub(super) fn in_order(
        &mut self,
        key: SortKey,
        change: impl FnOnce(&mut Order, &dyn Fn(Slot) -> bool),
        slot: Slot,
    ) {
        let mut order = std::mem::take(self.order_mut(key));
        change(&mut order, &|other| {
            self.compare(key, other, slot).then_with(|| self.compare_id(other, slot)).is_lt()
        });
        *self.order_mut(key) = order;
    }

    pub(super) const fn order_mut(&mut self, key: SortKey) -> &mut Order {
        match key {
            SortKey::CreatedAt => &mut self.by_created_at,
            SortKey::UpdatedAt => &mut self.by_updated_at,
            _ => &mut self.by_id,
        }
    }

    /// Returns the position of a movie in the order by title and id.
    fn place_of_title(&self, slot: Slot) -> OrderPosition {
        let key = self.key(slot);
        self.titles
            .order()
            .partition(|other| self.key(other).cmp(key).then_with(|| self.compare_id(other, slot)).is_lt())
    }

    /// Returns the sort key of a movie's title.
    pub(super) fn key(&self, slot: Slot) -> &str {
        self.texts.key(self.rows[slot].text)
    }

    /// Compacts the arena by copying all texts in use.
    fn close_gaps(&mut self) {
        let mut texts = Texts::default();
        for slot in self.by_id.from(OrderPosition::START) {
            let text = self.rows[slot].text;
            self.rows[slot].text = texts.push(self.texts.title(text), self.texts.key(text));
        }
        self.texts = texts;
    }

    fn slot_of(&self, id: MovieId) -> Option<Slot> {
        let id = id.get();
        let (first, last) = (self.by_id.at(OrderPosition::START)?, self.by_id.before(self.by_id.end())?);
        #[expect(clippy::cast_precision_loss, reason = "a guess")]
        let [wanted, first, last] = [id, self.ids[first], self.ids[last]].map(|id| id as f64);
        // Ids are nearly contiguous, so interpolation finds the position in a few steps.
        let place =
            self.by_id.partition_near((wanted - first) / (last - first + 1.0), |slot| self.ids[slot] < id);
        self.by_id.at(place).filter(|slot| self.ids[*slot] == id)
    }

    /// Builds the movie of a slot, which must be in use.
    pub(super) fn movie(&self, slot: Slot) -> Movie {
        let (row, packed) = (&self.rows[slot], self.packed[slot]);
        let number = |facet: Facet| i64::try_from(packed.value(facet)).unwrap_or_default() + facet.min();
        let stored = "a value that was stored is valid";
        Movie {
            id: MovieId::from_stored(self.ids[slot]),
            attributes: Attributes {
                title: Title::from_stored(self.texts.title(row.text)),
                movie_format: MovieFormat::ALL[packed.value(Facet::MovieFormat)],
                length: Length::try_from(number(Facet::Length)).expect(stored),
                release_year: ReleaseYear::try_from(number(Facet::ReleaseYear)).expect(stored),
                rating: Rating::try_from(number(Facet::Rating)).expect(stored),
            },
            version: row.version,
            created_at: Time::from_millis(row.created_at),
            updated_at: Time::from_millis(row.updated_at),
        }
    }

    /// Compares two movies under one sort key.
    pub(super) fn compare(&self, key: SortKey, one: Slot, other: Slot) -> Ordering {
        match key {
            SortKey::Id => self.compare_id(one, other),
            SortKey::Title => self.titles.number(one).cmp(&self.titles.number(other)),
            SortKey::CreatedAt => self.rows[one].created_at.cmp(&self.rows[other].created_at),
            SortKey::UpdatedAt => self.rows[one].updated_at.cmp(&self.rows[other].updated_at),
            SortKey::MovieFormat => self.compare_facet(Facet::MovieFormat, one, other),
            SortKey::Length => self.compare_facet(Facet::Length, one, other),
            SortKey::ReleaseYear => self.compare_facet(Facet::ReleaseYear, one, other),
            SortKey::Rating => self.compare_facet(Facet::Rating, one, other),
        }
    }

    pub(super) fn compare_id(&self, one: Slot, other: Slot) -> Ordering {
        self.ids[one].cmp(&self.ids[other])
    }

    fn compare_facet(&self, facet: Facet, one: Slot, other: Slot) -> Ordering {
        self.packed[one].value(facet).cmp(&self.packed[other].value(facet))
    }
}

/// The sort keys with a sorted order, except titles.
pub const ORDERED: [SortKey; 3] = [SortKey::Id, TIMES[0], TIMES[1]];
const TIMES: [SortKey; 2] = [SortKey::CreatedAt, SortKey::UpdatedAt];
