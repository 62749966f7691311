//! `/session` and `/user/{name}/session`: one's own browser sessions, and those of others for owners.

use axum::{extract::State, http::StatusCode};

use crate::{
    documents::{self, Session},
    domain::{SessionId, UserName},
    http::{
        Shared,
        answer::Answer,
        extract::{path::Path, query::NoParams},
        openapi as schema,
        problem::Problem,
    },
    service::{Owner, Viewer, sessions},
};

/// List one's own sessions
#[utoipa::path(get, path = "/session", operation_id = "listSessions", tag = "account", responses(
    (status = 200, description = "One's own sessions, last used first", body = Vec<documents::Session>),
))]
pub async fn list(
    State(state): State<Shared>,
    viewer: Viewer,
    _: NoParams,
) -> Result<Answer<Vec<Session>>, Problem> {
    Ok(Answer(sessions::list(&state.app, &viewer).await?))
}

/// End a session
#[utoipa::path(delete, path = "/session/{id}", operation_id = "endSession", tag = "account", params(schema::SessionId), responses(
    (status = 204, description = "The session has ended"),
    (status = 404, description = "You do not have this session"),
))]
pub async fn delete(
    State(state): State<Shared>,
    viewer: Viewer,
    Path(id): Path<SessionId>,
    _: NoParams,
) -> Result<StatusCode, Problem> {
    sessions::end(&state.app, &viewer, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List a user's sessions
#[utoipa::path(get, path = "/user/{name}/session", operation_id = "listUserSessions", tag = "users",
    params(schema::UserPath), responses(
    (status = 200, description = "The user's sessions, last used first", body = Vec<documents::Session>),
    (status = 404, description = "The user does not exist"),
))]
pub async fn list_of(
    State(state): State<Shared>,
    owner: Owner,
    Path(name): Path<UserName>,
    _: NoParams,
) -> Result<Answer<Vec<Session>>, Problem> {
    let (_, sessions) = sessions::list_of(&state.app, &owner, &name).await?;
    Ok(Answer(sessions))
}

/// End a user's session
#[utoipa::path(delete, path = "/user/{name}/session/{id}", operation_id = "endUserSession", tag = "users",
    params(schema::UserPath, schema::SessionId), responses(
    (status = 204, description = "The session has ended"),
    (status = 404, description = "The user or session does not exist"),
))]
pub async fn delete_of(
    State(state): State<Shared>,
    owner: Owner,
    Path((name, id)): Path<(UserName, SessionId)>,
    _: NoParams,
) -> Result<StatusCode, Problem> {
    sessions::end_of(&state.app, &owner, &name, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
