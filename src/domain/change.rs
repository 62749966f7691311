//! A change of the collection: one thing that somebody did and that was committed as a whole.

use serde::{Deserialize, Serialize};

use super::{Code, Invalid};

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    Create,
    Update,
    Delete,
    Import,
    Batch,
    Undo,
    Restore,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Update, Self::Delete, Self::Import, Self::Batch, Self::Undo, Self::Restore];

    /// Whether such a change touches one movie alone, unless it is made of a selection.
    #[must_use]
    pub const fn is_of_one_movie(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }

    /// The kind's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Import => "import",
            Self::Batch => "batch",
            Self::Undo => "undo",
            Self::Restore => "restore",
        }
    }

    /// Reads a kind's name.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            Invalid::new(Code::NotAllowed, format!("must be a kind of change, got {}", super::quoted(text)))
        })
    }
}
