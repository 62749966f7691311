//! `/token` and `/user/{name}/token`: one's own API tokens, and for owners those of others.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    domain::{Role, Time, TokenId, TokenName, UserName},
    http::{
        Shared,
        answer::Answer,
        extract::{body, idempotency::JsonWithKey, path::Path},
        openapi as schema,
        problem::Problem,
    },
    json::{JsonValue, ObjectReader},
    service::{
        Owner, Viewer,
        tokens::{self, NewToken},
    },
};

/// A token as its user sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    id: TokenId,
    name: TokenName,
    role: Role,
    created_at: Time,
    expires_at: Option<Time>,
    /// The token itself: only in the answer that makes it.
    #[serde(rename = "token", skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl From<tokens::Token> for Token {
    fn from(t: tokens::Token) -> Self {
        let tokens::Token { id, name, role, created_at, expires_at } = t;
        Self { id, name, role, created_at, expires_at, secret: None }
    }
}

/// List one's own tokens
#[utoipa::path(get, path = "/token", operation_id = "listTokens", tag = "account", responses(
    (status = 200, description = "One's own tokens, without the secrets themselves", body = Vec<schema::Token>),
))]
pub async fn list(State(state): State<Shared>, viewer: Viewer) -> Result<Answer<Vec<Token>>, Problem> {
    Ok(Answer(tokens::list(&state.app, &viewer).await?.into_iter().map(Token::from).collect()))
}

/// Make a token
///
/// The answer shows it this once.
#[utoipa::path(post, path = "/token", operation_id = "createToken", tag = "account", params(schema::IdempotencyKey),
    request_body = schema::NewToken, responses(
    (status = 201, description = "The token was made", body = schema::MadeToken,
        links(("revoke" = (operation_id = "revokeToken", parameters(("id" = "$response.body#/id")))))),
    (status = 400, description = "No JSON, or a malformed `Idempotency-Key`"),
    (status = 409, description = "You have as many tokens as a user may have"),
    (status = 413, description = "The body is too large"),
    (status = 415, description = "The body is no JSON by its media type"),
    (status = 422, description = "Fields are invalid; or the `Idempotency-Key` was sent with another request"),
))]
pub async fn create(
    State(state): State<Shared>,
    viewer: Viewer,
    JsonWithKey(node, key): JsonWithKey,
) -> Result<Response, Problem> {
    let mut members = ObjectReader::of(&node, "").map_err(body::invalid)?;
    let name = members.required("name", |node| TokenName::parse(node.text()?));
    let role = members.optional("role", |node| Role::parse(node.text()?));
    let expires_at = members.optional("expiresAt", |node| match node {
        JsonValue::Null => Ok(None),
        node => Time::parse(node.text()?).map(Some),
    });
    let (name, role, expires_at) = members.finish((name, role, expires_at)).map_err(body::invalid)?;
    let new = NewToken { name, role, expires_at: expires_at.flatten() };
    let (token, secret) = tokens::create(&state.app, &viewer, &new, key).await?;
    let token = Token { secret: Some(secret.reveal().to_owned()), ..token.into() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Answer(token)).into_response())
}

/// Revoke a token
#[utoipa::path(delete, path = "/token/{id}", operation_id = "revokeToken", tag = "account", params(schema::TokenId), responses(
    (status = 204, description = "The token is good for nothing any more"),
    (status = 404, description = "You have no such token"),
))]
pub async fn delete(
    State(state): State<Shared>,
    viewer: Viewer,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Problem> {
    tokens::revoke(&state.app, &viewer, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List a user's tokens
#[utoipa::path(get, path = "/user/{name}/token", operation_id = "listUserTokens", tag = "users",
    params(schema::UserPath), responses(
    (status = 200, description = "The user's tokens, without the secrets themselves", body = Vec<schema::Token>),
    (status = 404, description = "There is no such user"),
))]
pub async fn list_of(
    State(state): State<Shared>,
    owner: Owner,
    Path(name): Path<UserName>,
) -> Result<Answer<Vec<Token>>, Problem> {
    let tokens = tokens::list_of(&state.app, &owner, &name).await?;
    Ok(Answer(tokens.into_iter().map(Token::from).collect()))
}

/// Revoke a user's token
#[utoipa::path(delete, path = "/user/{name}/token/{id}", operation_id = "revokeUserToken", tag = "users",
    params(schema::UserPath, schema::TokenId), responses(
    (status = 204, description = "The token is good for nothing any more"),
    (status = 404, description = "There is no such user, or the user has no such token"),
))]
pub async fn delete_of(
    State(state): State<Shared>,
    owner: Owner,
    Path((name, id)): Path<(UserName, TokenId)>,
) -> Result<StatusCode, Problem> {
    tokens::revoke_of(&state.app, &owner, &name, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
