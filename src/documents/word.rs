//! Values that a newer version of the service may extend, such as codes.

use serde::{Deserialize, Serialize};

/// A value that this version knows, or one of a newer version of the service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Word<T, Other = String> {
    Known(T),
    Other(Other),
}

impl<T, Other> Word<T, Other> {
    /// Returns the word if this version knows it.
    pub const fn as_known(&self) -> Option<&T> {
        match self {
            Self::Known(word) => Some(word),
            Self::Other(_) => None,
        }
    }
}

impl<T: Copy> Word<T> {
    /// Returns the word if this version knows it.
    pub fn known(&self) -> Option<T> {
        self.as_known().copied()
    }
}

impl<T, Other> From<T> for Word<T, Other> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: Default> Default for Word<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::documents::{Change, Preview};

    fn read<T: Serialize + for<'de> Deserialize<'de>>(json: &Value) -> T {
        let value: T = serde_json::from_value(json.clone()).expect("a document");
        assert_eq!(serde_json::to_value(&value).expect("JSON"), *json);
        value
    }

    #[test]
    fn words_of_a_newer_version_are_kept() {
        let time = "2026-11-23T20:15:00.123Z";
        let change: Change = read(&json!({
            "id": 1, "at": time, "by": "olivia", "via": "password", "kind": "merge", "movies": 0, "effects": [],
            "undoes": null, "undoneBy": null
        }));
        assert_eq!(change.kind, Word::Other("merge".to_owned()));
        let film = |format: &str| {
            let movie = json!({"title": "Heat", "movieFormat": format, "length": 170, "releaseYear": 1995, "rating": 5});
            let row: Preview = read(&json!({"line": 2, "becomes": "created", "movie": movie, "id": null}));
            row.movie.and_then(|movie| movie.as_known().map(|film| film.title.as_str().to_owned()))
        };
        assert_eq!(film("DVD").as_deref(), Some("Heat"));
        assert_eq!(film("Laserdisc"), None);
    }
}
