//! Problem documents (RFC 9457): the single place that maps errors to responses.

use crate::{
    db::DbError,
    documents::{self, ProblemKind},
    domain::{Code, Invalid, Reason, Violation},
    service::Error,
};
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// Seconds for `Retry-After` if the database cannot be reached.
const RETRY_AFTER_OUTAGE: u64 = 5;
/// Seconds for `Retry-After` if too many sign-ins wait.
const RETRY_AFTER_OVERLOAD: u64 = 5;

/// An error response.
#[derive(Debug, Clone)]
pub struct Problem {
    pub document: Box<documents::Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Creates a problem with a status and a sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let document = documents::Problem {
            r#type: kind_of(status).address(),
            title: title(status).to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            reason: Reason::default(),
            errors: Vec::new(),
            report: None,
            changes: Vec::new(),
        };
        Self { document: Box::new(document), headers: Vec::new() }
    }

    /// Creates a problem with violations: 422 for a body, 400 for a query.
    pub fn invalid(status: StatusCode, errors: Vec<Violation>) -> Self {
        let what = if status == StatusCode::BAD_REQUEST { "query parameter" } else { "field" };
        let detail = match errors.len() {
            1 => format!("1 {what} is invalid"),
            n => format!("{n} {what}s are invalid"),
        };
        let kind = if status == StatusCode::BAD_REQUEST {
            ProblemKind::InvalidParameters
        } else {
            ProblemKind::InvalidFields
        };
        Self::new(status, detail).of_kind(kind).with_violations(errors)
    }

    fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.document.errors = violations.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a more specific kind than the status implies.
    #[must_use]
    fn of_kind(mut self, kind: ProblemKind) -> Self {
        self.document.r#type = kind.address();
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Serializes the document.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(&self.document).unwrap_or_default();
        json.push(b'\n');
        json
    }
}

/// Returns the kind of problem for a status.
fn kind_of(status: StatusCode) -> ProblemKind {
    match status {
        StatusCode::UNAUTHORIZED => ProblemKind::NotSignedIn,
        StatusCode::FORBIDDEN => ProblemKind::Forbidden,
        StatusCode::NOT_FOUND => ProblemKind::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ProblemKind::MethodNotAllowed,
        StatusCode::NOT_ACCEPTABLE => ProblemKind::NotAcceptable,
        StatusCode::REQUEST_TIMEOUT => ProblemKind::RequestTimeout,
        StatusCode::CONFLICT => ProblemKind::Conflict,
        StatusCode::PRECONDITION_FAILED => ProblemKind::PreconditionFailed,
        StatusCode::PAYLOAD_TOO_LARGE => ProblemKind::ContentTooLarge,
        StatusCode::URI_TOO_LONG => ProblemKind::AddressTooLong,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemKind::UnsupportedMediaType,
        StatusCode::UNPROCESSABLE_ENTITY => ProblemKind::InvalidFields,
        StatusCode::TOO_MANY_REQUESTS => ProblemKind::TooManyAtOnce,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ProblemKind::HeadTooLarge,
        StatusCode::SERVICE_UNAVAILABLE => ProblemKind::Unavailable,
        status if status.is_server_error() => ProblemKind::InternalError,
        _ => ProblemKind::MalformedRequest,
    }
}

