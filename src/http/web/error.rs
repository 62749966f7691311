//! Error pages for browsers: the content of the problem document, with links to continue.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use super::parts::{back::local_place, page_context::PageContext};
use crate::{
    documents::Violation,
    format,
    http::{extract::client::RequestId, problem::Problem},
    service::Identity,
};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    context: Option<&'a PageContext>,
    status: u16,
    title: &'static str,
    detail: &'a str,
    errors: &'a [Violation],
    /// Seconds after which to retry.
    wait: Option<String>,
    /// The sign-in URL, if signing in helps.
    sign_in: Option<String>,
    /// The URL to retry, if that may help.
    again: Option<&'a str>,
    /// The id of the request in the log.
    request_id: Option<&'a str>,
}

/// Replaces problem documents by error pages, for browsers.
pub struct ErrorPage {
    is_safe: bool,
    place: String,
    request_id: Option<Arc<str>>,
}

impl ErrorPage {
    /// Reads what the page needs of a request. Returns `None` if the client does not ask for HTML.
    pub fn of(request: &Request) -> Option<Self> {
        let place = || request.uri().path_and_query().map_or("/", |place| local_place(place.as_str()));
        likes_pages(request.headers()).then(|| Self {
            is_safe: request.method().is_safe(),
            place: place().to_owned(),
            request_id: request.extensions().get::<RequestId>().map(|RequestId(id)| id.clone()),
        })
    }

    /// Replaces the response, if it is a problem document.
    pub fn replace(self, mut response: Response) -> Response {
        let Self { is_safe, place, request_id } = self;
        let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
        let status = problem.status();
        let next: String =
            form_urlencoded::byte_serialize(if is_safe { place.as_bytes() } else { b"/" }).collect();
        let identity = response.extensions_mut().remove::<Identity>();
        let context = identity.map(|identity| PageContext::bare(identity, place.clone()));
        let detail = match status {
            StatusCode::METHOD_NOT_ALLOWED if is_safe => "only forms are sent to this address".to_owned(),
            _ => with_films(&problem.document.detail),
        };
        let template = ErrorTemplate {
            context: context.as_ref(),
            status: status.as_u16(),
            title: title(status),
            detail: &detail,
            errors: &problem.document.errors,
            wait: wait(response.headers()),
            sign_in: (status == StatusCode::UNAUTHORIZED).then(|| format!("/login?next={next}")),
            again: (is_safe && status.is_server_error()).then_some(place.as_str()),
            request_id: request_id.as_deref().filter(|_| status == StatusCode::INTERNAL_SERVER_ERROR),
        };
        // Without a page, the client gets the problem document.
        let Ok(html) = template.render() else { return response };
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.append(header::VARY, HeaderValue::from_static("accept"));
        let mut page = (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response();
        page.headers_mut().extend(parts.headers);
        page
    }
}

/// Formats the time of `Retry-After`.
fn wait(headers: &HeaderMap) -> Option<String> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(format::count(seconds, "second"))
}

/// Returns whether a client asks for HTML and not for JSON or another data format.
fn likes_pages(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<&str> = accept
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .map(str::trim)
        .collect();
    ranges.contains(&"text/html") && !ranges.iter().any(|range| range.ends_with("json"))
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "This cannot be understood",
        StatusCode::UNAUTHORIZED => "Sign in first",
        StatusCode::FORBIDDEN => "This is not allowed",
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::METHOD_NOT_ALLOWED => "There is no page here",
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => "Somebody was faster",
        StatusCode::TOO_MANY_REQUESTS => "Too many attempts",
        StatusCode::SERVICE_UNAVAILABLE => "Not available at the moment",
        status if status.is_server_error() => "Something went wrong",
        _ => "This did not work",
    }
}

/// Replaces "movie" by "film" in a detail that was written for the API, but not in a quoted text, which is last.
fn with_films(detail: &str) -> String {
    let (ours, quoted) = detail.split_at(detail.find('"').unwrap_or(detail.len()));
    let film = |word| match word {
        "movie" => "film",
        "movies" => "films",
        "movie's" => "film's",
        other => other,
    };
    ours.split(' ').map(film).collect::<Vec<_>>().join(" ") + quoted
}

/// Makes a sentence: with a capital letter and a full stop.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_say_film() {
        assert_eq!(with_films("there is no movie 7"), "there is no film 7");
        assert_eq!(with_films("a movie's movies or movieFormat"), "a film's films or movieFormat");
        assert_eq!(with_films(r#"no movie is "my \" movie ""#), r#"no film is "my \" movie ""#);
    }

    #[test]
    fn browsers_get_pages_and_programs_documents() {
        let likes = |accept: &'static str| {
            likes_pages(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
        };
        assert!(likes("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(likes("text/html"));
        for accept in ["*/*", "application/json", "application/problem+json, text/html;q=0.5", "text/csv"] {
            assert!(!likes(accept), "{accept}");
        }
    }
}
