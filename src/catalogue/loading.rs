//! Bulk loading of a catalogue, with three threads. The caller reads movies, a second thread computes their
//! sort keys and words, and a third one inserts them.

use std::{
    io,
    panic::resume_unwind,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{Builder, JoinHandle, scope},
};

use super::{
    Catalogue,
    column::Slot,
    index::ORDERED,
    order::Order,
    terms::Unordered,
    titles::{TitleEntry, Titles},
};
use crate::domain::{Movie, sort_key_and_words};

/// The length of each queue between two threads, in batches.
const WAITING: usize = 4;

/// A catalogue that is being loaded.
pub struct Loading {
    movies: SyncSender<Vec<Movie>>,
    preparing: JoinHandle<()>,
    filling: JoinHandle<io::Result<Catalogue>>,
}

/// A movie with its sort key and words.
struct Prepared {
    movie: Movie,
    key: String,
    words: Vec<String>,
}

impl Catalogue {
    /// Starts to load a catalogue.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn loading() -> io::Result<Loading> {
        let (movies, given) = sync_channel(WAITING);
        let (to_fill, prepared) = sync_channel(WAITING);
        let prepare = move || {
            let prepared =
                given.into_iter().map(|movies: Vec<Movie>| movies.into_iter().map(prepare).collect());
            for movies in prepared {
                if to_fill.send(movies).is_err() {
                    break;
                }
            }
        };
        Ok(Loading {
            movies,
            preparing: Builder::new().spawn(prepare)?,
            filling: Builder::new().spawn(|| fill(prepared))?,
        })
    }
}

impl Loading {
    /// Adds movies. Their ids must be unique.
    pub fn push(&self, movies: Vec<Movie>) {
        // The channel is closed only if a thread has panicked; `finish` reports that.
        let _ = self.movies.send(movies);
    }

    /// Returns the catalogue of all movies added.
    ///
    /// # Errors
    /// If a thread cannot be started.
    ///
    /// # Panics
    /// If there are more than 4,294,967,295 movies.
    pub fn finish(self) -> io::Result<Catalogue> {
        drop(self.movies);
        self.preparing.join().unwrap_or_else(|panic| resume_unwind(panic));
        self.filling.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

fn prepare(movie: Movie) -> Prepared {
    let (key, words) = sort_key_and_words(movie.attributes.title.as_str());
    Prepared { movie, key, words }
}

fn fill(prepared: Receiver<Vec<Prepared>>) -> io::Result<Catalogue> {
    let (mut catalogue, mut terms) = (Catalogue::default(), Unordered::default());
    for Prepared { movie, key, words } in prepared.into_iter().flatten() {
        let slot = catalogue.next_slot();
        catalogue.store(slot, &movie, &key);
        terms.insert(&words, slot);
    }
    let slots: Vec<Slot> = (0..catalogue.next_slot()).collect();
    let of = &catalogue;
    let (titles, terms, orders) = scope(|scope| -> io::Result<_> {
        let titles = Builder::new().spawn_scoped(scope, || titles(of, &slots))?;
        let terms = terms.in_order();
        let mut order = slots.clone();
        let orders = ORDERED.map(|key| {
            // Ids and times are assigned in the order of creation, so the input is nearly sorted and a stable
            // sort is fast.
            order.sort_by(|one, other| {
                of.compare(key, *one, *other).then_with(|| of.compare_id(*one, *other))
            });
            (key, Order::of_sorted(&order))
        });
        Ok((titles.join().unwrap_or_else(|panic| resume_unwind(panic)), terms, orders))
    })?;
    (catalogue.titles, catalogue.terms) = (titles, terms);
    for (key, order) in orders {
        *catalogue.order_mut(key) = order;
    }
    Ok(catalogue)
}

fn titles(catalogue: &Catalogue, slots: &[Slot]) -> Titles {
    // Comparing eight-byte prefixes first decides most comparisons without reading the full keys.
    let mut order: Vec<_> = slots.iter().map(|slot| (prefix(catalogue.key(*slot)), *slot)).collect();
    order.sort_unstable_by(|(one_prefix, one), (other_prefix, other)| {
        one_prefix
            .cmp(other_prefix)
            .then_with(|| catalogue.key(*one).cmp(catalogue.key(*other)))
            .then_with(|| catalogue.compare_id(*one, *other))
    });
    let entry = |slot| TitleEntry { slot, packed: catalogue.packed[slot] };
    let order: Vec<TitleEntry> = order.into_iter().map(|(_, slot)| entry(slot)).collect();
    Titles::of_sorted(&order, |one, other| catalogue.key(one) == catalogue.key(other))
}

/// Returns the first eight bytes of a key as a number with the same sort order.
fn prefix(key: &str) -> u64 {
    let mut bytes = [0; size_of::<u64>()];
    for (byte, of_key) in bytes.iter_mut().zip(key.as_bytes()) {
        *byte = *of_key;
    }
    u64::from_be_bytes(bytes)
}
