//! Browser sessions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::{Id, Moment};
use crate::domain::{SessionId, Time};

/// A browser session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    #[schema(value_type = Id)]
    pub id: SessionId,
    /// The client's address at sign-in.
    pub address: String,
    /// The `User-Agent` header at sign-in.
    pub user_agent: String,
    #[schema(value_type = Moment)]
    pub created_at: Time,
    #[schema(value_type = Moment)]
    pub seen_at: Time,
    /// Whether it is the session of this request.
    pub current: bool,
}
