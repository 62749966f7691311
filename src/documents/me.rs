//! The signed-in user, sign-in, and change of password.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::{NewPassword, RoleName};
use crate::{
    domain::{Role, UserName, Violation},
    json::{JsonValue, ObjectReader},
};

/// The signed-in user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    #[schema(value_type = String)]
    pub name: UserName,
    #[schema(value_type = RoleName)]
    pub role: Role,
}

/// User name and password.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    #[schema(example = "olivia")]
    pub name: String,
    #[schema(example = "a shelf full of tapes")]
    pub password: String,
}

impl Login {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// All violations.
    pub fn read(node: &JsonValue) -> Result<Self, Vec<Violation>> {
        let mut members = ObjectReader::of(node, "")?;
        let name = members.required("name", |node| node.text().map(str::to_owned));
        let password = members.required("password", |node| node.secret().map(str::to_owned));
        let (name, password) = members.finish((name, password))?;
        Ok(Self { name, password })
    }
}

/// A new password, with the current one. Its rules are checked after the current password, so it is plain
/// text here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordChange {
    pub present_password: String,
    #[schema(value_type = NewPassword)]
    pub password: String,
    /// Whether to revoke one's own tokens, too.
    #[schema(required = false)]
    pub revoke_tokens: bool,
}

impl PasswordChange {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// All violations.
    pub fn read(node: &JsonValue) -> Result<Self, Vec<Violation>> {
        let mut members = ObjectReader::of(node, "")?;
        let present = members.required("presentPassword", |node| node.secret().map(str::to_owned));
        let password = members.required("password", |node| node.secret().map(str::to_owned));
        let revoke_tokens = members.optional("revokeTokens", JsonValue::boolean);
        let (present_password, password, revoke_tokens) =
            members.finish((present, password, revoke_tokens))?;
        Ok(Self { present_password, password, revoke_tokens: revoke_tokens.unwrap_or_default() })
    }
}
