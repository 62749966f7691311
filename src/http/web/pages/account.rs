//! `/account`: one's own password, sessions and API tokens.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use sha2::{Digest, Sha256};

use crate::{
    documents::NewToken,
    domain::{Code, Invalid, Password, Role, Time, TokenName, hex},
    http::{
        Shared,
        cookies::{self, SetCookie},
        extract::form::Form,
        problem::Problem,
        web::parts::{
            flash,
            form_errors::{FormErrors, FormReader},
            page_context::PageContext,
            sessions_and_tokens::{Session, Token, id_in},
        },
    },
    service::{Error, IdempotencyKey, Viewer, audit::RequestContext, sessions, tokens, users},
};

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    context: Option<&'a PageContext>,
    /// The current session first.
    sessions: Vec<Session>,
    tokens: Vec<Token>,
    /// Roles for a new token, the highest first.
    roles: Vec<&'static str>,
    /// A token that was just created, with its name.
    made: Option<(String, String)>,
    typed: &'a Form,
    errors: Option<FormErrors>,
    /// The idempotency key of the form that creates a token.
    once: String,
}

impl Account<'_> {
    fn wrong(&self, form: &str, field: &str) -> Option<&str> {
        self.errors.as_ref()?.beside(form, field)
    }
}

pub async fn show(State(state): State<Shared>, context: PageContext) -> Result<Response, Problem> {
    page(&state, &context, &Form::default(), None, None).await
}

async fn page(
    state: &Shared,
    context: &PageContext,
    typed: &Form,
    errors: Option<FormErrors>,
    made: Option<(String, String)>,
) -> Result<Response, Problem> {
    let now = state.app.now();
    let sessions = sessions::list(&state.app, &context.viewer).await?.into_iter();
    let mut sessions: Vec<Session> = sessions.map(Session::shown).collect();
    sessions.sort_by_key(|session| !session.current);
    let tokens = tokens::list(&state.app, &context.viewer).await?.into_iter();
    let tokens = tokens.map(|token| Token::shown(&token, now)).collect();
    let roles = Role::ALL
        .into_iter()
        .filter(|role| *role <= context.viewer.identity().role)
        .map(Role::as_str)
        .collect();
    let status = errors.as_ref().map_or(StatusCode::OK, FormErrors::status);
    let once = format!("{:032x}", rand::random::<u128>());
    let template = Account { context: Some(context), sessions, tokens, roles, made, typed, errors, once };
    context.page(status, &template)
}

pub async fn change_password(
    State(state): State<Shared>,
    context: PageContext,
    from: RequestContext,
    form: Form,
) -> Result<Response, Problem> {
    let changed = match new_password(&form) {
        Ok(new) => {
            let present = form.get("presentPassword");
            let revoke_tokens = form.find("revokeTokens").is_some();
            users::change_own_password(&state.app, &context.viewer, &from, present, new, revoke_tokens).await
        }
        Err(error) => Err(error),
    };
    match changed {
        // All sessions have ended, including this one.
        Ok(()) => {
            let mut answer = flash::redirect_with_flash("/login", "password");
            SetCookie::removed(cookies::SESSION).add_to(&mut answer);
            Ok(answer)
        }
        Err(error) => page(&state, &context, &form, Some(FormErrors::new("password", error)?), None).await,
    }
}

/// Returns the new password, which was typed twice. Its rules are checked after the current one.
fn new_password(form: &Form) -> Result<&str, Error> {
    let mut reader = FormReader::default();
    let same = form.get("passwordAgain") == form.get("password");
    let rule = || Invalid::new(Code::Malformed, "must be the same as above".to_owned());
    let password = same.then(|| form.get("password")).ok_or_else(rule);
    let password = reader.field("passwordAgain", password);
    reader.finish(password)
}

pub async fn end_session(
    State(state): State<Shared>,
    viewer: Viewer,
    form: Form,
) -> Result<Response, Problem> {
    let id = id_in(&form)?;
    sessions::end(&state.app, &viewer, id).await?;
    Ok(flash::redirect_with_flash("/account", "session-ended"))
}

pub async fn end_other_sessions(State(state): State<Shared>, viewer: Viewer) -> Result<Response, Problem> {
    sessions::end_others(&state.app, &viewer).await?;
    Ok(flash::redirect_with_flash("/account", "sessions-ended"))
}

pub async fn make_token(
    State(state): State<Shared>,
    context: PageContext,
    form: Form,
) -> Result<Response, Problem> {
    let made = match new_token(&form) {
        Ok(new) => tokens::create(&state.app, &context.viewer, &new, idempotency_key(&form)).await,
        Err(error) => Err(error),
    };
    match made {
        Ok((token, secret)) => {
            let made = (token.name.as_str().to_owned(), secret.reveal().to_owned());
            page(&state, &context, &Form::default(), None, Some(made)).await
        }
        Err(error) => page(&state, &context, &form, Some(FormErrors::new("token", error)?), None).await,
    }
}

fn new_token(form: &Form) -> Result<NewToken, Error> {
    let mut reader = FormReader::default();
    let name = reader.field("name", TokenName::parse(form.get("name")));
    let role = reader.field("role", Role::parse(form.get("role")));
    let date = form.get("expiresAt");
    let expires_at = if date.is_empty() { Ok(None) } else { Time::parse_date(date).map(Some) };
    let expires_at = reader.field("expiresAt", expires_at);
    let (name, role, expires_at) = reader.finish((name, role, expires_at))?;
    Ok(NewToken { name, role: Some(role), expires_at })
}

/// Reloading the page submits the form again: the key makes it show the same token instead of creating
/// another.
fn idempotency_key(form: &Form) -> IdempotencyKey {
    let fields = ["once", "name", "role", "expiresAt"].map(|name| form.get(name));
    if fields[0].is_empty() {
        return IdempotencyKey::default();
    }
    let digest: [u8; 32] = Sha256::digest(fields.join("\0")).into();
    IdempotencyKey::new(hex(&digest), digest)
}

pub async fn revoke_token(
    State(state): State<Shared>,
    viewer: Viewer,
    form: Form,
) -> Result<Response, Problem> {
    let id = id_in(&form)?;
    tokens::revoke(&state.app, &viewer, id).await?;
    Ok(flash::redirect_with_flash("/account", "token-revoked"))
}
