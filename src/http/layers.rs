//! The layers around every handler.

use std::{convert::Infallible, panic::AssertUnwindSafe};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tower::{Layer, ServiceExt, service_fn};
use tracing::Instrument;

use super::{
    Service, Shared, compression, cookies,
    extract::{body, client::RequestId},
    metrics,
    problem::{self, Problem},
    web,
};
use crate::{
    db::{deadline, settle},
    limits::REQUEST_WAIT,
};

/// What lies around everything that answers. Each step is a function, from the outside to the inside.
pub async fn around(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let allow_origins = async |request| allow_origins(&state, request, next).await;
    let for_browsers = async |request| web::error::for_browsers(request, allow_origins).await;
    let compress = async |request| compression::compress(request, for_browsers).await;
    let write_cookies = async |request| cookies::write(&state, request, compress).await;
    let set_headers = async |request| security_headers(request, write_cookies).await;
    trace(request, set_headers).await
}

/// Tells the browser which other sites may read the response, where there are any.
async fn allow_origins(state: &Service, request: Request, next: Next) -> Response {
    let Some(cors) = &state.cors else { return answer(request, next).await };
    let answer = service_fn(|request| answer(request, next.clone()).map(Ok::<_, Infallible>));
    match cors.layer(answer).oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn answer(request: Request, next: Next) -> Response {
    let answered = async {
        require_host(&request)?;
        body::refuse_encoded(&request)?;
        Ok(wait_for_database(next.run(body::receive(request))).await)
    };
    let answered = AssertUnwindSafe(answered).catch_unwind().await;
    problem::normalize(match answered {
        Ok(response) => response.unwrap_or_else(Problem::into_response),
        Err(panic) => problem::of_panic(panic),
    })
}

/// Gives a request one deadline for all that waits for the database, and sends no response that tells of what
/// is not on disk yet.
async fn wait_for_database(response: impl Future<Output = Response>) -> Response {
    let answered = deadline::within(REQUEST_WAIT, settle::settled(response)).await;
    answered.unwrap_or_else(|error| Problem::from(error).into_response())
}

/// What every answer tells the browser (OWASP HTTP Headers Cheat Sheet): nothing but our own pages
/// and styles, in no frame, kept by nobody on the way.
async fn security_headers(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    const PAGES: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                         connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    // The documentation page brings styles of its own inside the page, and asks the API.
    const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                        img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
    let policy = if request.uri().path().starts_with("/docs") { DOCS } else { PAGES };
    let is_personal = is_personal(request.uri().path());
    let mut response = next(request).await;
    let headers = response.headers_mut();
    if is_personal {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}

/// Whether a path shows users, sessions or tokens, which no browser is to keep.
fn is_personal(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    ["account", "login", "me", "session", "setup", "token", "user", "users"].contains(&first)
}

/// Refuses a request of HTTP/1.1 that does not name one host (RFC 9112, section 3.2): what is before the
/// service may have read another one.
fn require_host(request: &Request) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none());
    let is_valid = |host: &HeaderValue| host.is_empty() || Authority::try_from(host.as_bytes()).is_ok();
    if request.version() == Version::HTTP_11 && !host.is_some_and(is_valid) {
        let detail = "a request of HTTP/1.1 must have one Host header, with a host and perhaps a port";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    Ok(())
}

/// Gives the request an id, under which the log has what the answer does not tell.
async fn trace(mut request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let id = format!("{:016x}", rand::random::<u64>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    // The path alone: a query may hold a code, or what somebody searches for.
    let span = tracing::info_span!("request", id, %method, path = request.uri().path());
    let timer = metrics::Timer::start(&request);
    let mut response = next(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    timer.stop(status);
    span.in_scope(|| tracing::debug!(status, "answered"));
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}
