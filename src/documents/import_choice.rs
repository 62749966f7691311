//! The options of an import that have a few named values.

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::schema::words;
use crate::domain::{Code, Invalid, quoted};

/// An option with a few named values. API, pages, command line and `/openapi.json` list them all from here.
pub trait Choice: Copy + Default + PartialEq + Send + Sync + 'static {
    /// The name of the option in the API and the form.
    const NAME: &'static str;
    /// All values in display order; the default comes first.
    const ALL: &'static [Self];

    /// Returns the value as written in the API and on the command line.
    fn as_str(self) -> &'static str;

    /// Returns the label on the page.
    fn label(self) -> &'static str;

    /// Parses a value.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for any other text.
    fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL.iter().copied().find(|choice| choice.as_str() == text).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|choice| choice.as_str()).collect();
            Invalid::new(Code::NotAllowed, format!("must be one of {}", words.join(", "))).got(quoted(text))
        })
    }
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $option:literal {
        $first:ident = $first_word:literal, $first_label:literal $(; $variant:ident = $word:literal, $label:literal)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub enum $name {
            #[default]
            #[serde(rename = $first_word)]
            $first,
            $(#[serde(rename = $word)] $variant,)*
        }

        impl Choice for $name {
            const NAME: &'static str = $option;
            const ALL: &'static [Self] = &[Self::$first $(, Self::$variant)*];

            fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$variant => $word,)*
                }
            }

            fn label(self) -> &'static str {
                match self {
                    Self::$first => $first_label,
                    $(Self::$variant => $label,)*
                }
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                words(Self::ALL.iter().map(|choice| choice.as_str())).into()
            }
        }

        impl ToSchema for $name {}
    };
}

choice!(
    /// The layout of the file.
    Source, "source" {
        Auto = "auto", "detect from the header";
        Reelshelf = "reelshelf", "Reelshelf";
        Letterboxd = "letterboxd", "Letterboxd";
        Imdb = "imdb", "IMDb";
        Movielens = "movielens", "MovieLens";
        Tellico = "tellico", "Tellico";
        Clz = "clz", "CLZ Movies";
        Libib = "libib", "Libib"
    }
);
choice!(
    /// What to do with a duplicate: a movie with the same title (ignoring case and accents), release year and
    /// format.
    OnDuplicate, "onDuplicate" {
        Skip = "skip", "keep mine";
        Add = "add", "add them once more";
        Update = "update", "take what the file says"
    }
);
choice!(
    /// What to do with the file if a row is invalid.
    OnError, "onError" {
        Abort = "abort", "import nothing";
        Skip = "skip", "import the others"
    }
);
choice!(
    /// What to do with a title of more than 50 characters.
    TitleTooLong, "titleTooLong" {
        Error = "error", "reject";
        Truncate = "truncate", "shorten with …"
    }
);
