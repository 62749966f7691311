//! IMDb: ratings and lists, such as the watchlist. They also contain series, games and podcasts.

use super::{Kinds, Layout, Scale, Titles, Years};
use crate::{documents::Source, domain::PerField};

pub(crate) const IMDB: Layout = Layout {
    source: Source::Imdb,
    known_by: &[&["Const", "Title", "Title Type"]],
    list: None,
    // Until 2017 the column was `You rated`; in another person's list it has their name: `olivia rated`.
    columns: PerField {
        title: &["Title"],
        movie_format: &[],
        length: &["Runtime (mins)", "Runtime"],
        release_year: &["Year"],
        rating: &["Your Rating", "You rated", "* rated"],
    },
    titles: Titles::Loose,
    years: Years::Numbers,
    ratings: Some(Scale { least: 1.0, most: 10.0, zero_is_none: true }),
    kinds: Some(KINDS),
};

/// The names of types have changed several times and depend on the account's language: `Feature Film` (until
/// 2017), `movie`, `Movie`; `Película`, `Kurzfilm`. So parts of words are compared. Types that are not films
/// come first: a documentary series is a series.
const KINDS: Kinds = Kinds {
    column: "Title Type",
    films: &["spielfilm"],
    others: &[
        "seri",
        "epis",
        "folge",
        "staffel",
        "season",
        "game",
        "videospiel",
        "juego",
        "jogo",
        "jeu",
        "gioco",
        "podcast",
        "musi",
        "pilot",
        "show",
        "unknown",
    ],
    parts: &[
        "film", "movie", "document", "dokument", "short", "video", "special", "spezial", "especial",
        "pelicula", "metrag", "metraj",
    ],
};
