//! `/user`: users, for owners.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    documents::{self, NewUser, User, UserChanges},
    domain::UserName,
    http::{
        Shared,
        answer::Answer,
        extract::{
            body::{self, Json},
            idempotency::JsonWithKey,
            path::Path,
            query::NoParams,
        },
        openapi as schema,
        problem::Problem,
    },
    service::{Owner, users},
};

/// List users
#[utoipa::path(get, path = "/user", operation_id = "listUsers", tag = "users", responses(
    (status = 200, description = "All users, by name", body = Vec<documents::User>),
))]
pub async fn list(
    State(state): State<Shared>,
    owner: Owner,
    _: NoParams,
) -> Result<Answer<Vec<User>>, Problem> {
    Ok(Answer(users::list(&state.app, &owner).await?))
}

/// Create a user
#[utoipa::path(post, path = "/user", operation_id = "createUser", tag = "users", params(schema::IdempotencyKey),
    request_body = documents::NewUser, responses(
    (status = 201, description = "The user was created", body = documents::User,
        headers(("Location" = String, description = "The URL of the user")), links(
            ("get" = (operation_id = "getUser", parameters(("name" = "$response.body#/name")))),
            ("update" = (operation_id = "updateUser", parameters(("name" = "$response.body#/name")))),
            ("delete" = (operation_id = "deleteUser", parameters(("name" = "$response.body#/name")))),
        )),
    (status = 400, description = "Malformed JSON, or a malformed `Idempotency-Key`"),
    (status = 409, description = "The user name is taken"),
    (status = 413, description = "The body is too large"),
    (status = 415, description = "The media type is not JSON"),
    (status = 422, description = "Fields are invalid; or the `Idempotency-Key` was sent with another request"),
))]
pub async fn create(
    State(state): State<Shared>,
    owner: Owner,
    _: NoParams,
    JsonWithKey(node, key): JsonWithKey,
) -> Result<Response, Problem> {
    let NewUser { name, role, password } = NewUser::read(&node).map_err(body::invalid)?;
    let user = users::add(&state.app, &owner, &name, role, password, key).await?;
    let name: String = form_urlencoded::byte_serialize(user.name.as_str().as_bytes()).collect();
    let location = [(header::LOCATION, format!("/user/{name}"))];
    Ok((StatusCode::CREATED, location, Answer(user)).into_response())
}

/// Get a user
#[utoipa::path(get, path = "/user/{name}", operation_id = "getUser", tag = "users", params(schema::UserPath), responses(
    (status = 200, description = "The user", body = documents::User),
    (status = 404, description = "The user does not exist"),
))]
pub async fn get_one(
    State(state): State<Shared>,
    owner: Owner,
    Path(name): Path<UserName>,
    _: NoParams,
) -> Result<Answer<User>, Problem> {
    Ok(Answer(users::get(&state.app, &owner, &name).await?))
}

/// Update a user
///
/// Changes the role or sets a new password. Both end the user's sessions at once. Tokens stay valid unless
/// `revokeTokens` is given with a new password.
#[utoipa::path(patch, path = "/user/{name}", operation_id = "updateUser", tag = "users", params(schema::UserPath),
    request_body = documents::UserChanges, responses(
    (status = 200, description = "The updated user", body = documents::User),
    (status = 400, description = "Malformed JSON"),
    (status = 404, description = "The user does not exist"),
    (status = 409, description = "No owner would remain"),
    (status = 413, description = "The body is too large"),
    (status = 415, description = "The media type is not JSON"),
    (status = 422, description = "Fields are invalid"),
))]
pub async fn update(
    State(state): State<Shared>,
    owner: Owner,
    Path(name): Path<UserName>,
    _: NoParams,
    Json(node): Json,
) -> Result<Answer<User>, Problem> {
    let changes = UserChanges::read(&node, &name).map_err(body::invalid)?;
    Ok(Answer(users::change(&state.app, &owner, &name, changes).await?))
}

/// Delete a user
///
/// With all tokens and sessions, at once.
#[utoipa::path(delete, path = "/user/{name}", operation_id = "deleteUser", tag = "users", params(schema::UserPath), responses(
    (status = 204, description = "The user was deleted"),
    (status = 404, description = "The user does not exist"),
    (status = 409, description = "The last owner cannot be deleted"),
))]
pub async fn delete(
    State(state): State<Shared>,
    owner: Owner,
    Path(name): Path<UserName>,
    _: NoParams,
) -> Result<StatusCode, Problem> {
    users::remove(&state.app, &owner, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
