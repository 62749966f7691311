//! Forms: `application/x-www-form-urlencoded` bodies and queries.

use axum::{
    extract::{FromRequest, Request},
    http::{StatusCode, Uri, header},
};

use super::{
    body::{self, media_type, unsupported},
    query::is_utf8,
};
use crate::{
    http::{Shared, problem::Problem},
    limits::{MAX_BODY_BYTES, MAX_FORM_FIELDS, MAX_QUERY_PARAMETERS},
};

/// The fields of a form.
#[derive(Clone, Default)]
pub struct Form(pub(in crate::http) Vec<(String, String)>);

impl Form {
    /// Reads a form with limits on its size and number of fields.
    pub async fn read(max_bytes: usize, max_fields: usize, request: Request) -> Result<Self, Problem> {
        if media_type(request.headers()) != "application/x-www-form-urlencoded" {
            return Err(unsupported(header::ACCEPT, "application/x-www-form-urlencoded"));
        }
        let body = body::read_up_to(max_bytes, request).await?;
        let fields = form_urlencoded::parse(&body); // a lazy iterator, cheap to clone
        // Many short fields take many times the memory of the body, so they are counted first.
        if fields.count() > max_fields {
            let detail = format!("the form has more than {max_fields} fields");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        if !is_utf8(&body) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "the form must be UTF-8"));
        }
        Ok(Self(fields.into_owned().collect()))
    }

    /// Returns the fields of a query.
    pub fn of_address(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default().as_bytes();
        Self(form_urlencoded::parse(query).into_owned().take(MAX_QUERY_PARAMETERS).collect())
    }

    /// Returns the value of a field, or "" if it is missing.
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// Returns the value of a field, if it was sent.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Iterates over all values of a field.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest<Shared> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Shared) -> Result<Self, Problem> {
        Self::read(MAX_BODY_BYTES, MAX_FORM_FIELDS, request).await
    }
}
