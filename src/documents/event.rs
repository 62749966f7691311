//! Events of the stream of changes.

use serde::Serialize;
use utoipa::ToSchema;

use super::Change;

/// An event of the stream.
#[derive(Serialize, ToSchema)]
pub struct ChangeEvent {
    /// The id of the change, for `Last-Event-ID`.
    #[schema(pattern = "^[0-9]+$")]
    pub id: String,
    /// The change as JSON.
    #[schema(content_media_type = "application/json")]
    pub data: String,
}

impl ChangeEvent {
    /// Creates the event of a change.
    ///
    /// # Panics
    /// If the change cannot be written as JSON, which does not happen.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        let data = serde_json::to_string(change).expect("a change is JSON");
        Self { id: change.id.to_string(), data }
    }
}
