//! The web pages and what they are made of. They call the same operations as the API.

pub mod assets;
pub mod collection;
pub mod error;
pub mod login;
pub mod setup;

use askama::Template;
use axum::{
    extract::Request,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use super::{body, problem::Problem};
use crate::service::Error;

/// Makes an answer of a page.
fn page(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|e| Error::Failed(format!("a page could not be made: {e}")))?;
    Ok((status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response())
}

/// The fields of a form.
struct Form(Vec<(String, String)>);

impl Form {
    async fn read(request: Request) -> Result<Self, Problem> {
        let body = body::read(request).await?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }

    /// What a field holds; nothing where it is missing.
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
}

/// Where to go on after signing in: a place of this service, and of no other.
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
