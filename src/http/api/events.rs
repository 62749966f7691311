//! `/events`: each change as soon as it is committed.

use std::convert::Infallible;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, Uri},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::StreamExt;

use crate::{
    domain::{ChangeId, Code, Invalid},
    http::{Shared, extract::query::Params, openapi as schema, problem::Problem},
    service::{Viewer, events},
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Follow the changes
///
/// Server-sent events (WHATWG HTML): one for each committed change, in the order of the commits, its
/// data being the change as in `/history`. From now on, or with `Last-Event-ID` from the change after
/// that one on. A stream that is read too slowly ends; it goes on with `Last-Event-ID`. A browser, which
/// sends that header only when it connects again, says `lastEventId` at first; the header comes before it.
#[utoipa::path(get, path = "/events", operation_id = "followChanges", tag = "history",
    params(schema::LastEventId, schema::FirstEventId), responses(
    (status = 200, description = "The stream", body = schema::ChangeEvent, content_type = "text/event-stream"),
    (status = 400, description = "`Last-Event-ID` or `lastEventId` is no id of a change, or a parameter is unknown"),
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
    let slot = state.event_streams.take(&viewer)?;
    let after = last_event_id(&headers)?.or(first);
    let changes = events::subscribe(state.app.clone(), viewer, after).await?;
    let events = changes.map(move |change| {
        let _ = &slot; // held until the stream ends
        let event = Event::default().id(change.id.to_string()).json_data(&change);
        Ok::<_, Infallible>(event.expect("a change is JSON"))
    });
    // nginx would else collect events before it hands them on.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(events).keep_alive(KeepAlive::default())))
}

/// What `Last-Event-ID` must be.
const RULE: &str = "must be the id of a change, such as 42";

fn last_event_id(headers: &HeaderMap) -> Result<Option<ChangeId>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let id = value.to_str().ok().and_then(change_id);
    id.map(Some).ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, format!("Last-Event-ID {RULE}")))
}

/// The change after which a stream begins; 0 is before all of them.
fn change_id(text: &str) -> Option<ChangeId> {
    let is_zero = !text.is_empty() && text.bytes().all(|byte| byte == b'0');
    if is_zero { Some(ChangeId::BEFORE_ALL) } else { text.parse().ok() }
}
