//! Kinds of changes.

use super::{Code, Invalid, serde_as_word};

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Create,
    Update,
    Delete,
    Import,
    Batch,
    Undo,
    Restore,
}

serde_as_word!(ChangeKind);

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Update, Self::Delete, Self::Import, Self::Batch, Self::Undo, Self::Restore];

    /// Returns whether such a change modifies a single movie, unless it is a bulk edit.
    #[must_use]
    pub const fn is_of_one_movie(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }

    /// Returns the name of the kind.
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

    /// Parses the name of a kind.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            Invalid::new(Code::NotAllowed, "must be a kind of change").got(super::quoted(text))
        })
    }
}
