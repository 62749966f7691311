//! API tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::{Id, Moment, RoleName, TokenTitle};
use crate::{
    domain::{Role, Time, TokenId, TokenName, Violation},
    json::{JsonValue, ObjectReader},
};

/// An API token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    #[schema(value_type = Id)]
    pub id: TokenId,
    #[schema(value_type = String)]
    pub name: TokenName,
    // The maximum role; the user's role may be less.
    #[schema(value_type = RoleName)]
    pub role: Role,
    #[schema(value_type = Moment)]
    pub created_at: Time,
    /// Null if it never expires.
    #[schema(required = true, value_type = Option<String>)]
    pub expires_at: Option<Time>,
}

impl Token {
    /// Returns whether it has not expired.
    #[must_use]
    pub fn is_valid(&self, now: Time) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// A new API token with its secret.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct MadeToken {
    #[serde(flatten)]
    pub details: Token,
    /// The secret token, shown only once.
    #[schema(pattern = "^rsh_")]
    pub token: String,
}

/// A request for a new API token.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewToken {
    #[schema(value_type = TokenTitle)]
    pub name: TokenName,
    /// The maximum role; by default one's own.
    #[schema(required = false, value_type = RoleName)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// A time in the future; by default it never expires.
    #[schema(required = false, format = DateTime, value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

impl NewToken {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// All violations.
    pub fn read(node: &JsonValue) -> Result<Self, Vec<Violation>> {
        let mut members = ObjectReader::of(node, "")?;
        let name = members.required("name", |node| TokenName::parse(node.text()?));
        let role = members.optional("role", |node| Role::parse(node.text()?));
        let expires_at = members.optional("expiresAt", |node| match node {
            JsonValue::Null => Ok(None),
            node => Time::parse(node.text()?).map(Some),
        });
        let (name, role, expires_at) = members.finish((name, role, expires_at))?;
        Ok(Self { name, role, expires_at: expires_at.flatten() })
    }
}
