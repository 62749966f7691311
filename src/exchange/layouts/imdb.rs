//! IMDb: ratings, and lists such as the watchlist. They hold series, games and podcasts too.

use super::{Kinds, Layout, Scale, Source, Titles, Years};

pub(crate) const IMDB: Layout = Layout {
    source: Source::Imdb,
    known_by: &[&["Const", "Title", "Title Type"]],
    list: None,
    // Until 2017 the column was called `You rated`; in somebody else's list it has their name: `olivia rated`.
    columns: [
        &["Title"],
        &[],
        &["Runtime (mins)", "Runtime"],
        &["Year"],
        &["Your Rating", "You rated", "* rated"],
    ],
    titles: Titles::Loose,
    years: Years::Numbers,
    ratings: Some(Scale { least: 1.0, most: 10.0, zero_is_none: true }),
    kinds: Some(KINDS),
};

/// The types have changed names several times, and an account in another language has them in that language:
/// `Feature Film` (until 2017), `movie`, `Movie`; `Película`, `Kurzfilm`. So parts of words count, beginning with
/// those of what is no film: a documentary series is a series.
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
