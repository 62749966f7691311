//! The catalogue: all movies in memory, arranged so that any view of them costs microseconds.
//!
//! It is a read model: derived from the database, never written to disk, and equal to what a naive look through
//! all movies would find. Attributes stand in columns by slot. For each value of a facet, and for each word of a
//! title, there is a set of slots; for each key with many values, an order of all slots.

mod column;
mod counts;
mod fuzzy;
mod order;
mod packed;
mod page;
mod terms;

use std::cmp::Ordering;

use roaring::RoaringBitmap;

use crate::domain::{
    Attributes, Length, Movie, MovieFormat, Rating, ReleaseYear, SortKey, Time, Title, fold, sort_key,
    title_words,
};
use column::{Column, Slot, TextRef, Texts};
use order::Order;
use packed::Packed;
use terms::Terms;

pub use counts::Counts;
pub use packed::Facet;

/// The movies of a collection at one moment.
#[derive(Default)]
pub struct Catalogue {
    /// What filters look at.
    packed: Column<Packed>,
    /// The first bytes of each sort key, which tell most titles apart.
    prefixes: Column<u64>,
    rows: Column<Row>,
    texts: Texts,
    /// Slots that movies have left.
    free: Vec<Slot>,
    len: usize,
    /// For each facet, the movies of each value.
    facets: [Vec<RoaringBitmap>; Facet::ALL.len()],
    terms: Terms,
    by_id: Order,
    by_title: Order,
    by_created_at: Order,
    by_updated_at: Order,
}

/// What else is known of a movie.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    id: i64,
    version: i64,
    created_at: i64,
    updated_at: i64,
    text: TextRef,
}

impl Catalogue {
    /// An empty catalogue that is filled at once.
    #[must_use]
    pub fn loading() -> Loading {
        Loading(Self::default())
    }

    /// How many movies there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no movie.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The movie with an id.
    #[must_use]
    pub fn get(&self, id: i64) -> Option<Movie> {
        self.slot_of(id).map(|slot| self.movie(slot))
    }

    /// The movies with this title (case and accents aside) and release year, by id.
    #[must_use]
    pub fn duplicates(&self, title: &Title, year: ReleaseYear) -> Vec<Movie> {
        let (key, folded) = (sort_key(title.as_str()), fold(title.as_str()));
        let prefix = prefix(&key);
        let start = self.by_title.partition(|slot| self.compare_title(slot, prefix, &key).is_lt());
        let same_key =
            self.by_title.from(start).take_while(|slot| self.compare_title(*slot, prefix, &key).is_eq());
        let movies = same_key.map(|slot| self.movie(slot)).filter(|movie| {
            movie.attributes.release_year == year && fold(movie.attributes.title.as_str()) == folded
        });
        movies.collect() // equal titles stand by id
    }

    /// The movie with the lowest id that is the same as one with these attributes: title (case and accents aside),
    /// release year and format.
    #[must_use]
    pub fn same(&self, attributes: &Attributes) -> Option<Movie> {
        let mut same = self.duplicates(&attributes.title, attributes.release_year).into_iter();
        same.find(|movie| movie.attributes.movie_format == attributes.movie_format)
    }

    /// Adds a movie, or puts it in the place of the one with its id.
    ///
    /// # Panics
    /// More than 4,294,967,295 movies.
    pub fn put(&mut self, movie: &Movie) {
        self.remove(movie.id);
        let slot = self
            .free
            .pop()
            .unwrap_or_else(|| Slot::try_from(self.rows.len()).expect("fewer movies than a slot can number"));
        self.store(slot, movie);
        for key in ORDERED {
            self.in_order(key, |order, is_before| order.insert(slot, is_before), slot);
        }
    }

    /// Puts a movie into a slot, everywhere but into the orders.
    fn store(&mut self, slot: Slot, movie: &Movie) {
        let title = movie.attributes.title.as_str();
        let key = sort_key(title);
        let packed = Packed::new(&movie.attributes);
        self.packed.set(slot, packed);
        self.prefixes.set(slot, prefix(&key));
        let row = Row {
            id: movie.id,
            version: movie.version,
            created_at: movie.created_at.as_millis(),
            updated_at: movie.updated_at.as_millis(),
            text: self.texts.push(title, &key),
        };
        self.rows.set(slot, row);
        self.len += 1;
        for facet in Facet::ALL {
            let sets = &mut self.facets[facet as usize];
            sets.resize_with(facet.values(), RoaringBitmap::new);
            sets[packed.value(facet)].insert(slot);
        }
        self.terms.insert(&title_words(title), slot);
    }

    /// Removes the movie with an id; tells whether there was one.
    pub fn remove(&mut self, id: i64) -> bool {
        let Some(slot) = self.slot_of(id) else { return false };
        for key in ORDERED {
            self.in_order(key, |order, is_before| order.remove(slot, is_before), slot);
        }
        let row = self.rows[slot];
        self.terms.remove(&title_words(self.texts.title(row.text)), slot);
        for facet in Facet::ALL {
            self.facets[facet as usize][self.packed[slot].value(facet)].remove(slot);
        }
        self.packed[slot] = Packed::default();
        self.rows[slot] = Row::default();
        self.free.push(slot);
        self.len -= 1;
        if self.texts.remove(row.text) {
            self.close_gaps();
        }
        true
    }

