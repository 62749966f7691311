//! The web pages, as a browser gets them.

mod headers;
mod home;
mod login;
mod setup;

use reqwest::{Method, RequestBuilder};

use crate::support::{Answer, Service};

/// What a form sends: the body that a browser makes of its fields.
fn form(service: &Service, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = service.anonymous(Method::POST, path);
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

/// The cookie of an answer, as a browser sends it back.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let (cookie, attributes) = answer.header("set-cookie").split_once("; ").expect("a cookie");
    assert!(cookie.len() > "reelshelf_session=".len(), "{answer:?}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=34560000"] {
        assert!(attributes.split("; ").any(|a| a == attribute), "{attribute}: {answer:?}");
    }
    cookie.to_owned()
}

/// What a browser with that cookie gets.
async fn with_cookie(service: &Service, cookie: &str, method: Method, path: &str) -> Answer {
    Answer::of(service.anonymous(method, path).header("cookie", cookie)).await
}

/// Checks that this is a page with that status.
#[track_caller]
fn is_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    for part in ["<!doctype html>", "<html lang=\"en\">", "<title>", "<main>", "</html>"] {
        assert!(answer.text.contains(part), "{part}: {answer:?}");
    }
}

/// What the field of that name holds in a page, character references resolved.
#[track_caller]
fn field(page: &Answer, name: &str) -> String {
    let (_, input) = page.text.split_once(&format!(" name=\"{name}\" ")).expect("a field");
    let input = input.split_once('>').expect("its end").0;
    let value = input.split_once("value=\"").expect("a value").1.split_once('"').expect("its end").0;
    let references = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    references.iter().fold(value.to_owned(), |text, (reference, c)| text.replace(reference, c))
}

/// Texts that would become part of a page if they were not escaped.
const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "&lt;b&gt;",
];
