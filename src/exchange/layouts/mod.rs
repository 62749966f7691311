//! The layouts of CSV files that are known, each a table of rules in a file of its own.

mod clz;
mod imdb;
mod letterboxd;
mod libib;
mod movielens;
mod reelshelf;
mod tellico;

pub(super) use letterboxd::LETTERBOXD;
pub(super) use movielens::MOVIELENS;
pub(super) use reelshelf::REELSHELF;

use super::Source;

/// How a service writes films.
pub(super) struct Layout {
    pub source: Source,
    /// Columns by which the layout is known: all of one of these sets.
    pub known_by: &'static [&'static [&'static str]],
    /// How the first line begins where others stand before the header.
    pub preamble: Option<&'static str>,
    /// The columns in which each attribute may stand, in the order of `Field::ALL`. The first that the
    /// header names is taken.
    pub columns: [&'static [&'static str]; 5],
    pub titles: Titles,
    pub years: Years,
    /// The ratings; without a scale they are ours, whole numbers.
    pub ratings: Option<Scale>,
    /// What tells films from the rest, where a file holds both.
    pub kinds: Option<Kinds>,
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

/// The column that says what a row is, and the kinds that are films: in small letters, without blanks
/// and the like.
pub(super) struct Kinds {
    pub column: &'static str,
    pub films: &'static [&'static str],
}

/// Every layout, in the order in which they are tried. Ours comes first and last: it is known by the
/// names that only it has, and else by those that others have too.
const ALL: [&Layout; 7] =
    [&REELSHELF, &LETTERBOXD, &imdb::IMDB, &MOVIELENS, &libib::LIBIB, &tellico::TELLICO, &clz::CLZ];

impl Layout {
    /// The layout whose header this is.
    pub(super) fn of_header(names: &[String]) -> Option<&'static Self> {
        ALL.into_iter().find(|layout| layout.knows(names))
    }

    /// The layout of a service; none for `auto`.
    pub(super) fn of_source(source: Source) -> Option<&'static Self> {
        ALL.into_iter().find(|layout| layout.source == source)
    }

    /// The layout in whose files such a line stands before the header.
    pub(super) fn of_preamble(line: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|layout| layout.preamble.is_some_and(|preamble| line.starts_with(preamble)))
    }

    /// Whether this is the header of such a file.
    pub(super) fn knows(&self, names: &[String]) -> bool {
        self.known_by.iter().any(|set| set.iter().all(|name| self.place(name, names).is_some()))
    }

    /// Where a column stands. Ours are spelled exactly; services changed the case of theirs.
    pub(super) fn place(&self, column: &str, names: &[String]) -> Option<usize> {
        names.iter().position(|name| {
            name == column || self.source != Source::Reelshelf && name.eq_ignore_ascii_case(column)
        })
    }
}

impl Kinds {
    /// Whether a row of that kind is a film.
    pub(super) fn is_film(&self, kind: &str) -> bool {
        let plain: String = kind.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-')).collect();
        self.films.contains(&plain.to_lowercase().as_str())
    }
}
