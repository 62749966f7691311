//! Sessions of the web pages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::{Id, Moment};
use crate::domain::{SessionId, Time};

/// A session of the web pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    #[schema(value_type = Id)]
    pub id: SessionId,
    /// The address from which it was begun.
    pub address: String,
    /// What the browser called itself.
    pub user_agent: String,
    #[schema(value_type = Moment)]
    pub created_at: Time,
    #[schema(value_type = Moment)]
    pub seen_at: Time,
    /// Whether it is the one that asks.
    pub current: bool,
}
