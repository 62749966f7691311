//! Users, as owners see and change them.

use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::schema::{self, Moment, NewPassword, RoleName};
use crate::{
    domain::{Password, Role, Time, UserName, Violation},
    json::{JsonValue, ObjectReader},
};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    #[schema(value_type = String)]
    pub name: UserName,
    #[schema(value_type = RoleName)]
    pub role: Role,
    #[schema(value_type = Moment)]
    pub created_at: Time,
}

/// A request for a new user.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    #[schema(value_type = schema::UserName)]
    pub name: UserName,
    #[schema(value_type = RoleName)]
    pub role: Role,
    #[schema(value_type = NewPassword)]
    #[serde(serialize_with = "exposed")]
    pub password: Password,
}

/// A change of a user.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserChanges {
    #[schema(required = false, value_type = RoleName)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[schema(required = false, value_type = NewPassword)]
    #[serde(serialize_with = "exposed_if_any", skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Whether to revoke the user's tokens, too; only with a new password.
    #[schema(required = false)]
    pub revoke_tokens: bool,
}

/// Serializes a password for a request that sets it; passwords are written nowhere else.
fn exposed<S: Serializer>(password: &Password, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(password.expose())
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn exposed_if_any<S: Serializer>(password: &Option<Password>, serializer: S) -> Result<S::Ok, S::Error> {
    password.as_ref().map(Password::expose).serialize(serializer)
}

impl NewUser {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// All violations.
    pub fn read(node: &JsonValue) -> Result<Self, Vec<Violation>> {
        let mut members = ObjectReader::of(node, "")?;
        let name = members.required("name", |node| UserName::parse_new(node.text()?));
        let role = members.required("role", |node| Role::parse(node.text()?));
        let password = members.required("password", |node| Password::parse(node.secret()?, name.value()));
        let (name, role, password) = members.finish((name, role, password))?;
        Ok(Self { name, role, password })
    }
}

impl UserChanges {
    /// Reads the body of a request that changes the user `name`.
    ///
    /// # Errors
    /// All violations.
    pub fn read(node: &JsonValue, name: &UserName) -> Result<Self, Vec<Violation>> {
        let mut members = ObjectReader::of(node, "")?;
        let role = members.optional("role", |node| Role::parse(node.text()?));
        let password = members.optional("password", |node| Password::parse(node.secret()?, name));
        let revoke_tokens = members.optional("revokeTokens", JsonValue::boolean);
        let (role, password, revoke_tokens) = members.finish((role, password, revoke_tokens))?;
        Ok(Self { role, password, revoke_tokens: revoke_tokens.unwrap_or_default() })
    }
}
