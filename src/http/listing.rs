//! Movie lists as responses, for the API and the pages.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt, TryStreamExt, future, stream};

use super::problem::Problem;
use crate::{
    domain::ListQuery,
    exchange::{self, Format},
    service::{
        App, Error, Viewer,
        movies::{self, Page},
        search::Match,
    },
};

/// Streams the whole list.
pub async fn whole_list(
    app: &Arc<App>,
    viewer: &Viewer,
    uri: &Uri,
    query: ListQuery,
    format: Format,
) -> Result<Response, Problem> {
    let mut pages = Box::pin(movies::all(app.clone(), viewer.clone(), query));
    // The first page is read before the response begins, so that a database error still has its own status.
    let first = pages.next().await.transpose()?.unwrap_or_default();
    let head = head(uri, format, &first);
    Ok((head, body_of(&first, pages, format)).into_response())
}

/// Returns the headers for the first page of a list.
pub fn head(uri: &Uri, format: Format, page: &Page) -> HeaderMap {
    let mut head = HeaderMap::new();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    head.insert(header::VARY, HeaderValue::from_static("accept"));
    head.extend(matched(uri, page.matched));
    if let Some(total) = page.total {
        head.insert("x-total-count", total.into());
    }
    head
}

/// Returns the header that tells how movies match the search, if there is one.
pub fn matched(uri: &Uri, matched: Match) -> Option<(HeaderName, HeaderValue)> {
    let mut given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let value = match matched {
        Match::Exact => "exact",
        Match::Fuzzy => "fuzzy",
    };
    let header = (HeaderName::from_static("reelshelf-match"), HeaderValue::from_static(value));
    given.any(|(name, _)| name == "q").then_some(header)
}

/// Streams the pages of a list.
fn body_of(
    first: &Page,
    rest: impl Stream<Item = Result<Page, Error>> + Send + 'static,
    format: Format,
) -> Body {
    let mut opening = format.opening().into_bytes();
    exchange::write_movies(format, &first.movies, true, &mut opening);
    let rest = rest.map_ok(move |page| {
        let mut bytes = Vec::new();
        exchange::write_movies(format, &page.movies, false, &mut bytes);
        Bytes::from(bytes)
    });
    let bytes = stream::once(future::ok(Bytes::from(opening)))
        .chain(rest)
        .chain(stream::once(future::ok(Bytes::from_static(format.closing().as_bytes()))));
    let logged = bytes.inspect_err(|error: &Error| tracing::error!(%error, "a list broke off"));
    Body::from_stream(logged.map_err(std::io::Error::other))
}
