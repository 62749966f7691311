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
    Service, Shared,
    compression::Compression,
    cookies,
    extract::{body, client::RequestId},
    metrics,
    problem::{self, Problem},
    web::error::ErrorPage,
};
use crate::{
    db::{deadline, settle},
    limits::REQUEST_WAIT,
};

/// The middleware of all responses, from the outermost to the innermost. Each layer reads the request first, and changes
/// the response later. Layers as nested futures would cost 40 KB of copies per request.
pub async fn around(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let trace = Trace::begin(&mut request);
    let security = SecurityHeaders::of(&request);
    let cookies = cookies::Writer::of(&request, &state);
    let compression = Compression::of(&request);
    let error_page = ErrorPage::of(&request);
    let mut response = allow_origins(&state, request, next).instrument(trace.span.clone()).await;
    let _span = trace.span.enter();
    if let Some(error_page) = error_page {
        response = error_page.replace(response);
    }
    response = compression.apply(response);
    cookies.write(&mut response);
    security.set(&mut response);
    trace.end(&mut response);
    response
}

/// Adds the CORS headers, if other origins are allowed.
async fn allow_origins(state: &Service, request: Request, next: Next) -> Response {
    let Some(cors) = &state.cors else { return answer(request, next).await };
    let answer = service_fn(|request| answer(request, next.clone()).map(Ok::<_, Infallible>));
    match Box::pin(cors.layer(answer).oneshot(request)).await {
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

/// Sets one deadline for all database waits of the request. Delays the response until everything it reports
/// is on disk.
async fn wait_for_database(response: impl Future<Output = Response>) -> Response {
    let answered = deadline::within(REQUEST_WAIT, settle::settled(response)).await;
    answered.unwrap_or_else(|error| Problem::from(error).into_response())
}

/// Adds security headers (OWASP HTTP Headers Cheat Sheet): only our own content and styles, no framing, no
/// caching by proxies.
struct SecurityHeaders {
    policy: &'static HeaderValue,
    is_personal: bool,
}

static PAGES_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);
// Swagger UI has inline styles, and calls the API.
static DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);

impl SecurityHeaders {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let policy = if path.starts_with("/docs") { &DOCS_POLICY } else { &PAGES_POLICY };
        Self { policy, is_personal: is_personal(path) }
    }

    fn set(self, response: &mut Response) {
        let headers = response.headers_mut();
        if self.is_personal {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    }
}

/// Returns whether a path shows users, sessions or tokens, which browsers must not cache.
fn is_personal(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    ["account", "login", "me", "session", "setup", "token", "user", "users"].contains(&first)
}

/// Rejects an HTTP/1.1 request without exactly one host (RFC 9112, section 3.2): a proxy may have used
/// another one.
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

/// Gives the request an id, which the log uses for details that the response omits.
struct Trace {
    id: RequestId,
    span: tracing::Span,
    timer: metrics::Timer,
}

impl Trace {
    fn begin(request: &mut Request) -> Self {
        let id = RequestId(format!("{:016x}", rand::random::<u64>()).into());
        request.extensions_mut().insert(id.clone());
        // Only the path: a query may contain a code or a search.
        let (method, path) = (request.method(), request.uri().path());
        let span = tracing::info_span!("request", id = &*id.0, %method, path);
        Self { id, span, timer: metrics::Timer::start(request) }
    }

    fn end(&self, response: &mut Response) {
        let status = response.status().as_u16();
        self.timer.stop(status);
        tracing::debug!(status, "answered");
        if let Ok(id) = HeaderValue::from_str(&self.id.0) {
            response.headers_mut().insert("x-request-id", id);
        }
    }
}
