//! `/session`: one's own sessions of the web pages.

use axum::{
    Json as Answer,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::Time,
    http::{Shared, openapi as schema, problem::Problem},
    service::{Via, Viewer, sessions},
};

/// The routes of sessions.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(delete))
}

/// A session as its user sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    id: i64,
    address: String,
    user_agent: String,
    created_at: Time,
    seen_at: Time,
    /// Whether it is the one that asks.
    current: bool,
}

/// List one's own sessions
#[utoipa::path(get, path = "/session", operation_id = "listSessions", tag = "account", responses(
    (status = 200, description = "One's own sessions, the latest used first", body = Vec<schema::Session>),
))]
async fn list(State(state): State<Shared>, viewer: Viewer) -> Result<Answer<Vec<Session>>, Problem> {
    let sessions = sessions::list(&state.app, &viewer).await?;
    let shown = |s: sessions::Session| Session {
        current: viewer.via == Via::Session { id: s.id },
        id: s.id,
        address: s.address,
        user_agent: s.user_agent,
        created_at: s.created_at,
        seen_at: s.seen_at,
    };
    Ok(Answer(sessions.into_iter().map(shown).collect()))
}

/// End a session
#[utoipa::path(delete, path = "/session/{id}", operation_id = "endSession", tag = "account", params(schema::SessionId), responses(
    (status = 204, description = "The session has ended"),
    (status = 404, description = "You have no such session"),
))]
async fn delete(
    State(state): State<Shared>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = super::id(&id).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such session"))?;
    sessions::end(&state.app, &viewer, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
