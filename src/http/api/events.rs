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
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{Shared, openapi as schema, problem::Problem, query::Params},
    service::{Viewer, events},
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The route of the events.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(subscribe))
}

/// Follow the changes
///
/// Server-sent events (WHATWG HTML): one for each committed change, in the order of the commits, its
/// data being the change as in `/history`. From now on, or with `Last-Event-ID` from the change after
/// that one on. A stream that is read too slowly ends; it goes on with `Last-Event-ID`.
#[utoipa::path(get, path = "/events", operation_id = "followChanges", tag = "history", params(schema::LastEventId), responses(
    (status = 200, description = "The stream", body = schema::ChangeEvent, content_type = "text/event-stream"),
    (status = 400, description = "`Last-Event-ID` is no id of a change"),
))]
async fn subscribe(
    State(state): State<Shared>,
    viewer: Viewer,
    uri: Uri,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    Params::of(&uri).finish()?;
    let changes = events::subscribe(state.app.clone(), viewer, last_event_id(&headers)?).await?;
    let events = changes.map(|change| {
        let event = Event::default().id(change.id.to_string()).json_data(&change);
        Ok::<_, Infallible>(event.expect("a change is JSON"))
    });
    // nginx would else collect events before it hands them on.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(events).keep_alive(KeepAlive::default())))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let id = value.to_str().ok().filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
    let id = id.and_then(|id| id.parse().ok());
    id.map(Some).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "Last-Event-ID must be the id of a change, such as 42")
    })
}
