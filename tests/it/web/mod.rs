//! Tests of the pages.

mod access;
mod account;
mod assets;
mod changes;
mod collection;
mod edit;
mod errors;
mod export;
mod film;
mod filters;
mod headers;
mod home;
mod import;
mod kept;
mod login;
mod samples;
mod selection;
mod setup;
mod statistics;
mod tonight;
mod users;

use reqwest::{Method, RequestBuilder};

use crate::support::{Answer, Service};

/// Sends a form, encoded like a browser does.
fn form(service: &Service, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = service.anonymous(Method::POST, path);
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

/// Sends a form in a session, like one of our pages.
async fn send(service: &Service, session: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let request = form(service, path, fields).header("cookie", session);
    Answer::of(request.header("sec-fetch-site", "same-origin").header("accept", "text/html")).await
}

/// Checks that a page of another site cannot send this form on behalf of a user.
async fn no_other_site_sends(service: &Service, session: &str, path: &str, fields: &[(&str, &str)]) {
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let request = form(service, path, fields).header("cookie", session).header(header, value);
        Answer::of(request).await.problem(403);
    }
}

/// Returns the cookie of a response.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let (cookie, attributes) = answer.header("set-cookie").split_once("; ").expect("a cookie");
    assert!(cookie.len() > "reelshelf_session=".len(), "{answer:?}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=7776000"] {
        assert!(attributes.split("; ").any(|a| a == attribute), "{attribute}: {answer:?}");
    }
    cookie.to_owned()
}

/// Requests a page with a cookie.
async fn with_cookie(service: &Service, cookie: &str, method: Method, path: &str) -> Answer {
    Answer::of(service.anonymous(method, path).header("cookie", cookie)).await
}

/// Checks that this is a page with this status.
#[track_caller]
fn is_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{answer:?}");
    assert!(["no-store", "private, no-cache"].contains(&answer.header("cache-control")), "{answer:?}");
    for part in ["<!doctype html>", "<html lang=\"en\">", "<title>", "<main ", "</html>"] {
        assert!(answer.text.contains(part), "{part}: {answer:?}");
    }
}

/// Returns the value of a form field, with character references resolved.
#[track_caller]
fn field(page: &Answer, name: &str) -> String {
    let (_, input) = page.text.split_once(&format!(" name=\"{name}\" ")).expect("a field");
    let input = input.split_once('>').expect("its end").0;
    text(input.split_once("value=\"").expect("a value").1.split_once('"').expect("its end").0)
}

/// Returns the text of HTML, with character references resolved.
fn text(html: &str) -> String {
    let references = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    references.iter().fold(html.to_owned(), |text, (reference, c)| text.replace(reference, c))
}

/// Requests a page as the owner.
async fn get_page(service: &Service, path: &str) -> Answer {
    let answer = Answer::of(service.request(Method::GET, path).header("accept", "text/html")).await;
    is_page(&answer, 200);
    answer
}

/// Returns the parts of a page between two texts.
fn between<'a>(page: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    page.split(before).skip(1).filter_map(|rest| Some(rest.split_once(after)?.0)).collect()
}

/// Returns the titles of the films on a page, in either view.
fn titles(page: &Answer) -> Vec<String> {
    let spines = between(&page.text, "<b dir=\"auto\">", "</b>");
    let rows = between(&page.text, "<th scope=\"row\"", "</bdi>").into_iter();
    let rows = rows.map(|row| row.split_once("<bdi>").expect("a title").1);
    spines.into_iter().chain(rows).map(text).collect()
}

/// Returns the URL of a link with this text.
#[track_caller]
fn link(page: &Answer, label: &str) -> String {
    let (before, _) = page.text.split_once(&format!(">{label}</a>")).expect("a link with that text");
    let (_, tag) = before.rsplit_once("<a ").expect("its beginning");
    text(tag.split_once("href=\"").expect("an address").1.split_once('"').expect("its end").0)
}

/// Texts that would inject HTML if they were not escaped.
const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "&lt;b&gt;",
];
