//! What a layout is, and how a file's layout is found.

use super::{MOVIELENS, REELSHELF, clz, imdb, letterboxd, libib, tellico};
use crate::{
    documents::Source,
    domain::{Field, PerField, fold},
    exchange::is_name_of,
};

/// The layout of a service.
pub struct Layout {
    pub source: Source,
    /// The columns that identify the layout: all columns of one of these sets.
    pub known_by: &'static [&'static [&'static str]],
    /// Lists of the service, whose header is not on the first line.
    pub list: Option<List>,
    /// Possible columns of each attribute. The first one in the header is used. `* rated` is any name with this
    /// ending, except that of a date.
    pub columns: PerField<&'static [&'static str]>,
    pub titles: Titles,
    pub years: Years,
    /// The scale of ratings; `None` if ratings and formats are written exactly as they are stored.
    pub ratings: Option<Scale>,
    /// What distinguishes films from other rows, if a file has both.
    pub kinds: Option<Kinds>,
}

/// A list of films whose header is below a description of the list.
pub struct List {
    /// The beginning of the first line.
    pub first_line: &'static str,
    /// The columns of the description.
    pub described_by: &'static [&'static str],
    /// The columns of the films.
    pub films: &'static [&'static str],
}

/// The notation of titles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Titles {
    /// As stored.
    AsIs,
    /// With HTML entities and line breaks.
    Loose,
    /// Loose, with a trailing article (`Matrix, The`), and with the year if no column has it.
    Shelved,
    /// Shelved, with second titles in parentheses.
    ShelvedTwice,
}

/// The notation of years.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Years {
    /// Numbers.
    Numbers,
    /// Numbers, or dates of any format.
    Dates,
}

/// A scale of ratings; its maximum corresponds to 5.
#[derive(Clone, Copy)]
pub struct Scale {
    pub least: f64,
    pub most: f64,
    /// Whether 0 means "no rating".
    pub zero_is_none: bool,
}

/// The column with the kind of a row. Kinds are compared without case, accents, spaces and signs.
pub struct Kinds {
    pub column: &'static str,
    /// Kinds of films, checked first.
    pub films: &'static [&'static str],
    /// Substrings of kinds that are not films.
    pub others: &'static [&'static str],
    /// Substrings of other kinds of films.
    pub parts: &'static [&'static str],
}

/// All layouts, in the order of detection. Ours comes first with its unique column names, and last with names
/// that others share.
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
    /// Returns the layout with this header.
    pub fn of_header(names: &[String]) -> Option<&'static Self> {
        ALL.into_iter().find(|layout| layout.knows(names))
    }

    /// Returns the layout of a service that matches the header; `None` for `auto`.
    pub fn of_source(source: Source, names: &[String]) -> Option<&'static Self> {
        let of_source = || ALL.into_iter().filter(|layout| layout.source == source);
        of_source().find(|layout| layout.knows(names)).or_else(|| of_source().next())
    }

    /// Returns the list whose description begins with this line.
    pub fn list_of(first: &[String]) -> Option<&'static List> {
        let begins = |list: &&List| {
            first.first().is_some_and(|cell| cell.starts_with(list.first_line))
                || names_all(list.described_by, first)
        };
        ALL.into_iter()
            .filter(|layout| !layout.knows(first))
            .filter_map(|layout| layout.list.as_ref())
            .find(begins)
    }

    /// Returns whether this is the header of a file with this layout. Common names identify it only if it reads
    /// all the common names of the header; otherwise it is a spreadsheet of the user's own.
    pub fn knows(&self, names: &[String]) -> bool {
        let is_common =
            |set: &[&str]| set.iter().all(|name| Field::ALL.iter().any(|of| is_name_of(name, *of)));
        self.known_by
            .iter()
            .any(|set| names_all(set, names) && (!is_common(set) || self.reads_all_common(names)))
    }

    /// Returns whether it has a column for each attribute for which the header has a common name.
    fn reads_all_common(&self, names: &[String]) -> bool {
        Field::ALL.into_iter().all(|of| {
            self.columns[of].iter().any(|column| place(column, names).is_some())
                || !names.iter().any(|name| is_name_of(name, of))
        })
    }
}

impl List {
    /// Returns whether this is the header of the films.
    pub fn is_header(&self, names: &[String]) -> bool {
        names_all(self.films, names)
    }
}

fn names_all(columns: &[&str], names: &[String]) -> bool {
    columns.iter().all(|column| place(column, names).is_some())
}

/// Returns the index of a column, ignoring case, which services have changed.
pub fn place(column: &str, names: &[String]) -> Option<usize> {
    if let Some(end) = column.strip_prefix('*') {
        let ends = |name: &String| name.to_lowercase().strip_suffix(end).is_some_and(|start| start != "date");
        return names.iter().position(ends);
    }
    let exact = names.iter().position(|name| name == column);
    exact.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(column)))
}

impl Kinds {
    /// Returns whether a kind is a film; `None` if the kind is unknown.
    pub fn is_film(&self, kind: &str) -> Option<bool> {
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
