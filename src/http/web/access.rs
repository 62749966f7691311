//! `/users/access`: the sessions and API tokens of a user, for owners.

use askama::Template;
use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header},
    response::Response,
    routing::{get, post},
};

use super::{
    Form,
    account::{Session, Token, id_in},
    flash,
    page_context::PageContext,
    users::named,
};
use crate::{
    domain::UserName,
    http::{Shared, problem::Problem},
    service::{Owner, sessions, tokens},
};

#[derive(Template)]
#[template(path = "access.html")]
struct Access<'a> {
    context: Option<&'a PageContext>,
    name: &'a str,
    sessions: Vec<Session>,
    tokens: Vec<Token>,
}

/// The routes of the page, for owners.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/users/access", get(show))
        .route("/users/session/end", post(end_session))
        .route("/users/session/end-all", post(end_all_sessions))
        .route("/users/token/revoke", post(revoke_token))
        .route("/users/token/revoke-all", post(revoke_all_tokens))
}

async fn show(
    State(state): State<Shared>,
    owner: Owner,
    context: PageContext,
    uri: Uri,
) -> Result<Response, Problem> {
    let name = named(&Form::of_address(&uri))?;
    let now = state.app.now();
    let (user, sessions) = sessions::list_of(&state.app, &owner, &name).await?;
    let sessions = sessions.into_iter().map(|session| Session::shown(session, &context)).collect();
    let tokens = tokens::list_of(&state.app, &owner, &name).await?;
    let tokens = tokens.iter().map(|token| Token::shown(token, now)).collect();
    let template = Access { context: Some(&context), name: user.as_str(), sessions, tokens };
    let mut answer = context.page(StatusCode::OK, &template)?;
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

async fn end_session(State(state): State<Shared>, owner: Owner, form: Form) -> Result<Response, Problem> {
    let (name, id) = (named(&form)?, id_in(&form, "session")?);
    sessions::end_of(&state.app, &owner, &name, id).await?;
    Ok(told(&name, "session-ended"))
}

async fn end_all_sessions(
    State(state): State<Shared>,
    owner: Owner,
    form: Form,
) -> Result<Response, Problem> {
    let name = named(&form)?;
    sessions::end_all_of(&state.app, &owner, &name).await?;
    Ok(told(&name, "all-sessions-ended"))
}

async fn revoke_token(State(state): State<Shared>, owner: Owner, form: Form) -> Result<Response, Problem> {
    let (name, id) = (named(&form)?, id_in(&form, "token")?);
    tokens::revoke_of(&state.app, &owner, &name, id).await?;
    Ok(told(&name, "token-revoked"))
}

async fn revoke_all_tokens(
    State(state): State<Shared>,
    owner: Owner,
    form: Form,
) -> Result<Response, Problem> {
    let name = named(&form)?;
    tokens::revoke_all_of(&state.app, &owner, &name).await?;
    Ok(told(&name, "tokens-revoked"))
}

/// Leads back to the page, with a message.
fn told(name: &UserName, message: &str) -> Response {
    flash::redirect_with_flash(&address(name), message)
}

/// The address of the page of a user.
pub fn address(name: &UserName) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_str().as_bytes()).collect();
    format!("/users/access?name={name}")
}
