//! Cursors: the positions between pages of a list.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{KeyValue, Sort, SortKey};
use crate::domain::{Code, Invalid, Movie};

/// A cursor: the sort values of the last movie of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Vec<KeyValue>);

impl Cursor {
    /// Returns the cursor behind a movie.
    #[must_use]
    pub fn after(movie: &Movie, sort: &Sort) -> Self {
        Self(sort.keys().iter().map(|(key, _)| key.value_of(movie)).collect())
    }

    /// Returns the cursor before the first movie with this value under the first key.
    #[must_use]
    pub fn before(value: KeyValue, sort: &Sort) -> Self {
        let least = |(key, descending): &(SortKey, bool)| match (key, descending) {
            (SortKey::Title | SortKey::MovieFormat, false) => KeyValue::Text(String::new()),
            (SortKey::Title | SortKey::MovieFormat, true) => KeyValue::Text(char::MAX.to_string()),
            (_, false) => KeyValue::Number(i64::MIN),
            (_, true) => KeyValue::Number(i64::MAX),
        };
        Self(std::iter::once(value).chain(sort.keys().iter().skip(1).map(least)).collect())
    }

    /// Returns one value for each key.
    #[must_use]
    pub fn values(&self) -> &[KeyValue] {
        &self.0
    }

    /// Encodes the cursor as an opaque text for URLs.
    ///
    /// # Panics
    /// Never: numbers and texts can be serialized.
    #[must_use]
    pub fn encode(&self, sort: &Sort) -> String {
        let json = serde_json::to_vec(&(sort.spelled(), &self.0)).expect("numbers and texts are JSON");
        URL_SAFE_NO_PAD.encode(json)
    }

    /// Decodes a cursor of the same sort order.
    ///
    /// # Errors
    /// [`Code::Malformed`] for any other text.
    pub fn decode(text: &str, sort: &Sort) -> Result<Self, Invalid> {
        let invalid =
            || Invalid::new(Code::Malformed, "must be a cursor that this service gave for the same sort");
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (spelled, values): (String, Vec<KeyValue>) =
            serde_json::from_slice(&json).map_err(|_| invalid())?;
        let fits = |(value, (key, _)): (&KeyValue, &(SortKey, bool))| {
            let text = matches!(key, SortKey::Title | SortKey::MovieFormat);
            match value {
                KeyValue::Number(_) => !text,
                KeyValue::Text(value) => text && !value.contains('\0'),
            }
        };
        let ours = spelled == sort.spelled()
            && values.len() == sort.keys().len()
            && values.iter().zip(sort.keys()).all(fits);
        if ours { Ok(Self(values)) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_sort_only() {
        let sort = Sort::parse("title,-rating").unwrap();
        let cursor = Cursor(vec![KeyValue::Text("heat".into()), KeyValue::Number(5), KeyValue::Number(7)]);
        let text = cursor.encode(&sort);
        assert_eq!(Cursor::decode(&text, &sort), Ok(cursor));
        assert!(Cursor::decode(&text, &Sort::parse("title,rating").unwrap()).is_err());
        for bad in ["", "x", "bm90IG91cnM", &text[1..], &format!("{text}=")] {
            assert!(Cursor::decode(bad, &sort).is_err(), "{bad}");
        }
        let wrong_types = Cursor(vec![KeyValue::Number(1), KeyValue::Number(5), KeyValue::Number(7)]);
        assert!(Cursor::decode(&wrong_types.encode(&sort), &sort).is_err());
    }
}
