//! `/login`, `/logout`, `/me`: sign-in, sign-out and the signed-in user.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    documents::{self, Login, Me, PasswordChange, Setup},
    http::{
        Shared,
        answer::Answer,
        auth::{challenge, make_first_owner, session_cookie},
        cookies::{self, SetCookie},
        extract::{
            body::{self, Json, media_type, read_sign_in},
            query::NoParams,
        },
        problem::Problem,
    },
    service::{
        AuthMethod, Identity, Viewer,
        audit::RequestContext,
        auth::{self, Browser},
        sessions, users,
    },
};

fn me_of(identity: &Identity) -> Answer<Me> {
    Answer(Me { name: identity.name.clone(), role: identity.role })
}

/// Sign out
///
/// Ends the session on the server, too. Requests without a session are not affected.
#[utoipa::path(post, path = "/logout", operation_id = "logout", tag = "account", responses(
    (status = 204, description = "Signed out"),
    (status = 303, description = "Signed out by a form: redirect to the sign-in page"),
))]
pub async fn logout(
    State(state): State<Shared>,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let AuthMethod::Session { id } = viewer.identity().via {
        sessions::end(&state.app, &viewer, id).await?;
    }
    let answer = if media_type(&headers) == "application/x-www-form-urlencoded" {
        Redirect::to("/login").into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    };
    // The browser must not show cached pages with the back button.
    let forget = [(HeaderName::from_static("clear-site-data"), "\"cache\"")];
    Ok((SetCookie::removed(cookies::SESSION), forget, answer).into_response())
}

/// Get the signed-in user
#[utoipa::path(get, path = "/me", operation_id = "getMe", tag = "account", responses(
    (status = 200, description = "Name and role", body = documents::Me),
))]
pub async fn me(viewer: Viewer, _: NoParams) -> Answer<Me> {
    me_of(viewer.identity())
}

/// Change one's own password
///
/// Requires the current password. Ends all of one's sessions. Tokens stay valid unless `revokeTokens` is
/// true.
#[utoipa::path(patch, path = "/me", operation_id = "updateMe", tag = "account", request_body = documents::PasswordChange, responses(
    (status = 200, description = "The password was changed", body = documents::Me),
    (status = 400, description = "Malformed JSON"),
    (status = 409, description = "The password was changed meanwhile"),
    (status = 413, description = "The body is too large"),
    (status = 415, description = "The media type is not JSON"),
    (status = 422, description = "Fields are invalid, or the current password is wrong"),
    (status = 429, description = "Too many failed attempts"),
))]
pub async fn change_me(
    State(state): State<Shared>,
    viewer: Viewer,
    from: RequestContext,
    _: NoParams,
    Json(node): Json,
) -> Result<Answer<Me>, Problem> {
    let PasswordChange { present_password, password, revoke_tokens } =
        PasswordChange::read(&node).map_err(body::invalid)?;
    users::change_own_password(&state.app, &viewer, &from, &present_password, &password, revoke_tokens)
        .await?;
    Ok(me_of(viewer.identity()))
}

/// Signs in with a JSON body.
pub async fn login(browser: Browser, state: &Shared, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let node = read_sign_in(request).await?;
    let Login { name, password } = Login::read(&node).map_err(body::invalid)?;
    let begun = auth::login(&state.app, browser, &name, &password).await;
    let (secret, identity) = begun.map_err(|error| challenge(error.into(), &headers))?;
    Ok((session_cookie(&secret), me_of(&identity)).into_response())
}

/// Creates the first owner with a JSON body.
pub async fn set_up(browser: Browser, state: &Shared, request: Request) -> Result<Response, Problem> {
    let node = read_sign_in(request).await?;
    let Setup { code, name, password } = Setup::read(&node).map_err(body::invalid)?;
    let (session, identity) = make_first_owner(state, browser, &code, &name, &password).await?;
    Ok((session_cookie(&session), (StatusCode::CREATED, me_of(&identity))).into_response())
}
