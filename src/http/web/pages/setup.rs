//! `/setup`: the page to create the first owner, with the one-time code from the log.

use askama::Template;
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    documents::Violation,
    domain::Password,
    http::{
        Shared,
        auth::{make_first_owner, session_cookie},
        extract::form::Form,
        problem::Problem,
        web::parts::page_context::{PageContext, page},
    },
    limits::{MAX_FORM_FIELDS, MAX_SIGN_IN_BODY_BYTES},
    service::{auth::Browser, setup},
};

#[derive(Template)]
#[template(path = "setup.html")]
struct Setup<'a> {
    context: Option<&'a PageContext>,
    code: &'a str,
    name: &'a str,
    code_error: Option<&'a str>,
    name_error: Option<String>,
    password_error: Option<String>,
    error: Option<&'a str>,
    password_min: usize,
    password_max: usize,
}

impl<'a> Setup<'a> {
    fn new(code: &'a str, name: &'a str) -> Self {
        let (password_min, password_max) = (Password::MIN_CHARS, Password::MAX_CHARS);
        Self {
            context: None,
            code,
            name,
            code_error: None,
            name_error: None,
            password_error: None,
            error: None,
            password_min,
            password_max,
        }
    }
}

/// Show the set-up page
///
/// Its script reads the one-time code from the fragment of the URL, `/setup#code=…`. Without JavaScript the
/// code is pasted into the form.
#[utoipa::path(get, path = "/setup", operation_id = "showSetup", tag = "account", security(()),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "A user exists already: redirect to the sign-in page"),
    )
)]
pub async fn show(State(state): State<Shared>) -> Result<Response, Problem> {
    if !setup::needed(&state.app).await? {
        return Ok(Redirect::to("/login").into_response());
    }
    // The page's script reads the code from the fragment, or the user pastes it.
    page(StatusCode::OK, &Setup::new("", ""))
}

/// Creates the first owner with the form.
pub async fn submit(browser: Browser, state: &Shared, request: Request) -> Result<Response, Problem> {
    let form = Form::read(MAX_SIGN_IN_BODY_BYTES, MAX_FORM_FIELDS, request).await?;
    let (code, name, password) = (form.get("code"), form.get("name"), form.get("password"));
    let problem = match make_first_owner(state, browser, code, name, password).await {
        Ok((session, _)) => return Ok((session_cookie(&session), Redirect::to("/")).into_response()),
        Err(error) => Problem::from(error),
    };
    if problem.status().is_server_error() {
        return Err(problem);
    }
    let of = |path: &str| {
        let at = |violation: &&Violation| violation.name() == path;
        problem.document.errors.iter().find(at).map(|violation| violation.detail.clone())
    };
    let mut template = Setup::new(code, name);
    template.name_error = of("name");
    template.password_error = of("password");
    // Violations are shown beside the fields.
    match problem.status() {
        StatusCode::FORBIDDEN => template.code_error = Some(&problem.document.detail),
        _ if problem.document.errors.is_empty() => template.error = Some(&problem.document.detail),
        _ => {}
    }
    page(problem.status(), &template)
}
