//! Creation of the first owner.

use serde::Serialize;
use utoipa::ToSchema;

use super::schema::{NewPassword, UserName};
use crate::{
    domain::Violation,
    json::{JsonValue, ObjectReader},
};

/// The first owner. Name and password are checked after the code, so they are plain text here.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The one-time code from the URL that the service printed at start.
    pub code: String,
    #[schema(value_type = UserName)]
    pub name: String,
    #[schema(value_type = NewPassword)]
    pub password: String,
}

impl Setup {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// All violations.
    pub fn read(node: &JsonValue) -> Result<Self, Vec<Violation>> {
        let mut members = ObjectReader::of(node, "")?;
        let mut text = |name| members.required(name, |node| node.secret().map(str::to_owned));
        let read = (text("code"), text("name"), text("password"));
        let (code, name, password) = members.finish(read)?;
        Ok(Self { code, name, password })
    }
}
