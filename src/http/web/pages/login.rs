//! `/login`: the page and its form.

use askama::Template;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    http::{
        Shared,
        auth::session_cookie,
        extract::{client::Client, form::Form},
        openapi as schema,
        problem::Problem,
        web::parts::{
            back::place_after_sign_in,
            flash::Flash,
            page_context::{PageContext, page},
            pending_form::PendingForm,
        },
    },
    limits::{MAX_FORM_FIELDS, MAX_SIGN_IN_BODY_BYTES},
    service::{
        auth::{self, Browser},
        setup,
    },
};

#[derive(Template, Default)]
#[template(path = "login.html")]
struct Login<'a> {
    context: Option<&'a PageContext>,
    next: &'a str,
    name: &'a str,
    /// A message about what was done before.
    flash: Option<&'a str>,
    error: Option<&'a str>,
    /// Whether there is no user yet, so that nobody can sign in.
    setup_needed: bool,
    /// A form that was submitted after the session had ended.
    kept: Option<&'a PendingForm>,
}

/// Show the sign-in page
///
/// Its form is sent to `POST /login`.
#[utoipa::path(get, path = "/login", operation_id = "showLogin", tag = "account", security(()),
    params(schema::LoginParams),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")))]
pub async fn show(
    State(state): State<Shared>,
    client: Client,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = uri.query().unwrap_or_default();
    let next = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    let next = next.map(|(_, next)| next.into_owned()).unwrap_or_default();
    let flash = Flash::sentence(&headers, client.https);
    let setup_needed = setup::needed(&state.app).await?;
    let template = Login { next: place_after_sign_in(&next), flash, setup_needed, ..Login::default() };
    let mut answer = page(StatusCode::OK, &template)?;
    if flash.is_some() {
        Flash::removed_cookie().add_to(&mut answer);
    }
    Ok(answer)
}

/// Signs in with the form.
pub async fn submit(browser: Browser, state: &Shared, request: Request) -> Result<Response, Problem> {
    let form = Form::read(MAX_SIGN_IN_BODY_BYTES, MAX_FORM_FIELDS, request).await?;
    let (name, next) = (form.get("name"), place_after_sign_in(form.get("next")));
    let kept = PendingForm::of_login(&form);
    match auth::login(&state.app, browser, name, form.get("password")).await {
        Ok((secret, identity)) => {
            let on = match &kept {
                Some(kept) => kept.go_on(&PageContext::bare(identity, "/".to_owned()))?,
                None => Redirect::to(next).into_response(),
            };
            Ok((session_cookie(&secret), on).into_response())
        }
        Err(error) => {
            let problem = Problem::from(error);
            if problem.status().is_server_error() {
                return Err(problem);
            }
            let (error, kept) = (Some(problem.document.detail.as_str()), kept.as_ref());
            let mut answer = page(problem.status(), &Login { next, name, error, kept, ..Login::default() })?;
            let retry_after = problem.into_response().headers_mut().remove(header::RETRY_AFTER);
            answer.headers_mut().extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
            Ok(answer)
        }
    }
}

/// Shows the sign-in page with a form that was submitted after the session had ended. It is sent on after the
/// sign-in.
pub fn show_with(kept: &PendingForm) -> Result<Response, Problem> {
    page(StatusCode::UNAUTHORIZED, &Login { next: "/", kept: Some(kept), ..Login::default() })
}
