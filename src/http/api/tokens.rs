//! `/token` and `/user/{name}/token`: one's own API tokens, and those of others for owners.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    documents::{self, MadeToken, NewToken, Token},
    domain::{TokenId, UserName},
    http::{
        Shared,
        answer::Answer,
        extract::{body, idempotency::JsonWithKey, path::Path, query::NoParams},
        openapi as schema,
        problem::Problem,
    },
    service::{Owner, Viewer, tokens},
};

/// List one's own tokens
#[utoipa::path(get, path = "/token", operation_id = "listTokens", tag = "account", responses(
    (status = 200, description = "One's own tokens, without the secrets", body = Vec<documents::Token>),
))]
pub async fn list(
    State(state): State<Shared>,
    viewer: Viewer,
    _: NoParams,
) -> Result<Answer<Vec<Token>>, Problem> {
    Ok(Answer(tokens::list(&state.app, &viewer).await?))
}

/// Create a token
///
/// The response is the only one that contains the secret.
#[utoipa::path(post, path = "/token", operation_id = "createToken", tag = "account", params(schema::IdempotencyKey),
    request_body = documents::NewToken, responses(
    (status = 201, description = "The token was created", body = documents::MadeToken,
        links(("revoke" = (operation_id = "revokeToken", parameters(("id" = "$response.body#/id")))))),
    (status = 400, description = "Malformed JSON, or a malformed `Idempotency-Key`"),
    (status = 409, description = "You have the maximum number of tokens"),
    (status = 413, description = "The body is too large"),
    (status = 415, description = "The media type is not JSON"),
    (status = 422, description = "Fields are invalid; or the `Idempotency-Key` was sent with another request"),
))]
pub async fn create(
    State(state): State<Shared>,
    viewer: Viewer,
    _: NoParams,
    JsonWithKey(node, key): JsonWithKey,
) -> Result<Response, Problem> {
    let new = NewToken::read(&node).map_err(body::invalid)?;
    let (token, secret) = tokens::create(&state.app, &viewer, &new, key).await?;
    let token = MadeToken { details: token, token: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Answer(token)).into_response())
}

/// Revoke a token
#[utoipa::path(delete, path = "/token/{id}", operation_id = "revokeToken", tag = "account", params(schema::TokenId), responses(
    (status = 204, description = "The token was revoked"),
    (status = 404, description = "You do not have this token"),
))]
pub async fn delete(
    State(state): State<Shared>,
    viewer: Viewer,
    Path(id): Path<TokenId>,
    _: NoParams,
) -> Result<StatusCode, Problem> {
    tokens::revoke(&state.app, &viewer, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List a user's tokens
#[utoipa::path(get, path = "/user/{name}/token", operation_id = "listUserTokens", tag = "users",
    params(schema::UserPath), responses(
    (status = 200, description = "The user's tokens, without the secrets", body = Vec<documents::Token>),
    (status = 404, description = "The user does not exist"),
))]
pub async fn list_of(
    State(state): State<Shared>,
    owner: Owner,
    Path(name): Path<UserName>,
    _: NoParams,
) -> Result<Answer<Vec<Token>>, Problem> {
    Ok(Answer(tokens::list_of(&state.app, &owner, &name).await?))
}

/// Revoke a user's token
#[utoipa::path(delete, path = "/user/{name}/token/{id}", operation_id = "revokeUserToken", tag = "users",
    params(schema::UserPath, schema::TokenId), responses(
    (status = 204, description = "The token was revoked"),
    (status = 404, description = "The user or token does not exist"),
))]
pub async fn delete_of(
    State(state): State<Shared>,
    owner: Owner,
    Path((name, id)): Path<(UserName, TokenId)>,
    _: NoParams,
) -> Result<StatusCode, Problem> {
    tokens::revoke_of(&state.app, &owner, &name, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
