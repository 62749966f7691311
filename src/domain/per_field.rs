//! A value for each attribute of a movie.

use std::ops::{Index, IndexMut};

use super::Field;

/// A value for each attribute, such as its column in a file. The compiler names the places that a new
/// attribute needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerField<T> {
    pub title: T,
    pub movie_format: T,
    pub length: T,
    pub release_year: T,
    pub rating: T,
}

impl<T> PerField<T> {
    /// Makes the value of each attribute.
    pub fn from_fn(mut make: impl FnMut(Field) -> T) -> Self {
        Self {
            title: make(Field::Title),
            movie_format: make(Field::MovieFormat),
            length: make(Field::Length),
            release_year: make(Field::ReleaseYear),
            rating: make(Field::Rating),
        }
    }

    /// Iterates over the values, in the order of [`Field::ALL`].
    pub fn values(&self) -> impl Iterator<Item = &T> {
        Field::ALL.into_iter().map(|field| &self[field])
    }
}

impl<T: PartialEq> PerField<T> {
    /// Returns the first attribute with a value.
    pub fn field_of(&self, value: &T) -> Option<Field> {
        Field::ALL.into_iter().find(|field| self[*field] == *value)
    }
}

impl<T> Index<Field> for PerField<T> {
    type Output = T;

    fn index(&self, field: Field) -> &T {
        match field {
            Field::Title => &self.title,
            Field::MovieFormat => &self.movie_format,
            Field::Length => &self.length,
            Field::ReleaseYear => &self.release_year,
            Field::Rating => &self.rating,
        }
    }
}

impl<T> IndexMut<Field> for PerField<T> {
    fn index_mut(&mut self, field: Field) -> &mut T {
        match field {
            Field::Title => &mut self.title,
            Field::MovieFormat => &mut self.movie_format,
            Field::Length => &mut self.length,
            Field::ReleaseYear => &mut self.release_year,
            Field::Rating => &mut self.rating,
        }
    }
}
