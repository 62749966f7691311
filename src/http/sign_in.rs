//! `POST /login` and `POST /setup`: both accept JSON from programs and forms from pages.

use axum::{
    extract::{Request, State},
    http::header::ACCEPT,
    response::Response,
};

use super::{
    Shared,
    api::account,
    auth::{browser, refuse_cross_site},
    extract::{
        body::{media_type, unsupported},
        client::Client,
    },
    problem::Problem,
    web::pages,
};
use crate::{
    documents,
    service::{audit::RequestContext, auth::Browser},
};

/// Sign in
///
/// Sets the session cookie. Also accepts the form of the page.
#[utoipa::path(post, path = "/login", operation_id = "login", tag = "account", security(()), request_body = documents::Login, responses(
    (status = 200, description = "Signed in", body = documents::Me,
        headers(("Set-Cookie" = String, description = "The session"))),
    (status = 400, description = "Malformed JSON"),
    (status = 401, description = "The user name or the password is wrong"),
    (status = 403, description = "The request comes from a page of another site"),
    (status = 413, description = "The body is too large"),
    (status = 415, description = "The media type is neither JSON nor a form"),
    (status = 422, description = "Fields are invalid"),
    (status = 429, description = "Too many failed sign-ins"),
))]
pub async fn login(
    State(state): State<Shared>,
    client: Client,
    from: RequestContext,
    request: Request,
) -> Result<Response, Problem> {
    let (browser, body) = begin(&state, client, from, &request)?;
    match body {
        Body::Json => account::login(browser, &state, request).await,
        Body::Form => pages::login::submit(browser, &state, request).await,
    }
}

/// Create the first owner
///
/// Requires the one-time code that the service printed, which is valid for an hour. Signs the owner in. Also
/// accepts the form of the page.
#[utoipa::path(post, path = "/setup", operation_id = "createFirstOwner", tag = "account", security(()),
    request_body = documents::Setup,
    responses(
        (status = 201, description = "The first owner was created and signed in", body = documents::Me,
            headers(("Set-Cookie" = String, description = "The session"))),
        (status = 400, description = "Malformed JSON"),
        (status = 403, description = "The code is wrong, used or expired, or the request comes from a page of another site"),
        (status = 409, description = "A user exists already"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "The media type is neither JSON nor a form"),
        (status = 422, description = "Fields are invalid"),
    )
)]
pub async fn set_up(
    State(state): State<Shared>,
    client: Client,
    from: RequestContext,
    request: Request,
) -> Result<Response, Problem> {
    let (browser, body) = begin(&state, client, from, &request)?;
    match body {
        Body::Json => account::set_up(browser, &state, request).await,
        Body::Form => pages::setup::submit(browser, &state, request).await,
    }
}

/// The format of a body.
enum Body {
    Json,
    Form,
}

/// Returns the browser and the format of the body. Rejects requests from pages of other sites.
fn begin(
    state: &Shared,
    client: Client,
    from: RequestContext,
    request: &Request,
) -> Result<(Browser, Body), Problem> {
    refuse_cross_site(request, state)?;
    let body = match media_type(request.headers()).as_str() {
        "application/json" => Body::Json,
        "application/x-www-form-urlencoded" => Body::Form,
        _ => return Err(unsupported(ACCEPT, "application/json, application/x-www-form-urlencoded")),
    };
    Ok((browser(request.headers(), from, client), body))
}
