//! `/users`: management of users, for owners.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use crate::{
    documents::{User, UserChanges},
    domain::{Password, Role, UserName},
    format,
    http::{
        Shared,
        extract::form::Form,
        problem::Problem,
        web::parts::{
            flash,
            form_errors::{FormErrors, FormReader},
            page_context::PageContext,
            sessions_and_tokens::named,
        },
    },
    service::{Error, IdempotencyKey, Owner, users},
};

#[derive(Template)]
#[template(path = "users.html")]
struct Users<'a> {
    context: Option<&'a PageContext>,
    all: Vec<User>,
    typed: &'a Form,
    errors: Option<FormErrors>,
}

impl Users<'_> {
    fn is_about(&self, form: &str) -> bool {
        self.errors.as_ref().is_some_and(|errors| errors.is_of(form))
    }

    /// Returns what was typed into a field of the form.
    fn typed(&self, form: &str, field: &str) -> &str {
        if self.is_about(form) { self.typed.get(field) } else { "" }
    }

    fn wrong(&self, form: &str, field: &str) -> Option<&str> {
        self.errors.as_ref()?.beside(form, field)
    }

    fn wrong_with(&self, form: &str) -> Option<String> {
        self.errors.as_ref()?.with(form)
    }

    fn is_oneself(&self, user: &User) -> bool {
        self.context.is_some_and(|context| context.viewer.identity().name == user.name)
    }

    fn since(user: &User) -> String {
        format::moment_utc(user.created_at)
    }
}

pub async fn show(
    State(state): State<Shared>,
    owner: Owner,
    context: PageContext,
) -> Result<Response, Problem> {
    page(&state, &owner, &context, &Form::default(), None).await
}

async fn page(
    state: &Shared,
    owner: &Owner,
    context: &PageContext,
    typed: &Form,
    errors: Option<FormErrors>,
) -> Result<Response, Problem> {
    let all = users::list(&state.app, owner).await?;
    let status = errors.as_ref().map_or(StatusCode::OK, FormErrors::status);
    context.page(status, &Users { context: Some(context), all, typed, errors })
}

pub async fn add(
    State(state): State<Shared>,
    owner: Owner,
    context: PageContext,
    form: Form,
) -> Result<Response, Problem> {
    let added = match new_user(&form) {
        Ok((name, role, password)) => {
            users::add(&state.app, &owner, &name, role, password, IdempotencyKey::default()).await
        }
        Err(error) => Err(error),
    };
    match added {
        Ok(_) => Ok(flash::redirect_with_flash("/users", "user-added")),
        Err(error) => page(&state, &owner, &context, &form, Some(FormErrors::new("add", error)?)).await,
    }
}

fn new_user(form: &Form) -> Result<(UserName, Role, Password), Error> {
    let mut reader = FormReader::default();
    let name = reader.field("name", UserName::parse_new(form.get("name")));
    let role = reader.field("role", Role::parse(form.get("role")));
    let password = reader.field("password", Password::parse(form.get("password"), name.value()));
    reader.finish((name, role, password))
}

/// Changes the role, the password if one was typed, or both.
pub async fn change(
    State(state): State<Shared>,
    owner: Owner,
    context: PageContext,
    form: Form,
) -> Result<Response, Problem> {
    let name = named(&form)?;
    let changed = match changes(&form, &name) {
        Ok(changes) => users::change(&state.app, &owner, &name, changes).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(_) => Ok(flash::redirect_with_flash("/users", "user-changed")),
        Err(error) => {
            page(&state, &owner, &context, &form, Some(FormErrors::new(form_of(&name), error)?)).await
        }
    }
}

fn changes(form: &Form, name: &UserName) -> Result<UserChanges, Error> {
    let mut reader = FormReader::default();
    let role = reader.field("role", Role::parse(form.get("role")));
    let password = match form.get("password") {
        "" => Ok(None),
        password => Password::parse(password, name).map(Some),
    };
    let password = reader.field("password", password);
    let (role, password) = reader.finish((role, password))?;
    let revoke_tokens = form.find("revokeTokens").is_some();
    Ok(UserChanges { role: Some(role), password, revoke_tokens })
}

pub async fn remove(
    State(state): State<Shared>,
    owner: Owner,
    context: PageContext,
    form: Form,
) -> Result<Response, Problem> {
    let name = named(&form)?;
    match users::remove(&state.app, &owner, &name).await {
        Ok(()) => Ok(flash::redirect_with_flash("/users", "user-removed")),
        Err(error) => {
            page(&state, &owner, &context, &form, Some(FormErrors::new(form_of(&name), error)?)).await
        }
    }
}

/// Returns the id of a user's form for [`FormErrors`].
fn form_of(name: &UserName) -> String {
    format!("of {}", name.key())
}
