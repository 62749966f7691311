//! Request bodies and their media types.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::FromRequest,
    http::{HeaderMap, HeaderValue, Request, StatusCode, header},
};
use futures_util::{TryStreamExt, stream};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;
use tower_http::timeout::TimeoutBody;

use crate::{
    db::deadline,
    domain::Violation,
    http::{Shared, problem::Problem},
    json::JsonValue,
    limits::{
        BODY_SILENCE_WAIT, BODY_WAIT, MAX_BODY_BYTES, MAX_DISCARDED_BODY_BYTES, MAX_FORM_FIELDS,
        MAX_JSON_VALUES, MAX_SIGN_IN_BODY_BYTES, REQUEST_WAIT,
    },
};

/// Returns the media type of a request, in lower case without parameters.
pub fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The response for an unsupported media type; `accept` is the header that names the supported ones.
pub fn unsupported(accept: header::HeaderName, taken: &'static str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Content-Type must be one of {taken}"))
        .with_header(accept, HeaderValue::from_static(taken))
}

/// A JSON body.
pub struct Json(pub JsonValue);

impl FromRequest<Shared> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, _: &Shared) -> Result<Self, Problem> {
        if media_type(request.headers()) != "application/json" {
            return Err(unsupported(header::ACCEPT, "application/json"));
        }
        read_json(request).await.map(Self)
    }
}

/// Reads a JSON body, ignoring its `Content-Type`.
pub async fn read_json(request: Request<Body>) -> Result<JsonValue, Problem> {
    parse(&read(request).await?)
}

/// Reads the JSON body of a sign-in, with smaller limits, ignoring its `Content-Type`.
pub async fn read_sign_in(request: Request<Body>) -> Result<JsonValue, Problem> {
    parse_up_to(MAX_FORM_FIELDS, &read_up_to(MAX_SIGN_IN_BODY_BYTES, request).await?)
}

/// Parses a JSON body.
pub fn parse(body: &[u8]) -> Result<JsonValue, Problem> {
    parse_up_to(MAX_JSON_VALUES, body)
}

fn parse_up_to(max_values: usize, body: &[u8]) -> Result<JsonValue, Problem> {
    let node = JsonValue::parse_up_to(max_values, body);
    node.map_err(|invalid| Problem::new(StatusCode::BAD_REQUEST, format!("the body {invalid}")))
}

/// Reads a whole body, up to [`MAX_BODY_BYTES`].
pub async fn read(request: Request<Body>) -> Result<Bytes, Problem> {
    read_up_to(MAX_BODY_BYTES, request).await
}

/// Reads a whole body, up to `largest` bytes and within [`BODY_WAIT`].
pub async fn read_up_to(largest: usize, request: Request<Body>) -> Result<Bytes, Problem> {
    // If `Content-Length` is too large, reject before reading, so that a client with `Expect: 100-continue`
    // sends nothing.
    if declared_length(request.headers()).is_some_and(|length| length > largest as u64) {
        return Err(too_large());
    }
    read_within(BODY_WAIT, largest, request.into_body()).await
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Rejects a body with a `Content-Encoding` (RFC 9110, sections 12.5.3 and 15.5.16), or with another transfer coding
/// than `chunked` (RFC 9112, section 6.1).
pub fn refuse_encoded(request: &Request<Body>) -> Result<(), Problem> {
    if !has_only(request, &header::TRANSFER_ENCODING, "chunked") {
        let detail = "the only transfer coding that is supported is chunked";
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, detail));
    }
    if has_only(request, &header::CONTENT_ENCODING, "identity") {
        return Ok(());
    }
    let detail = "the body must not be compressed; send it without Content-Encoding";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
        .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}

/// Returns whether a list header has no other element than this one.
fn has_only(request: &Request<Body>, name: &header::HeaderName, element: &str) -> bool {
    let values = request.headers().get_all(name).iter();
    let mut elements =
        values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    elements.all(|found| found.is_empty() || found.eq_ignore_ascii_case(element.as_bytes()))
}

async fn read_within(wait: Duration, largest: usize, body: Body) -> Result<Bytes, Problem> {
    if body.size_hint().lower() > largest as u64 {
        return Err(too_large());
    }
    let read = timeout(wait, Limited::new(body, largest).collect()).await;
    deadline::restart(REQUEST_WAIT); // the upload does not count
    match read {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, "the body could not be read")),
        Err(_) => {
            let detail = format!("the body did not come within {} seconds", wait.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        }
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
}

/// Aborts a body without data for too long, and drains the body of a rejected request. While the client still
/// sends, it would lose the response if an HTTP/1.1 connection was closed; over HTTP/2, curl before 8.0 loses it
/// if the stream is reset.
pub fn receive(request: Request<Body>) -> Request<Body> {
    if request.body().is_end_stream() {
        return request;
    }
    let request = request.map(|body| Body::new(TimeoutBody::new(BODY_SILENCE_WAIT, body)));
    let is_awaited = request
        .headers()
        .get(header::EXPECT)
        .is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    request.map(|body| {
        Body::from_stream(stream::unfold(Unread { body, is_awaited }, |mut unread| async move {
            unread.is_awaited = false;
            let frame = unread.body.frame().await?;
            Some((frame.map(|frame| frame.into_data().unwrap_or_default()), unread))
        }))
    })
}

/// A body that is drained when it is dropped.
struct Unread {
    body: Body,
    /// Whether the client waits for `100 Continue`, which reading sends.
    is_awaited: bool,
}

impl Drop for Unread {
    fn drop(&mut self) {
        if !self.is_awaited && !self.body.is_end_stream() {
            let rest = Limited::new(std::mem::take(&mut self.body), MAX_DISCARDED_BODY_BYTES);
            let read = rest.into_data_stream().try_for_each(async |_| Ok(()));
            tokio::spawn(timeout(BODY_WAIT, read));
        }
    }
}

/// Creates a problem with violations of the body.
pub fn invalid(violations: Vec<Violation>) -> Problem {
    Problem::invalid(StatusCode::UNPROCESSABLE_ENTITY, violations)
}

#[cfg(test)]
mod tests {
    use axum::BoxError;
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn a_body_that_does_not_end_is_given_up() {
        let begun = stream::iter([Ok::<_, BoxError>(Bytes::from_static(b"{"))]).chain(stream::pending());
        let read = read_within(Duration::from_millis(1), 100, Body::from_stream(begun)).await;
        assert_eq!(read.expect_err("a refusal").status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_has_so_many_bytes_and_no_more() {
        let read = async |size| {
            let declared = read_within(BODY_WAIT, 100, Body::from(vec![0; size])).await;
            let pieces = stream::iter((0..size).map(|_| Ok::<_, BoxError>(Bytes::from_static(b"x"))));
            let undeclared = read_within(BODY_WAIT, 100, Body::from_stream(pieces)).await;
            [declared, undeclared]
                .map(|read| read.map_or_else(|problem| problem.status(), |_| StatusCode::OK))
        };
        assert_eq!(read(100).await, [StatusCode::OK; 2]);
        assert_eq!(read(101).await, [StatusCode::PAYLOAD_TOO_LARGE; 2]);
    }
}
