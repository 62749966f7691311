//! `/events`: a stream of committed changes.

use std::convert::Infallible;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, Uri},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt, stream};

use crate::{
    documents::{self, ChangeEvent},
    domain::{ChangeId, Code, Invalid},
    http::{Shared, extract::query::Params, openapi as schema, problem::Problem},
    service::{Viewer, history::events},
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Stream changes
///
/// Server-sent events (WHATWG HTML): one for each committed change, in the order of the log, with the change
/// as in `/history` as its data. The stream begins now, or behind the change in `Last-Event-ID`. A stream
/// that is read too slowly ends; continue with `Last-Event-ID`. Browsers send this header only when they
/// reconnect, so the first request can use `lastEventId`. The header takes precedence. If changes behind it were
/// pruned from the history, the stream begins with an event of the type `pruned` without an id: load the
/// collection anew.
#[utoipa::path(get, path = "/events", operation_id = "followChanges", tag = "history",
    params(schema::LastEventId, schema::FirstEventId), responses(
    (status = 200, description = "The stream", body = documents::ChangeEvent, content_type = "text/event-stream"),
    (status = 400, description = "`Last-Event-ID` or `lastEventId` is not the id of a change, or a parameter is unknown"),
    (status = 429, description = "The user has too many streams"),
))]
pub async fn subscribe(
    State(state): State<Shared>,
    viewer: Viewer,
    uri: Uri,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let mut params = Params::of(&uri);
    let first = params.one("lastEventId", |text| {
        change_id(text).ok_or_else(|| Invalid::new(Code::Malformed, RULE.to_owned()))
    });
    params.finish()?;
    let slot = state.event_streams.take(viewer.identity())?;
    let after = last_event_id(&headers)?.or(first);
    let (changes, pruned) = events::subscribe(state.app.clone(), viewer, after).await?;
    let events = changes.map(move |change| {
        let _ = &slot; // held until the stream ends
        let ChangeEvent { id, data } = ChangeEvent::of(&change);
        Event::default().id(id).data(data)
    });
    // Browsers dispatch no event without data.
    let pruned = pruned.then(|| Event::default().event("pruned").data("{}"));
    let events = stream::iter(pruned).chain(events).map(Ok::<_, Infallible>);
    // Otherwise nginx would buffer events.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(events).keep_alive(KeepAlive::default())))
}

/// The rule for `Last-Event-ID`.
const RULE: &str = "must be the id of a change, such as 42";

fn last_event_id(headers: &HeaderMap) -> Result<Option<ChangeId>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let id = value.to_str().ok().and_then(change_id);
    id.map(Some).ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, format!("Last-Event-ID {RULE}")))
}

/// Parses the id of a change; 0 means before all changes.
fn change_id(text: &str) -> Option<ChangeId> {
    let is_zero = !text.is_empty() && text.bytes().all(|byte| byte == b'0');
    if is_zero { Some(ChangeId::BEFORE_ALL) } else { text.parse().ok() }
}
