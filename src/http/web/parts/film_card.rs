//! A film on the shelf. Its appearance depends on its title.

use crate::{
    domain::{Attributes, Movie, MovieFormat, MovieId, fold},
    format,
};

/// The data of a film for the templates.
pub struct Film<'a> {
    pub id: MovieId,
    pub version: i64,
    pub title: &'a str,
    pub format: &'static str,
    /// The CSS class of the box.
    pub kind: &'static str,
    pub year: i64,
    /// `None` if unknown.
    pub length: Option<String>,
    pub rating: i64,
    /// The full ones; the style sheet adds the hollow ones.
    pub stars: String,
    /// One of the 24 hues of the style sheet.
    pub hue: u64,
    /// One of the 6 heights.
    pub height: u64,
    /// The font size class of the title.
    pub size: &'static str,
    /// Whether all of the title is turned sideways on a spine.
    pub sideways: bool,
    pub post: Option<super::sections::Section>,
    /// Whether it was just added, so that the page scrolls to it.
    pub added: bool,
}

impl<'a> Film<'a> {
    pub fn of(movie: &'a Movie) -> Self {
        let Attributes { title, movie_format, length, release_year, rating } = &movie.attributes;
        let title = title.as_str();
        let look = hash(title);
        // On a spine the title is one line; on a tile it is broken between words.
        let word = match movie_format {
            MovieFormat::Streaming => title.split_whitespace().map(width).max().unwrap_or_default(),
            MovieFormat::Vhs | MovieFormat::Dvd => 0,
        };
        Self {
            id: movie.id,
            version: movie.version,
            title,
            format: movie_format.as_str(),
            kind: match movie_format {
                MovieFormat::Vhs => "vhs",
                MovieFormat::Dvd => "dvd",
                MovieFormat::Streaming => "tile",
            },
            year: release_year.get(),
            length: (length.get() > 0).then(|| format::length(length.get())),
            rating: rating.get(),
            stars: format::stars(rating.get()).replace('☆', ""),
            hue: look % 24,
            height: look / 24 % 6,
            size: match (width(title), word) {
                (0..=22, 0..=8) => "",
                (0..=30, 0..=9) => " long",
                _ => " longer",
            },
            sideways: has_fraction(title) && width(title) == title.chars().count(),
            post: None,
            added: false,
        }
    }

    /// Formats the stars in words.
    pub fn spoken(&self) -> String {
        format::stars_in_words(self.rating)
    }
}

/// FNV-1a of the folded title, so that the appearance is stable.
fn hash(title: &str) -> u64 {
    let bytes = fold(title).into_bytes();
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 32) // the lower bits alone are unevenly distributed
}

/// Returns the width of a title in narrow letters; East Asian letters count twice.
fn width(title: &str) -> usize {
    title.chars().map(|c| if ('\u{1100}'..'\u{fb00}').contains(&c) && c > '\u{2e7f}' { 2 } else { 1 }).sum()
}

/// Returns whether a title has a character such as ½, which stays upright in vertical text.
fn has_fraction(title: &str) -> bool {
    title.contains(|c| matches!(c, '¼'..='¾' | '\u{2150}'..='\u{218f}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_follows_from_the_title_alone() {
        assert_eq!(hash("Amélie"), hash("AMELIE"));
        assert_ne!(hash("Alien"), hash("Aliens"));
        let looks: std::collections::BTreeSet<u64> =
            (0..400).map(|n| hash(&format!("Film {n}")) % 144).collect();
        assert!(looks.len() > 120, "{}", looks.len());
    }

    #[test]
    fn wide_letters_take_more_room() {
        assert_eq!([width("Heat"), width("千と千尋"), width("الرسالة")], [4, 8, 7]);
    }

    #[test]
    fn fractions_stay_upright_in_vertical_text() {
        let titles = ["8½", "9¾ Weeks", "Ⅷ", "Alien³", "1/2", "八½"];
        assert_eq!(titles.map(has_fraction), [true, true, true, false, false, true]);
    }
}
