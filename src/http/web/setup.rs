//! `/setup`: the page on which the first owner is made, with the one-time code of the log.

use askama::Template;
use axum::{
    extract::{Request, State},
    http::{StatusCode, header::ACCEPT},
    response::{IntoResponse, Redirect, Response},
};

use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Form, page, page_context::PageContext};
use crate::{
    domain::{Invalid, Password, UserName, Violation},
    http::{
        Shared,
        answer::Answer,
        api::account::Me,
        auth::{browser, refuse_cross_site, session_cookie},
        body::{media_type, read_sign_in, unsupported},
        client::Client,
        openapi as schema,
        problem::Problem,
    },
    json::ObjectReader,
    limits::{MAX_FORM_FIELDS, MAX_SIGN_IN_BODY_BYTES},
    service::{Error, audit::RequestContext, auth, setup},
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

/// The routes of the page, for everybody: only who has the code gets further.
pub fn open_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show, submit))
}

/// The page for the first owner
///
/// Its script takes the one-time code from the fragment of the address, `/setup#code=…`; without JavaScript it is
/// pasted into the form.
#[utoipa::path(get, path = "/setup", operation_id = "showSetup", tag = "account", security(()),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "There is a user already: led to the page for signing in"),
    )
)]
async fn show(State(state): State<Shared>) -> Result<Response, Problem> {
    if !setup::needed(&state.app).await? {
        return Ok(Redirect::to("/login").into_response());
    }
    // The code is in the fragment of the address, which the page's script reads, or is pasted.
    page(StatusCode::OK, &Setup::new("", ""))
}

/// Make the first owner
///
/// With the one-time code that the service printed, which is good for an hour; signs the owner in. Also takes the
/// form of the page.
#[utoipa::path(post, path = "/setup", operation_id = "createFirstOwner", tag = "account", security(()),
    request_body = schema::Setup,
    responses(
        (status = 201, description = "The first owner was made, and is signed in", body = schema::Me,
            headers(("Set-Cookie" = String, description = "The session"))),
        (status = 400, description = "No JSON"),
        (status = 403, description = "The code is wrong, was used or has ended, or a page of another site asks"),
        (status = 409, description = "There is a user already"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "The body is neither JSON nor a form by its media type"),
        (status = 422, description = "Fields are invalid"),
    )
)]
async fn submit(
    State(state): State<Shared>,
    client: Client,
    from: RequestContext,
    request: Request,
) -> Result<Response, Problem> {
    refuse_cross_site(&request, &state)?;
    let headers = request.headers();
    let browser = browser(headers, from, client);
    let (form, is_json) = match media_type(headers).as_str() {
        "application/json" => (of_json(request).await?, true),
        "application/x-www-form-urlencoded" => {
            (Form::read(MAX_SIGN_IN_BODY_BYTES, MAX_FORM_FIELDS, request).await?, false)
        }
        _ => return Err(unsupported(ACCEPT, "application/json, application/x-www-form-urlencoded")),
    };
    let (code, name, password) = (form.get("code"), form.get("name"), form.get("password"));
    let made = match finish(&state, &browser.request, code, name, password).await {
        Ok(()) => auth::login(&state.app, browser, name, password).await,
        Err(error) => Err(error),
    };
    let (session, identity) = match made {
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
            // What is wrong with a field is said beside it.
            match problem.status() {
                StatusCode::FORBIDDEN => template.code_error = Some(&problem.detail),
                _ if problem.errors().is_empty() => template.error = Some(&problem.detail),
                _ => {}
            }
            return page(problem.status(), &template);
        }
    };
    let answer = if is_json {
        (StatusCode::CREATED, Answer(Me::from(&identity))).into_response()
    } else {
        Redirect::to("/").into_response()
    };
    Ok((session_cookie(&session), answer).into_response())
}

async fn finish(
    state: &Shared,
    from: &RequestContext,
    code: &str,
    name: &str,
    password: &str,
) -> Result<(), Error> {
    // Before the password is judged: only who has the code makes the service compute.
    setup::check(&state.app, from, code).await?;
    let name = UserName::parse_new(name);
    let nobody = UserName::parse("nobody");
    let password = match name.as_ref().or(nobody.as_ref()) {
        Ok(name) => Password::parse(password, name),
        Err(invalid) => Err(invalid.clone()),
    };
    match (name, password) {
        (Ok(name), Ok(password)) => setup::finish(&state.app, from, code, &name, password).await,
        (name, password) => {
            let violation =
                |pointer, invalid: Option<Invalid>| invalid.map(|invalid| Violation::at(pointer, invalid));
            let violations = [violation("/name", name.err()), violation("/password", password.err())];
            Err(Error::Invalid(violations.into_iter().flatten().collect()))
        }
    }
}

async fn of_json(request: Request) -> Result<Form, Problem> {
    let node = read_sign_in(request).await?;
    let mut members = ObjectReader::of(&node, "").map_err(super::body::invalid)?;
    let mut fields = Vec::new();
    for name in ["code", "name", "password"] {
        let value = members.required(name, |node| node.secret().map(str::to_owned));
        fields.push((name.to_owned(), value.unwrap_or_default()));
    }
    members.finish().map_err(super::body::invalid)?;
    Ok(Form(fields))
}
