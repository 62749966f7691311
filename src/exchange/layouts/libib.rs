//! Libib: a library, which may also contain books, music and games.

use super::{Kinds, Layout, Scale, Titles, Years};
use crate::{documents::Source, domain::PerField};

pub(crate) const LIBIB: Layout = Layout {
    source: Source::Libib,
    known_by: &[&["item_type", "title"]],
    list: None,
    columns: PerField {
        title: &["title"],
        movie_format: &[],
        length: &["length"],
        release_year: &["publish_date"],
        rating: &["rating"],
    },
    titles: Titles::Shelved,
    years: Years::Dates,
    ratings: Some(Scale { least: 0.5, most: 5.0, zero_is_none: true }),
    kinds: Some(Kinds {
        column: "item_type",
        films: &[],
        others: &["book", "music", "game", "vinyl", "comic"],
        parts: &["movie", "film", "video", "dvd"],
    }),
};
