//! The web pages and what they are made of. They call the same operations as the API.

mod access;
mod account;
mod agent;
pub mod assets;
mod changes;
pub mod collection;
mod edit;
pub mod error;
mod export;
mod film;
mod film_page;
mod flash;
mod form_errors;
mod import;
pub mod login;
mod page_context;
mod pending_form;
mod print;
mod selection;
pub mod setup;
mod statistics;
mod tonight;
mod undo;
mod users;
mod words;

use askama::Template;
use axum::{
    Router,
    extract::{FromRequest, Request},
    http::{StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};

use super::{
    Shared,
    body::{self, media_type, unsupported},
    problem::Problem,
};
use crate::{
    limits::{MAX_BODY_BYTES, MAX_FORM_FIELDS, MAX_QUERY_PARAMETERS},
    service::Error,
};

/// The routes of the pages, for whoever is signed in.
pub fn routes() -> Router<Shared> {
    Router::new()
        .merge(collection::routes())
        .merge(film_page::routes())
        .merge(edit::routes())
        .merge(selection::routes())
        .merge(export::routes())
        .merge(print::routes())
        .merge(import::routes())
        .merge(statistics::routes())
        .merge(tonight::routes())
        .merge(changes::routes())
        .merge(undo::routes())
        .merge(account::routes())
        .merge(users::routes())
        .merge(access::routes())
}

/// Makes an answer of a page.
fn page(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|e| Error::Failed(format!("a page could not be made: {e}")))?;
    Ok((status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response())
}

/// The fields of a form.
#[derive(Clone, Default)]
struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form that is not too large and has so many fields at most.
    async fn read(max_bytes: usize, max_fields: usize, request: Request) -> Result<Self, Problem> {
        if media_type(request.headers()) != "application/x-www-form-urlencoded" {
            return Err(unsupported(header::ACCEPT, "application/x-www-form-urlencoded"));
        }
        let body = body::read_up_to(max_bytes, request).await?;
        let fields = form_urlencoded::parse(&body); // which is copied cheaply
        // Many short fields take many times the memory of the body: they are counted before they are kept.
        if fields.count() > max_fields {
            let detail = format!("the form has more than {max_fields} fields");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        Ok(Self(fields.into_owned().collect()))
    }

    /// What a form sends in the address.
    fn of_address(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default().as_bytes();
        Self(form_urlencoded::parse(query).into_owned().take(MAX_QUERY_PARAMETERS).collect())
    }

    /// What a field holds; nothing where it is missing.
    fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// What a field holds, if it was sent.
    fn find(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// What the fields of that name hold.
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest<Shared> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Shared) -> Result<Self, Problem> {
        Self::read(MAX_BODY_BYTES, MAX_FORM_FIELDS, request).await
    }
}

/// Where to go on after a form: a place of this service, and of no other.
fn local_place(next: &str) -> &str {
    let local = next.starts_with('/')
        && !next[1..].starts_with(['/', '\\'])
        && !next.contains(|c: char| c.is_control());
    if local { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local_place;

    #[test]
    fn one_is_led_on_within_the_service_only() {
        assert_eq!(local_place("/movie?q=heat"), "/movie?q=heat");
        for elsewhere in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "evil"]
        {
            assert_eq!(local_place(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
