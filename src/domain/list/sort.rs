//! Sort orders of lists.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::domain::{Code, Invalid, Movie, quoted, sort_key};

/// Sort keys of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    Id,
    Title,
    MovieFormat,
    Length,
    ReleaseYear,
    Rating,
    CreatedAt,
    UpdatedAt,
}

impl SortKey {
    /// All keys.
    pub const ALL: [Self; 8] = [
        Self::Id,
        Self::Title,
        Self::MovieFormat,
        Self::Length,
        Self::ReleaseYear,
        Self::Rating,
        Self::CreatedAt,
        Self::UpdatedAt,
    ];

    /// Returns the name of the key: the movie's field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Title => "title",
            Self::MovieFormat => "movieFormat",
            Self::Length => "length",
            Self::ReleaseYear => "releaseYear",
            Self::Rating => "rating",
            Self::CreatedAt => "createdAt",
            Self::UpdatedAt => "updatedAt",
        }
    }

    /// Returns the value of a movie under this key.
    #[must_use]
    pub fn value_of(self, movie: &Movie) -> KeyValue {
        let a = &movie.attributes;
        match self {
            Self::Id => KeyValue::Number(movie.id.get()),
            Self::Title => KeyValue::Text(sort_key(a.title.as_str())),
            Self::MovieFormat => KeyValue::Text(a.movie_format.as_str().to_owned()),
            Self::Length => KeyValue::Number(a.length.get()),
            Self::ReleaseYear => KeyValue::Number(a.release_year.get()),
            Self::Rating => KeyValue::Number(a.rating.get()),
            Self::CreatedAt => KeyValue::Number(movie.created_at.as_millis()),
            Self::UpdatedAt => KeyValue::Number(movie.updated_at.as_millis()),
        }
    }
}

/// A sort order: keys, each with whether it is descending. The last key is always `id`, so that no two movies
/// are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort(Vec<(SortKey, bool)>);

impl Default for Sort {
    fn default() -> Self {
        Self(vec![(SortKey::Id, false)])
    }
}

impl Sort {
    /// Sorts by one key, ascending.
    #[must_use]
    pub fn of(key: SortKey) -> Self {
        let id = (key != SortKey::Id).then_some((SortKey::Id, false));
        Self(std::iter::once((key, false)).chain(id).collect())
    }

    /// Parses a comma-separated list of keys; `-` before a key means descending.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for an unknown or empty key; [`Code::Repeated`] for a repeated one.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut keys: Vec<(SortKey, bool)> = Vec::new();
        for part in text.split(',') {
            let (name, descending) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
            let key = SortKey::ALL.into_iter().find(|key| key.as_str() == name).ok_or_else(|| {
                let names = SortKey::ALL.map(SortKey::as_str).join(", ");
                Invalid::new(Code::NotAllowed, format!("must name {names}, each with - before it or not"))
                    .got(quoted(part))
            })?;
            if keys.iter().any(|(earlier, _)| *earlier == key) {
                return Err(Invalid::new(Code::Repeated, format!("must name {name} only once")));
            }
            keys.push((key, descending));
        }
        match keys.iter().position(|(key, _)| *key == SortKey::Id) {
            Some(id) => keys.truncate(id + 1), // ids are unique, so later keys have no effect
            None => keys.push((SortKey::Id, false)),
        }
        Ok(Self(keys))
    }

    /// Returns the keys, each with whether it is descending.
    #[must_use]
    pub fn keys(&self) -> &[(SortKey, bool)] {
        &self.0
    }

    /// Compares two movies.
    #[must_use]
    pub fn compare(&self, one: &Movie, other: &Movie) -> Ordering {
        let orders = self.0.iter().map(|(key, descending)| {
            let order = key.value_of(one).cmp(&key.value_of(other));
            if *descending { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    }

    /// Returns the reverse order.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self(self.0.iter().map(|(key, descending)| (*key, !descending)).collect())
    }

    /// Writes the order as in a query.
    pub(super) fn spelled(&self) -> String {
        let keys: Vec<String> = self
            .0
            .iter()
            .map(|(key, descending)| format!("{}{}", if *descending { "-" } else { "" }, key.as_str()))
            .collect();
        keys.join(",")
    }
}

/// The value of a movie under one sort key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyValue {
    Number(i64),
    Text(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_always_ends_with_id() {
        let keys = |text| Sort::parse(text).unwrap().0;
        assert_eq!(
            keys("-rating,title"),
            [(SortKey::Rating, true), (SortKey::Title, false), (SortKey::Id, false)]
        );
        assert_eq!(keys("-id,title"), [(SortKey::Id, true)]);
        for bad in ["", "title,", "name", "--title", "title,-title", "title, rating", "Title"] {
            assert!(Sort::parse(bad).is_err(), "{bad}");
        }
    }
}