    /// Changes an order with a test of which slots come before this one in it.
    fn in_order(&mut self, key: SortKey, change: impl FnOnce(&mut Order, &dyn Fn(Slot) -> bool), slot: Slot) {
        let mut order = std::mem::take(self.order_mut(key));
        change(&mut order, &|other| {
            self.compare(key, other, slot).then_with(|| self.compare_id(other, slot)).is_lt()
        });
        *self.order_mut(key) = order;
    }

    const fn order_mut(&mut self, key: SortKey) -> &mut Order {
        match key {
            SortKey::Title => &mut self.by_title,
            SortKey::CreatedAt => &mut self.by_created_at,
            SortKey::UpdatedAt => &mut self.by_updated_at,
            _ => &mut self.by_id,
        }
    }

    /// Stores all texts anew, without those that are not used any more.
    fn close_gaps(&mut self) {
        let mut texts = Texts::default();
        for slot in self.by_title.from(Order::start()) {
            let text = self.rows[slot].text;
            self.rows[slot].text = texts.push(self.texts.title(text), self.texts.key(text));
        }
        self.texts = texts;
    }

    fn slot_of(&self, id: i64) -> Option<Slot> {
        let place = self.by_id.partition(|slot| self.rows[slot].id < id);
        self.by_id.at(place).filter(|slot| self.rows[*slot].id == id)
    }

    /// The movie in a slot that is in use.
    fn movie(&self, slot: Slot) -> Movie {
        let (row, packed) = (&self.rows[slot], self.packed[slot]);
        let number = |facet: Facet| i64::try_from(packed.value(facet)).unwrap_or_default() + facet.min();
        let stored = "a value that was stored is valid";
        Movie {
            id: row.id,
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

    /// The order of two movies under one key.
    fn compare(&self, key: SortKey, one: Slot, other: Slot) -> Ordering {
        match key {
            SortKey::Id => self.compare_id(one, other),
            SortKey::Title => {
                self.compare_title(one, self.prefixes[other], self.texts.key(self.rows[other].text))
            }
            SortKey::CreatedAt => self.rows[one].created_at.cmp(&self.rows[other].created_at),
            SortKey::UpdatedAt => self.rows[one].updated_at.cmp(&self.rows[other].updated_at),
            SortKey::MovieFormat => self.compare_facet(Facet::MovieFormat, one, other),
            SortKey::Length => self.compare_facet(Facet::Length, one, other),
            SortKey::ReleaseYear => self.compare_facet(Facet::ReleaseYear, one, other),
            SortKey::Rating => self.compare_facet(Facet::Rating, one, other),
        }
    }

    fn compare_id(&self, one: Slot, other: Slot) -> Ordering {
        self.rows[one].id.cmp(&self.rows[other].id)
    }

    fn compare_facet(&self, facet: Facet, one: Slot, other: Slot) -> Ordering {
        self.packed[one].value(facet).cmp(&self.packed[other].value(facet))
    }

    fn compare_title(&self, one: Slot, prefix: u64, key: &str) -> Ordering {
        self.prefixes[one].cmp(&prefix).then_with(|| self.texts.key(self.rows[one].text).cmp(key))
    }
}

/// A catalogue that is being filled: the orders are made at last, which is faster than to keep them meanwhile.
pub struct Loading(Catalogue);

impl Loading {
    /// Adds a movie with an id of its own.
    ///
    /// # Panics
    /// More than 4,294,967,295 movies.
    pub fn push(&mut self, movie: &Movie) {
        let slot = Slot::try_from(self.0.rows.len()).expect("fewer movies than a slot can number");
        self.0.store(slot, movie);
    }

    /// The catalogue of all movies that were added.
    #[must_use]
    pub fn finish(mut self) -> Catalogue {
        let slots = Slot::try_from(self.0.rows.len()).unwrap_or(Slot::MAX);
        let mut order: Vec<Slot> = (0..slots).collect();
        for key in ORDERED {
            // Nearly sorted by what was handed out in time, which a stable sort makes use of.
            order.sort_by(|one, other| {
                self.0.compare(key, *one, *other).then_with(|| self.0.compare_id(*one, *other))
            });
            *self.0.order_mut(key) = Order::of_sorted(&order);
        }
        self.0
    }
}

/// The keys with an order of their own.
const ORDERED: [SortKey; 4] = [SortKey::Id, SortKey::CreatedAt, SortKey::UpdatedAt, SortKey::Title];

/// The first bytes of a text as a number that sorts as they do.
fn prefix(key: &str) -> u64 {
    let mut bytes = [0; size_of::<u64>()];
    for (byte, of_key) in bytes.iter_mut().zip(key.bytes()) {
        *byte = of_key;
    }
    u64::from_be_bytes(bytes)
}
