//! The catalogue: an in-memory index of all movies, which answers reads in microseconds.
//!
//! It is a read model. It is derived from the database and never written to disk. Its results equal those of
//! a full scan over all movies. Attributes are stored in columns by slot. Each facet value and each title
//! word has a set of slots. Each sort key with many distinct values has a sorted order of all slots.

mod column;
mod counts;
mod fuzzy;
mod ids;
mod index;
mod loading;
mod matches;
mod order;
mod packed;
mod page;
mod recent_words;
mod search;
mod set;
mod sort;
mod terms;
mod titles;
mod trie;

pub use counts::Counts;
pub use index::Catalogue;
pub use loading::Loading;
pub use packed::Facet;
