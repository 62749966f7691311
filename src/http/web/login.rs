//! `/login`: the page and its form.

use askama::Template;
use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};

use super::{Form, local_place, page, visitor::Visitor};
use crate::{
    http::{Shared, auth::set_cookie, client::Client, openapi as schema, problem::Problem},
    service::{auth, setup},
};

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    visitor: Option<&'a Visitor>,
    next: &'a str,
    name: &'a str,
    error: Option<&'a str>,
    /// Whether there is no user yet, so that nobody can sign in.
    setup_needed: bool,
}

/// The page for signing in
///
/// What its form sends goes to `POST /login`.
#[utoipa::path(get, path = "/login", operation_id = "showLogin", tag = "account", security(()),
    params(schema::LoginParams),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")))]
pub async fn show(State(state): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let query = uri.query().unwrap_or_default();
    let next = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    let next = next.map(|(_, next)| next.into_owned()).unwrap_or_default();
    let setup_needed = setup::needed(&state.app).await?;
    page(
        StatusCode::OK,
        &Login { visitor: None, next: local_place(&next), name: "", error: None, setup_needed },
    )
}

/// Signs in with what the form sent.
pub async fn submit(
    state: &Shared,
    client: Client,
    user_agent: &str,
    request: Request,
) -> Result<Response, Problem> {
    let form = Form::read(request).await?;
    let (name, next) = (form.get("name"), local_place(form.get("next")));
    match auth::login(&state.app, client.address, user_agent, name, form.get("password")).await {
        Ok((secret, _)) => {
            let (cookie, value) = set_cookie(Some(&secret), client);
            Ok(([(cookie, value)], Redirect::to(next)).into_response())
        }
        Err(error) => {
            let problem = Problem::from(error);
            if problem.status().is_server_error() {
                return Err(problem);
            }
            let template =
                Login { visitor: None, next, name, error: Some(&problem.detail), setup_needed: false };
            let mut answer = page(problem.status(), &template)?;
            let retry_after = problem.into_response().headers_mut().remove(header::RETRY_AFTER);
            answer.headers_mut().extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
            Ok(answer)
        }
    }
}
