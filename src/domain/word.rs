//! Enums that are words in JSON.

/// Implements `Serialize` and `Deserialize` by `as_str` and `ALL`, so that the words of a type are listed once.
macro_rules! serde_as_word {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
                known.ok_or_else(|| serde::de::Error::custom(format!("unknown word {text:?}")))
            }
        }
    };
}

pub(crate) use serde_as_word;
