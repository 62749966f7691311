//! Cookies: their names, reading and writing.
//!
//! Over https the names begin with `__Host-` (RFC 6265bis). A browser accepts such a cookie only from this
//! host, with `Secure` and for all paths. So neither another subdomain nor a plain http response can set one.
//! Over https the plain names are ignored.

use std::convert::Infallible;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponseParts, Response, ResponseParts},
};

use super::{Shared, extract::client::Client};

/// The session cookie.
pub const SESSION: &str = "reelshelf_session";
/// The cookie with the message for the next page.
pub const FLASH: &str = "reelshelf_notice";

const PREFIX: &str = "__Host-";

/// Returns the values of the cookies with a name, in the browser's order. Each pair is parsed separately,
/// since cookies of other programs on the same host may not be text.
pub fn values<'a>(headers: &'a HeaderMap, name: &'static str, https: bool) -> impl Iterator<Item = &'a str> {
    let pairs =
        headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let pair = str::from_utf8(pair).ok()?.trim();
        let pair = if https { pair.strip_prefix(PREFIX)? } else { pair };
        pair.strip_prefix(name)?.strip_prefix('=')
    })
}

/// A cookie to be set; [`write`] turns it into a header.
#[derive(Debug, Clone)]
pub struct SetCookie {
    name: &'static str,
    value: String,
    /// Its lifetime in seconds.
    max_age: u64,
}

/// The cookies of a response.
#[derive(Debug, Clone, Default)]
struct SetCookies(Vec<SetCookie>);

impl SetCookie {
    pub const fn new(name: &'static str, value: String, max_age: u64) -> Self {
        Self { name, value, max_age }
    }

    /// Deletes the cookie.
    pub const fn removed(name: &'static str) -> Self {
        Self::new(name, String::new(), 0)
    }

    /// Adds the cookie to a response.
    pub fn add_to(self, response: &mut Response) {
        response.extensions_mut().get_or_insert_default::<SetCookies>().0.push(self);
    }

    fn header(&self, https: bool) -> String {
        let Self { name, value, max_age } = self;
        let (prefix, secure) = if https { (PREFIX, "; Secure") } else { ("", "") };
        format!("{prefix}{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}")
    }
}

impl IntoResponseParts for SetCookie {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.extensions_mut().get_or_insert_default::<SetCookies>().0.push(self);
        Ok(parts)
    }
}

/// Writes the cookies that a response sets, and over https tells the browser to keep to https from now on.
pub struct Writer {
    https: bool,
}

impl Writer {
    /// Creates the writer for the response to a request.
    pub fn of(request: &Request, state: &Shared) -> Self {
        Self { https: Client::of(request.extensions(), request.headers(), state).https }
    }

    /// Writes the headers.
    pub fn write(self, response: &mut Response) {
        const YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");
        let cookies = response.extensions_mut().remove::<SetCookies>().unwrap_or_default();
        let headers = response.headers_mut();
        for cookie in cookies.0 {
            // Our values are base64url, numbers and words, so this cannot fail.
            if let Ok(value) = HeaderValue::try_from(cookie.header(self.https)) {
                headers.append(header::SET_COOKIE, value);
            }
        }
        if self.https {
            headers.insert(HeaderName::from_static("strict-transport-security"), YEAR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cookies: &[&[u8]], https: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_bytes(cookie).unwrap());
        }
        values(&headers, SESSION, https).map(str::to_owned).collect()
    }

    #[test]
    fn each_pair_is_read_for_itself() {
        assert_eq!(found(&["theme=bücher; reelshelf_session=a".as_bytes()], false), ["a"]);
        assert_eq!(found(&[b"theme=\xff;reelshelf_session=a", b"reelshelf_session=b; x"], false), ["a", "b"]);
        assert_eq!(found(&[b"reelshelf_session=\xff; reelshelf_session=b"], false), ["b"]);
        assert_eq!(
            found(&[b"xreelshelf_session=a; reelshelf_sessionx=b; reelshelf_session"], false),
            [""; 0]
        );
    }

    #[test]
    fn over_https_only_the_cookie_of_this_host_counts() {
        let both = b"reelshelf_session=planted; __Host-reelshelf_session=ours";
        assert_eq!(found(&[both], true), ["ours"]);
        assert_eq!(found(&[both], false), ["planted"]);
        let cookie = SetCookie::new(SESSION, "a".to_owned(), 60);
        let attributes = "Path=/; HttpOnly; SameSite=Lax; Max-Age=60";
        assert_eq!(cookie.header(false), format!("reelshelf_session=a; {attributes}"));
        assert_eq!(cookie.header(true), format!("__Host-reelshelf_session=a; {attributes}; Secure"));
        assert!(SetCookie::removed(FLASH).header(true).starts_with("__Host-reelshelf_notice=; "));
    }
}
