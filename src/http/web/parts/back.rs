//! Where to go after a form: the page that the user came from.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Uri, header, request::Parts},
};

use crate::http::{Shared, extract::form::Form};

/// Pages that are passed on the way to a form.
const ON_THE_WAY: [&str; 4] = ["/login", "/setup", "/add", "/edit"];

/// The page to return to: from the URL, or else from the `Referer` header. Only our own pages let browsers
/// send its full URL.
pub struct Back(pub String);

impl FromRequestParts<Shared> for Back {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Infallible> {
        if let Some(back) = Form::of_address(&parts.uri).find("back") {
            return Ok(Self(local_place(back).to_owned()));
        }
        let came_from = came_from(&parts.headers);
        let place = came_from.as_ref().and_then(Uri::path_and_query).map_or("/", |place| place.as_str());
        let on_the_way = ON_THE_WAY.iter().any(|page| place.starts_with(page));
        Ok(Self(if on_the_way { "/" } else { local_place(place) }.to_owned()))
    }
}

/// Returns the previous page, if the browser sends it.
pub fn came_from(headers: &HeaderMap) -> Option<Uri> {
    let referer = headers.get(header::REFERER).and_then(|referer| referer.to_str().ok());
    referer.and_then(|referer| referer.parse().ok())
}

/// Returns the page to show after a sign-in: a path of this service, but not that of the sign-in, set-up or
/// sign-out.
pub fn place_after_sign_in(next: &str) -> &str {
    let place = local_place(next);
    let path = place.split(['?', '#']).next().unwrap_or_default();
    if ["/login", "/setup", "/logout"].contains(&path) { "/" } else { place }
}

/// Returns a path of this service, to prevent redirects to other sites.
pub fn local_place(next: &str) -> &str {
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
