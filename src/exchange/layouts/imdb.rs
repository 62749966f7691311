//! IMDb: ratings, and lists such as the watchlist. They hold series, games and podcasts too.

use super::{Kinds, Layout, Scale, Source, Titles, Years};

pub(crate) const IMDB: Layout = Layout {
    source: Source::Imdb,
    known_by: &[&["Const", "Title", "Title Type"]],
    preamble: None,
    // Until 2017 the column was called `You rated`.
    columns: [&["Title"], &[], &["Runtime (mins)"], &["Year"], &["Your Rating", "You rated"]],
    titles: Titles::Loose,
    years: Years::Numbers,
    ratings: Some(Scale { least: 1.0, most: 10.0, zero_is_none: false }),
    kinds: Some(Kinds {
        column: "Title Type",
        films: &["movie", "video", "short", "tvmovie", "tvspecial", "tvshort"],
    }),
};
