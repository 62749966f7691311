//! The layouts of CSV files that are known, each a table of rules in a file of its own.

mod clz;
mod imdb;
mod letterboxd;
mod libib;
mod movielens;
mod reelshelf;
mod tellico;

pub(super) use movielens::MOVIELENS;
pub(super) use reelshelf::REELSHELF;

use super::Source;
use crate::domain::fold;

/// How a service writes films.
pub(super) struct Layout {
    pub source: Source,
    /// Columns by which the layout is known: all of one of these sets.
    pub known_by: &'static [&'static [&'static str]],
    /// Its lists, whose header is not on the first line.
    pub list: Option<List>,
    /// The columns in which each attribute may be, in the order of `Field::ALL`. The first that the
    /// header names is taken. `* rated` is any name that ends so, except that of a date.
    pub columns: [&'static [&'static str]; 5],
    pub titles: Titles,
    pub years: Years,
    /// The ratings; without a scale they are ours, whole numbers.
    pub ratings: Option<Scale>,
    /// What tells films from the rest, where a file holds both.
    pub kinds: Option<Kinds>,
}

/// A list of films below a description of the list, which has a header of its own.
pub(super) struct List {
    /// How the first line may begin.
    pub first_line: &'static str,
    /// The columns of the description.
    pub described_by: &'static [&'static str],
    /// The columns of the films.
    pub films: &'static [&'static str],
}

/// How titles are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Titles {
    /// As they are to be stored.
    AsIs,
    /// With HTML entities and line breaks.
    Loose,
    /// Loose, a trailing article (`Matrix, The`), and the year behind it where no column has it.
    Shelved,
    /// Shelved, with second titles in parentheses.
    ShelvedTwice,
}

/// How years are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Years {
    /// As numbers.
    Numbers,
    /// As numbers or in dates of any form.
    Dates,
}

/// A scale of ratings, of which the greatest is our 5.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub least: f64,
    pub most: f64,
    /// Whether 0 stands for no rating.
    pub zero_is_none: bool,
}

/// The column that says what a row is. Kinds are compared as searches are, without case, accents, blanks and signs.
pub(super) struct Kinds {
    pub column: &'static str,
    /// Films, whatever parts their names have.
    pub films: &'static [&'static str],
    /// Parts of the names of what is no film.
    pub others: &'static [&'static str],
    /// Parts of the names of other films.
    pub parts: &'static [&'static str],
}

/// Every layout, in the order in which they are tried. Ours comes first and last: it is known by the
/// names that only it has, and else by those that others have too.
const ALL: [&Layout; 9] = [
    &REELSHELF,
    &letterboxd::LETTERBOXD,
    &imdb::IMDB,
    &MOVIELENS,
    &letterboxd::TEN_POINTS,
    &letterboxd::FIVE_STARS,
    &libib::LIBIB,
    &tellico::TELLICO,
    &clz::CLZ,
];

impl Layout {
    /// The layout whose header this is.
    pub(super) fn of_header(names: &[String]) -> Option<&'static Self> {
        ALL.into_iter().find(|layout| layout.knows(names))
    }

    /// The layout of a service, of several the one whose header this is; none for `auto`.
    pub(super) fn of_source(source: Source, names: &[String]) -> Option<&'static Self> {
        let of_source = || ALL.into_iter().filter(|layout| layout.source == source);
        of_source().find(|layout| layout.knows(names)).or_else(|| of_source().next())
    }

    /// The lists whose description begins with such a line.
    pub(super) fn list_of(first: &[String]) -> Option<&'static List> {
        let begins = |list: &&List| {
            first.first().is_some_and(|cell| cell.starts_with(list.first_line))
                || names_all(list.described_by, first)
        };
        ALL.into_iter()
            .filter(|layout| !layout.knows(first))
            .filter_map(|layout| layout.list.as_ref())
            .find(begins)
    }

    /// Whether this is the header of such a file.
    pub(super) fn knows(&self, names: &[String]) -> bool {
        self.known_by.iter().any(|set| names_all(set, names))
    }
}

impl List {
    /// Whether this is the header of the films.
    pub(super) fn is_header(&self, names: &[String]) -> bool {
        names_all(self.films, names)
    }
}

fn names_all(columns: &[&str], names: &[String]) -> bool {
    columns.iter().all(|column| place(column, names).is_some())
}

/// The index of a column. Services, and people, have changed the case of names.
pub(super) fn place(column: &str, names: &[String]) -> Option<usize> {
    if let Some(end) = column.strip_prefix('*') {
        let ends = |name: &String| name.to_lowercase().strip_suffix(end).is_some_and(|start| start != "date");
        return names.iter().position(ends);
    }
    let exact = names.iter().position(|name| name == column);
    exact.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(column)))
}

impl Kinds {
    /// Whether a row of that kind is a film; none if the kind is not known.
    pub(super) fn is_film(&self, kind: &str) -> Option<bool> {
        let plain: String = fold(kind).chars().filter(|c| c.is_alphanumeric()).collect();
        let has = |parts: &[&str]| parts.iter().any(|part| plain.contains(part));
        if self.films.contains(&plain.as_str()) {
            return Some(true);
        }
        if has(self.others) {
            return Some(false);
        }
        has(self.parts).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imdb_s_types_of_all_years_and_languages_are_films_or_not() {
        let kinds = imdb::IMDB.kinds.expect("kinds");
        for film in [
            "Feature Film",
            "TV Movie",
            "Short Film",
            "Documentary",
            "Video",
            "TV Special",
            "TV Short",
            "Short",
            "movie",
            "tvMovie",
            "tvSpecial",
            "tvShort",
            "video",
            "short",
            "Movie",
            "tv_movie",
            "Film",
            "Spielfilm",
            "Fernsehfilm",
            "Kurzfilm",
            "Película",
            "Película de TV",
            "Cortometraje",
            "Filme",
            "Curta-metragem",
            "Court-métrage",
            "Téléfilm",
            "Film per la TV",
            "Speciale TV",
            "Especial de TV",
            "Vídeo",
        ] {
            assert_eq!(kinds.is_film(film), Some(true), "{film}");
        }
        for other in [
            "TV Series",
            "Mini-Series",
            "TV Mini-Series",
            "TV Mini Series",
            "tvMiniSeries",
            "TV Episode",
            "Episode",
            "Video Game",
            "videoGame",
            "Game",
            "Podcast Series",
            "podcastEpisode",
            "Music Video",
            "musicVideo",
            "TV Pilot",
            "Documentary Series",
            "Serie TV",
            "Mini serie TV",
            "Fernsehserie",
            "Folge",
            "Videospiel",
            "Musikvideo",
            "Série télévisée",
            "Épisode",
            "Jeu vidéo",
            "Videojuego",
            "Minissérie",
            "Videogioco",
        ] {
            assert_eq!(kinds.is_film(other), Some(false), "{other}");
        }
        for unknown in ["Hologram", "tt0113277", "?"] {
            assert_eq!(kinds.is_film(unknown), None, "{unknown}");
        }
    }
}
