//! `/login`, `/logout`, `/me`: signing in and out, and who one is.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{Role, UserName},
    http::{
        Shared,
        answer::Answer,
        auth::{browser, challenge, refuse_cross_site, session_cookie},
        body::{self, Json, media_type, read_sign_in, unsupported},
        client::Client,
        cookies::{self, SetCookie},
        openapi as schema,
        problem::Problem,
        web,
    },
    json::{JsonValue, ObjectReader},
    service::{AuthMethod, Identity, Viewer, audit::RequestContext, auth, sessions, users},
};

/// The routes for whoever is signed in.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(logout)).routes(routes!(me, change_me))
}

/// The routes for everybody.
pub fn open_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(web::login::show, login))
}

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

/// Begin a session
///
/// Sets the session's cookie. Also takes the form of the page.
#[utoipa::path(post, path = "/login", operation_id = "login", tag = "account", security(()), request_body = schema::Login, responses(
    (status = 200, description = "Signed in", body = schema::Me,
        headers(("Set-Cookie" = String, description = "The session"))),
    (status = 400, description = "No JSON"),
    (status = 401, description = "The user name or the password is wrong"),
    (status = 403, description = "A page of another site asks"),
    (status = 413, description = "The body is too large"),
    (status = 415, description = "The body is neither JSON nor a form by its media type"),
    (status = 422, description = "Fields are invalid"),
    (status = 429, description = "Too many failed sign-ins"),
))]
async fn login(
    State(state): State<Shared>,
    client: Client,
    from: RequestContext,
    request: Request,
) -> Result<Response, Problem> {
    refuse_cross_site(&request, &state)?;
    let browser = browser(request.headers(), from, client);
    let headers = request.headers().clone();
    match media_type(request.headers()).as_str() {
        "application/json" => {
            let node = read_sign_in(request).await?;
            let mut members = ObjectReader::of(&node, "").map_err(body::invalid)?;
            let name = members.required("name", |node| node.text());
            let password = members.required("password", |node| node.secret());
            members.finish().map_err(body::invalid)?;
            let (name, password) = (name.unwrap_or_default(), password.unwrap_or_default());
            let begun = auth::login(&state.app, browser, name, password).await;
            let (secret, identity) = begun.map_err(|error| challenge(error.into(), &headers))?;
            Ok((session_cookie(&secret), Answer(Me::from(&identity))).into_response())
        }
        "application/x-www-form-urlencoded" => web::login::submit(&state, browser, request).await,
        _ => Err(unsupported(header::ACCEPT, "application/json, application/x-www-form-urlencoded")),
    }
}

/// End the session
///
/// On the server, not only in the browser. Whoever is signed in without a session stays so.
#[utoipa::path(post, path = "/logout", operation_id = "logout", tag = "account", responses(
    (status = 204, description = "Signed out"),
    (status = 303, description = "Signed out, to a form: led to the page for signing in"),
))]
async fn logout(
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
async fn me(viewer: Viewer) -> Answer<Me> {
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
async fn change_me(
    State(state): State<Shared>,
    viewer: Viewer,
    from: RequestContext,
    Json(node): Json,
) -> Result<Answer<Me>, Problem> {
    let mut members = ObjectReader::of(&node, "").map_err(body::invalid)?;
    let present = members.required("presentPassword", |node| node.secret());
    let new = members.required("password", |node| node.secret());
    let revoke_tokens = members.optional("revokeTokens", JsonValue::boolean).unwrap_or_default();
    members.finish().map_err(body::invalid)?;
    let (Some(present), Some(new)) = (present, new) else { unreachable!("what is missing is a violation") };
    users::change_own_password(&state.app, &viewer, &from, present, new, revoke_tokens).await?;
    Ok(Answer(Me::from(&*viewer)))
}
