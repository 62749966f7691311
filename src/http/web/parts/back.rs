//! Where one comes from, to go on there when all is done.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Uri, header, request::Parts},
};

use crate::http::{Shared, extract::form::Form};

/// Pages that one passes on the way to a form.
const ON_THE_WAY: [&str; 4] = ["/login", "/setup", "/add", "/edit"];

/// The page to go on to: the one that the address names, or else the one that led here, with all its
/// filters. Our own pages alone tell browsers to say more of it than the site.
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

/// The page that led here, as far as the browser says it.
pub fn came_from(headers: &HeaderMap) -> Option<Uri> {
    let referer = headers.get(header::REFERER).and_then(|referer| referer.to_str().ok());
    referer.and_then(|referer| referer.parse().ok())
}

/// Where to go on after a form: a place of this service, and of no other.
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
