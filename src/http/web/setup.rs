//! `/setup`: the page on which the first owner is made, with the one-time code of the log.

use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use super::{Form, page};
use crate::{
    domain::{Invalid, Password, UserName, Violation},
    http::{
        Shared,
        auth::{cross_site, set_cookie},
        body::{media_type, read_json},
        client::{Client, is_cross_site},
        problem::Problem,
    },
    json::Members,
    service::{Error, auth, setup},
};

#[derive(Template)]
#[template(path = "setup.html")]
struct Setup<'a> {
    code: &'a str,
    name: &'a str,
    name_error: Option<String>,
    password_error: Option<String>,
    error: Option<&'a str>,
    password_min: usize,
    password_max: usize,
}

impl<'a> Setup<'a> {
    fn new(code: &'a str, name: &'a str) -> Self {
        let (password_min, password_max) = (Password::MIN_CHARS, Password::MAX_CHARS);
        Self { code, name, name_error: None, password_error: None, error: None, password_min, password_max }
    }
}

/// The routes of the page, for everybody: only who has the code gets further.
pub fn open_routes() -> Router<Shared> {
    Router::new().route("/setup", get(show).post(submit))
}

async fn show(State(state): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    if !setup::needed(&state.app).await? {
        return Ok(Redirect::to("/login").into_response());
    }
    let query = uri.query().unwrap_or_default();
    let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code");
    let code = code.map(|(_, code)| code.into_owned()).unwrap_or_default();
    let mut template = Setup::new(&code, "");
    let mut status = StatusCode::OK;
    if !setup::is_code(&state.app, &code) {
        template.error = Some(
            "This address lacks the set-up code, or has an old one. The service's log shows the right one.",
        );
        status = StatusCode::FORBIDDEN;
    }
    page(status, &template)
}

async fn submit(State(state): State<Shared>, client: Client, request: Request) -> Result<Response, Problem> {
    if is_cross_site(request.headers(), &state) {
        return Err(cross_site());
    }
    let headers = request.headers();
    let agent =
        headers.get("user-agent").and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_owned();
    let is_json = media_type(headers) == "application/json";
    let form = if is_json { of_json(request, &state).await? } else { Form::read(request, &state).await? };
    let (code, name, password) = (form.get("code"), form.get("name"), form.get("password"));
    let made = match finish(&state, code, name, password).await {
        Ok(()) => auth::login(&state.app, client.address, &agent, name, password).await,
        Err(error) => Err(error),
    };
    let (session, _) = match made {
        Ok(signed_in) => signed_in,
        Err(error) => {
            let problem = Problem::from(error);
            if is_json || problem.status().is_server_error() {
                return Err(problem);
            }
            let of = |pointer: &str| {
                let at = |v: &&Violation| v.place == crate::domain::Place::Pointer(pointer.to_owned());
                problem.errors().iter().find(at).map(|violation| violation.detail.clone())
            };
            let mut template = Setup::new(code, name);
            template.name_error = of("/name");
            template.password_error = of("/password");
            template.error = Some(&problem.detail);
            return page(problem.status(), &template);
        }
    };
    let (cookie, value) = set_cookie(Some(&session), client);
    let answer =
        if is_json { StatusCode::CREATED.into_response() } else { Redirect::to("/").into_response() };
    Ok(([(cookie, value)], answer).into_response())
}

async fn finish(state: &Shared, code: &str, name: &str, password: &str) -> Result<(), Error> {
    let name = UserName::parse(name);
    let nobody = UserName::parse("nobody");
    let password = match name.as_ref().or(nobody.as_ref()) {
        Ok(name) => Password::parse(password, name),
        Err(invalid) => Err(invalid.clone()),
    };
    match (name, password) {
        (Ok(name), Ok(password)) => setup::finish(&state.app, code, &name, password).await,
        (name, password) => {
            let violation =
                |pointer, invalid: Option<Invalid>| invalid.map(|invalid| Violation::at(pointer, invalid));
            let violations = [violation("/name", name.err()), violation("/password", password.err())];
            Err(Error::Invalid(violations.into_iter().flatten().collect()))
        }
    }
}

async fn of_json(request: Request, state: &Shared) -> Result<Form, Problem> {
    let node = read_json(request, state).await?;
    let mut members = Members::of(&node, "").map_err(super::body::invalid)?;
    let mut fields = Vec::new();
    for name in ["code", "name", "password"] {
        let value = members.required(name, |node| node.text().map(str::to_owned));
        fields.push((name.to_owned(), value.unwrap_or_default()));
    }
    members.finish().map_err(super::body::invalid)?;
    Ok(Form(fields))
}
