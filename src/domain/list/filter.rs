//! Filters of lists.

use super::{Bounds, FacetKey, FilterMatches};
use crate::{
    domain::{
        Code, Invalid, Movie, MovieFormat, matches_word, query_words, text::joined_spellings, title_words,
    },
    limits::MAX_SEARCH_CHARS,
};

/// A filter of movies. The default matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Folded search terms. Each must be a prefix of a word of the title, or of two words written as one.
    pub words: Vec<String>,
    /// Alternative spellings of the search; one of them is enough.
    pub spellings: Vec<Vec<String>>,
    /// The allowed formats; empty means all.
    pub movie_formats: Vec<MovieFormat>,
    pub length: Bounds,
    pub release_year: Bounds,
    pub rating: Bounds,
}

impl Filter {
    /// Sets the search terms from a text.
    ///
    /// # Errors
    /// [`Code::TooLong`] for more than [`MAX_SEARCH_CHARS`] characters.
    pub fn search(&mut self, text: &str) -> Result<(), Invalid> {
        if text.chars().count() > MAX_SEARCH_CHARS {
            return Err(Invalid::new(
                Code::TooLong,
                format!("must have at most {MAX_SEARCH_CHARS} characters"),
            ));
        }
        self.words = query_words(text);
        self.spellings = joined_spellings(text);
        Ok(())
    }

    /// Returns which filters, except the search, match these facet values.
    #[must_use]
    pub fn passes(&self, facets: &FacetKey) -> FilterMatches {
        FilterMatches {
            movie_format: self.movie_formats.is_empty() || self.movie_formats.contains(&facets.movie_format),
            length: self.length.contain(facets.length.get()),
            release_year: self.release_year.contain(facets.release_year.get()),
            rating: self.rating.contain(facets.rating.get()),
        }
    }

    /// Returns whether a movie matches the filter, including the search.
    #[must_use]
    pub fn finds(&self, movie: &Movie) -> bool {
        let title = movie.attributes.title.as_str();
        let words = title_words(title);
        let has = |typed: &String| words.iter().any(|word| word.starts_with(typed));
        self.passes(&FacetKey::of(movie)).all()
            && (self.words.iter().all(|typed| matches_word(title, &words, typed))
                || self.spellings.iter().any(|words| words.iter().all(has)))
    }
}
