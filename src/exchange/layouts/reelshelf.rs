//! Our own export layout. It is strict.

use super::{Layout, Titles, Years};
use crate::documents::Source;

pub(crate) const REELSHELF: Layout = Layout {
    source: Source::Reelshelf,
    known_by: &[&["movieFormat"], &["releaseYear"]],
    list: None,
    columns: [&["title"], &["movieFormat"], &["length"], &["releaseYear"], &["rating"]],
    titles: Titles::AsIs,
    years: Years::Numbers,
    ratings: None,
    kinds: None,
};
