//! `/users/access`: a user's sessions and API tokens, for owners.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header},
    response::Response,
};

use crate::{
    domain::UserName,
    http::{
        Shared,
        extract::form::Form,
        problem::Problem,
        web::parts::{
            flash,
            page_context::PageContext,
            sessions_and_tokens::{Session, Token, access_address, id_in, named},
        },
    },
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

pub async fn show(
    State(state): State<Shared>,
    owner: Owner,
    context: PageContext,
    uri: Uri,
) -> Result<Response, Problem> {
    let name = named(&Form::of_address(&uri))?;
    let now = state.app.now();
    let (user, sessions) = sessions::list_of(&state.app, &owner, &name).await?;
    let sessions = sessions.into_iter().map(Session::shown).collect();
    let tokens = tokens::list_of(&state.app, &owner, &name).await?;
    let tokens = tokens.iter().map(|token| Token::shown(token, now)).collect();
    let template = Access { context: Some(&context), name: user.as_str(), sessions, tokens };
    let mut answer = context.page(StatusCode::OK, &template)?;
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

pub async fn end_session(State(state): State<Shared>, owner: Owner, form: Form) -> Result<Response, Problem> {
    let (name, id) = (named(&form)?, id_in(&form)?);
    sessions::end_of(&state.app, &owner, &name, id).await?;
    Ok(redirect_to_user(&name, "session-ended"))
}

pub async fn end_all_sessions(
    State(state): State<Shared>,
    owner: Owner,
    form: Form,
) -> Result<Response, Problem> {
    let name = named(&form)?;
    sessions::end_all_of(&state.app, &owner, &name).await?;
    Ok(redirect_to_user(&name, "all-sessions-ended"))
}

pub async fn revoke_token(
    State(state): State<Shared>,
    owner: Owner,
    form: Form,
) -> Result<Response, Problem> {
    let (name, id) = (named(&form)?, id_in(&form)?);
    tokens::revoke_of(&state.app, &owner, &name, id).await?;
    Ok(redirect_to_user(&name, "token-revoked"))
}

pub async fn revoke_all_tokens(
    State(state): State<Shared>,
    owner: Owner,
    form: Form,
) -> Result<Response, Problem> {
    let name = named(&form)?;
    tokens::revoke_all_of(&state.app, &owner, &name).await?;
    Ok(redirect_to_user(&name, "tokens-revoked"))
}

/// Redirects to the page, with a message.
fn redirect_to_user(name: &UserName, message: &str) -> Response {
    flash::redirect_with_flash(&access_address(name), message)
}
