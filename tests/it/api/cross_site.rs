//! Cross-site request forgery: requests of other sites with a browser's cookies.

use reelshelf::http::Settings;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::auth::{HEAT, operations};
use crate::{
    on_both,
    support::{Answer, PASSWORD, signing_in::behind_a_proxy},
};

/// Headers of a browser, and whether they allow a change with the session cookie.
fn sites(base: &str) -> Vec<(Vec<(&'static str, String)>, bool)> {
    let site = |site: &str| ("sec-fetch-site", site.to_owned());
    let origin = |origin: &str| ("origin", origin.to_owned());
    vec![
        (vec![], true), // no browser
        (vec![site("same-origin")], true),
        (vec![site("none")], true),
        (vec![site("same-site")], false),
        (vec![site("cross-site")], false),
        (vec![site("")], false),
        (vec![site("same-origin"), origin("null")], true), // Sec-Fetch-Site knows better
        (vec![site("cross-site"), origin(base)], false),
        (vec![origin(base)], true),
        (vec![origin("https://evil.example")], false),
        (vec![origin(&format!("{base}.evil.example"))], false),
        (vec![origin(&format!("https://evil.example/?{base}"))], false),
        (vec![origin("http://127.0.0.1")], false), // another port
        (vec![origin("null")], false),
        (vec![origin("")], false),
    ]
}

/// Sends a request with more headers.
async fn with_headers(request: RequestBuilder, headers: &[(&'static str, String)]) -> Answer {
    let with = |request: RequestBuilder, (name, value): &(&str, String)| request.header(*name, value);
    Answer::of(headers.iter().fold(request, with)).await
}

on_both! {
    async fn a_page_of_another_site_changes_nothing_with_the_cookie(service: &Service) {
        let session = service.session_of("owner").await;
        for (headers, passes) in sites(&service.base) {
            let add = service.request_in(&session, Method::POST, "/movie").body(HEAT);
            let answer = with_headers(add.header("content-type", "application/json"), &headers).await;
            assert_eq!(answer.status, if passes { 201 } else { 403 }, "{headers:?}: {answer:?}");
            let read = with_headers(service.request_in(&session, Method::GET, "/movie"), &headers).await;
            assert_eq!(read.status, 200, "{headers:?}");
            let login = service
                .anonymous(Method::POST, "/login")
                .json(&json!({"name": "owner", "password": PASSWORD}));
            let answer = with_headers(login, &headers).await;
            assert_eq!(answer.status, if passes { 200 } else { 403 }, "{headers:?}: {answer:?}");
            assert_eq!(answer.cookie().is_empty(), !passes);
        }
        let before = (service.get("/movie").await.text, service.get("/user").await.text);
        for (method, path, _) in operations(service).await {
            if method == Method::GET {
                continue;
            }
            let path = path.replace("{id}", "1").replace("{name}", "viewer");
            let request =
                service.request_in(&session, method.clone(), &path).header("sec-fetch-site", "cross-site");
            let problem = Answer::of(request).await.problem(403);
            let detail = "a page of another site may not do this in your name";
            assert_eq!(problem["detail"], detail, "{method} {path}");
        }
        assert_eq!((service.get("/movie").await.text, service.get("/user").await.text), before);
        assert_eq!(service.me_in(&session).await.status, 200);
    }
}

on_both! {
    async fn a_page_of_another_site_changes_nothing_with_a_kept_basic_pair(service: &Service) {
        for (headers, passes) in sites(&service.base) {
            let add =
                service.anonymous(Method::POST, "/movie").basic_auth("owner", Some(PASSWORD)).body(HEAT);
            let answer = with_headers(add.header("content-type", "application/json"), &headers).await;
            assert_eq!(answer.status, if passes { 201 } else { 403 }, "{headers:?}: {answer:?}");
        }
    }
}

on_both! {
    async fn a_token_may_be_used_by_a_page_of_another_site(service: &Service) {
        for (headers, _) in sites(&service.base) {
            let add = service.request_as(&service.editor, Method::POST, "/movie").body(HEAT);
            let answer = with_headers(add.header("content-type", "application/json"), &headers).await;
            assert_eq!(answer.status, 201, "{headers:?}: {answer:?}");
        }
    }
}

on_both! {
    async fn our_own_pages_are_known_by_the_public_address_and_over_http_2(service: &Service) {
        let public_url = Some("https://Films.example/".parse().expect("an address"));
        let public = service.another_instance(Settings { public_url, ..behind_a_proxy() }).await;
        let (session, of_public) = (service.session_of("owner").await, public.session_of("owner").await);
        for (origin, passes) in [
            ("https://films.example", true),
            ("http://films.example", false),
            (&public.base, true), // the host that the request names
            ("https://films.example.evil.example", false),
            ("https://example", false),
        ] {
            let add = public.request_in(&of_public, Method::POST, "/movie").header("origin", origin).body(HEAT);
            let answer = Answer::of(add.header("content-type", "application/json")).await;
            assert_eq!(answer.status, if passes { 201 } else { 403 }, "{origin}: {answer:?}");
        }
        let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client");
        for (origin, passes) in [(service.base.as_str(), true), ("https://evil.example", false)] {
            let request =
                client.post(format!("{}/movie", service.base)).header("cookie", &session).body(HEAT);
            let answer =
                Answer::of(request.header("origin", origin).header("content-type", "application/json")).await;
            assert_eq!(answer.status, if passes { 201 } else { 403 }, "{origin}: {answer:?}");
        }
    }
}

on_both! {
    async fn over_https_a_page_of_the_same_host_over_http_is_another_site(service: &Service) {
        let service = &service.another_instance(Settings { tls: true, ..Settings::default() }).await;
        let secure = service.base.replace("http://", "https://");
        for (origin, status) in [(&service.base, 403), (&secure, 200)] {
            let login = service.anonymous(Method::POST, "/login").header("origin", origin);
            let login = Answer::of(login.json(&json!({"name": "owner", "password": PASSWORD}))).await;
            assert_eq!(login.status, status, "{origin}: {login:?}");
        }
    }
}
