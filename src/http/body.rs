//! Bodies of requests, and what they are taken for.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use http_body_util::BodyExt;

use super::{LARGEST_BODY, Shared, problem::Problem};
use crate::{domain::Violation, json::Node};

/// The media type of a request's body, in lower case and without parameters.
pub fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The refusal of a body of another media type; `accept` is the header that names those that are taken.
pub fn unsupported(accept: header::HeaderName, taken: &'static str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Content-Type must be one of {taken}"))
        .with_header(accept, HeaderValue::from_static(taken))
}

/// A JSON body.
pub struct Json(pub Node);

impl FromRequest<Shared> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Problem> {
        if media_type(request.headers()) != "application/json" {
            return Err(unsupported(header::ACCEPT, "application/json"));
        }
        read_json(request, state).await.map(Self)
    }
}

/// Reads a JSON body, whatever it is declared as.
pub async fn read_json(request: Request, state: &Shared) -> Result<Node, Problem> {
    let body = read(request, state).await?;
    Node::parse(&body).map_err(|invalid| Problem::new(StatusCode::BAD_REQUEST, format!("the body {invalid}")))
}

/// Reads a body whole, as far as it is not too large. What is too large is read on for a while and
/// thrown away: a client that still sends when the connection is closed loses the answer.
pub async fn read(request: Request, _: &Shared) -> Result<Bytes, Problem> {
    const LARGEST_THROWN_AWAY: usize = 16 * LARGEST_BODY;

    let mut body = request.into_body();
    let (mut kept, mut size) = (Vec::new(), 0);
    while size <= LARGEST_THROWN_AWAY
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body could not be read"))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size <= LARGEST_BODY {
            kept.extend_from_slice(&data);
        }
    }
    if size > LARGEST_BODY {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
    }
    Ok(kept.into())
}

/// Makes a problem of violations in a body.
pub fn invalid(violations: Vec<Violation>) -> Problem {
    Problem::invalid(StatusCode::UNPROCESSABLE_ENTITY, violations)
}
