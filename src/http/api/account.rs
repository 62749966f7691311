//! `/login`, `/logout`, `/me`: signing in and out, and who one is.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::Serialize;

use crate::{
    domain::{Role, UserName},
    http::{
        Shared,
        answer::Answer,
        auth::{challenge, make_first_owner, session_cookie},
        cookies::{self, SetCookie},
        extract::body::{self, Json, media_type, read_sign_in},
        openapi as schema,
        problem::Problem,
    },
    json::{JsonValue, ObjectReader},
    service::{
        AuthMethod, Identity, Viewer,
        audit::RequestContext,
        auth::{self, Browser},
        sessions, users,
    },
};

/// Who one is, and what one may with what one signed in with.
#[derive(Serialize)]
pub(in crate::http) struct Me {
    name: UserName,
    role: Role,
}

impl From<&Identity> for Me {
    fn from(identity: &Identity) -> Self {
        Self { name: identity.name.clone(), role: identity.role }
    }
}

/// End the session
///
/// On the server, not only in the browser. Whoever is signed in without a session stays so.
#[utoipa::path(post, path = "/logout", operation_id = "logout", tag = "account", responses(
    (status = 204, description = "Signed out"),
    (status = 303, description = "Signed out, to a form: led to the page for signing in"),
))]
pub async fn logout(
    State(state): State<Shared>,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let AuthMethod::Session { id } = viewer.via {
        sessions::end(&state.app, &viewer, id).await?;
    }
    let answer = if media_type(&headers) == "application/x-www-form-urlencoded" {
        Redirect::to("/login").into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    };
    // What was seen is not to be seen with the back button.
    let forget = [(HeaderName::from_static("clear-site-data"), "\"cache\"")];
    Ok((SetCookie::removed(cookies::SESSION), forget, answer).into_response())
}

/// Who one is
#[utoipa::path(get, path = "/me", operation_id = "getMe", tag = "account", responses(
    (status = 200, description = "Name and role", body = schema::Me),
))]
pub async fn me(viewer: Viewer) -> Answer<Me> {
    Answer(Me::from(&*viewer))
}

/// Set a new password
///
/// With the present one. It ends all of one's sessions; tokens stay, unless `revokeTokens` is true.
#[utoipa::path(patch, path = "/me", operation_id = "updateMe", tag = "account", request_body = schema::PasswordChange, responses(
    (status = 200, description = "The password was changed", body = schema::Me),
    (status = 400, description = "No JSON"),
    (status = 409, description = "Somebody else has set a new password meanwhile"),
    (status = 413, description = "The body is too large"),
    (status = 415, description = "The body is no JSON by its media type"),
    (status = 422, description = "Fields are invalid, or the present password is wrong"),
    (status = 429, description = "Too many failed attempts"),
))]
pub async fn change_me(
    State(state): State<Shared>,
    viewer: Viewer,
    from: RequestContext,
    Json(node): Json,
) -> Result<Answer<Me>, Problem> {
    let mut members = ObjectReader::of(&node, "").map_err(body::invalid)?;
    let present = members.required("presentPassword", |node| node.secret());
    let new = members.required("password", |node| node.secret());
    let revoke_tokens = members.optional("revokeTokens", JsonValue::boolean);
    let (present, new, revoke_tokens) =
        members.finish((present, new, revoke_tokens)).map_err(body::invalid)?;
    let revoke_tokens = revoke_tokens.unwrap_or_default();
    users::change_own_password(&state.app, &viewer, &from, present, new, revoke_tokens).await?;
    Ok(Answer(Me::from(&*viewer)))
}

/// Signs in with the JSON of a request.
pub async fn login(browser: Browser, state: &Shared, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let node = read_sign_in(request).await?;
    let mut members = ObjectReader::of(&node, "").map_err(body::invalid)?;
    let name = members.required("name", |node| node.text());
    let password = members.required("password", |node| node.secret());
    let (name, password) = members.finish((name, password)).map_err(body::invalid)?;
    let begun = auth::login(&state.app, browser, name, password).await;
    let (secret, identity) = begun.map_err(|error| challenge(error.into(), &headers))?;
    Ok((session_cookie(&secret), Answer(Me::from(&identity))).into_response())
}

/// Makes the first owner with the JSON of a request.
pub async fn set_up(browser: Browser, state: &Shared, request: Request) -> Result<Response, Problem> {
    let node = read_sign_in(request).await?;
    let mut members = ObjectReader::of(&node, "").map_err(body::invalid)?;
    let mut secret = |name| members.required(name, JsonValue::secret);
    let read = (secret("code"), secret("name"), secret("password"));
    let (code, name, password) = members.finish(read).map_err(body::invalid)?;
    let (session, identity) = make_first_owner(state, browser, code, name, password).await?;
    Ok((session_cookie(&session), (StatusCode::CREATED, Answer(Me::from(&identity)))).into_response())
}