/// Returns the reason phrase of RFC 9110, which is newer than the library's.
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
        status => status.canonical_reason().unwrap_or("Error"),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let of = |status| Self::new(status, error.to_string());
        match &error {
            Error::NotFound(_) => of(StatusCode::NOT_FOUND),
            Error::Invalid(violations) => Self::invalid(StatusCode::UNPROCESSABLE_ENTITY, violations.clone()),
            Error::PreconditionFailed { current } => {
                let problem = of(StatusCode::PRECONDITION_FAILED);
                match HeaderValue::try_from(format!("\"{current}\"")) {
                    Ok(etag) => problem.with_header(header::ETAG, etag),
                    Err(_) => problem,
                }
            }
            Error::Operation { place, cause } => {
                let (status, member, code) = match &**cause {
                    Error::PreconditionFailed { .. } => {
                        (StatusCode::PRECONDITION_FAILED, "version", Code::Outdated)
                    }
                    _ => (StatusCode::NOT_FOUND, "id", Code::NotFound),
                };
                let rule = Invalid::new(code, cause.to_string());
                let violation = Violation::at(format!("/operations/{place}/{member}"), rule);
                of(status).with_violations(vec![violation])
            }
            Error::Conflict(_) => of(StatusCode::CONFLICT),
            Error::UndoConflict { changes, .. } => {
                let mut problem = of(StatusCode::CONFLICT).of_kind(ProblemKind::UndoConflict);
                problem.document.changes.clone_from(changes);
                problem
            }
            Error::Unauthenticated(_) => of(StatusCode::UNAUTHORIZED),
            Error::Forbidden(_) => of(StatusCode::FORBIDDEN),
            Error::TooManyAttempts { retry_after } => of(StatusCode::TOO_MANY_REQUESTS)
                .of_kind(ProblemKind::TooManySignIns)
                .with_header(header::RETRY_AFTER, *retry_after),
            Error::Overloaded => {
                of(StatusCode::SERVICE_UNAVAILABLE).with_header(header::RETRY_AFTER, RETRY_AFTER_OVERLOAD)
            }
            Error::ImportAborted(report) => {
                let mut problem = of(StatusCode::UNPROCESSABLE_ENTITY).of_kind(ProblemKind::ImportRejected);
                problem.document.report = Some(report.clone());
                problem
            }
            Error::UnreadableFile(invalid) => {
                let mut problem = of(StatusCode::UNPROCESSABLE_ENTITY).of_kind(ProblemKind::UnreadableFile);
                problem.document.reason = invalid.reason.clone();
                problem
            }
            Error::KeyReused => of(StatusCode::UNPROCESSABLE_ENTITY).of_kind(ProblemKind::KeyReused),
            Error::NotReady(_) => {
                of(StatusCode::SERVICE_UNAVAILABLE).with_header(header::RETRY_AFTER, RETRY_AFTER_OUTAGE)
            }
            // The following details are internal: they are logged and not sent.
            Error::Db(DbError::Unavailable(_) | DbError::RolledBack(_)) => {
                tracing::error!(%error, "the database cannot be reached");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached at the moment")
                    .with_header(header::RETRY_AFTER, RETRY_AFTER_OUTAGE)
            }
            Error::Db(_) | Error::Failed(_) => {
                tracing::error!(%error, "a request failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the service failed; its log has the cause under this request's id",
                )
            }
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.to_json();
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
        let headers = AppendHeaders(self.headers.clone());
        let mut response = (self.status(), content_type, headers, body).into_response();
        response.extensions_mut().insert(self); // for the error page, `web/error.rs`
        response
    }
}

/// Replaces the framework's own error responses, which are plain text or empty, by problem documents.
pub fn normalize(response: Response) -> Response {
    let status = response.status();
    let is_document = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| {
        let value = value.as_bytes();
        value.starts_with(MEDIA_TYPE.as_bytes()) || value.starts_with(b"text/html")
    });
    if !(status.is_client_error() || status.is_server_error()) || is_document {
        return response;
    }
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            "this address does not take that method; Allow names those it takes"
        }
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
        // The framework rejects nothing else with this status.
        StatusCode::BAD_REQUEST => "the address is no UTF-8 when its percent signs are decoded",
        StatusCode::NOT_FOUND => "there is nothing at this address",
        _ => title(status),
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    let mut problem = Problem::new(status, detail).into_response();
    problem.headers_mut().extend(parts.headers);
    problem.extensions_mut().extend(parts.extensions); // the identity, for the error page
    problem
}

/// Maps a panic to a response without details.
#[expect(clippy::needless_pass_by_value, reason = "the layer that catches panics passes it so")]
pub fn of_panic(panic: Box<dyn std::any::Any + Send>) -> Response<Body> {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    Problem::from(Error::Failed(format!("panicked: {message}"))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_leads_to_a_kind_of_that_status() {
        for kind in ProblemKind::ALL {
            let status = StatusCode::from_u16(kind.page().status).unwrap();
            assert_eq!(kind_of(status).page().status, status.as_u16());
        }
    }
}
