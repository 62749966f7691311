//! CORS: which origins may use the API, and how.

use reelshelf::http::Settings;
use reqwest::{Method, RequestBuilder};

use crate::{
    on_both,
    support::{
        Answer, Kind, Service,
        program::{Program, run_with},
    },
};

const OURS: &str = "https://films.example";
/// Similar origins.
const OTHERS: [&str; 7] = [
    "http://films.example",
    "https://films.example:8443",
    "https://films.example.evil.example",
    "https://evil-films.example",
    "https://www.films.example",
    "null",
    "*",
];

/// Starts a service whose API one origin may use.
async fn open_to_one(kind: Kind) -> Service {
    let cors_origins = vec![OURS.parse().expect("a header")];
    Service::start_with(kind, Settings { cors_origins, ..Settings::default() }).await
}

/// Sends a preflight request.
fn preflight(service: &Service, origin: &str, method: &str) -> RequestBuilder {
    let request = service.anonymous(Method::OPTIONS, "/movie/1").header("origin", origin);
    request
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,content-type,if-match")
}

/// Returns the items of a list header in lower case.
fn items(answer: &Answer, header: &str) -> Vec<String> {
    let values = answer.headers.get_all(header).iter().map(|value| value.to_str().expect("text"));
    values.flat_map(|value| value.split(',')).map(|item| item.trim().to_ascii_lowercase()).collect()
}

#[track_caller]
fn says_nothing(answer: &Answer) {
    for name in answer.headers.keys() {
        let allows = name.as_str().starts_with("access-control-allow-origin")
            || name.as_str().starts_with("access-control-allow-credentials");
        assert!(!allows, "{answer:?}");
    }
}

on_both! {
    async fn unless_told_otherwise_no_other_site_is_let_in(service: &Service) {
        for origin in OTHERS.into_iter().chain([OURS, &service.base]) {
            for path in ["/movie", "/me", "/openapi.json", "/health/live", "/nowhere"] {
                let answer = Answer::of(service.request(Method::GET, path).header("origin", origin)).await;
                assert!(
                    !answer.headers.keys().any(|name| name.as_str().starts_with("access-control")),
                    "{answer:?}"
                );
            }
            let asked = Answer::of(preflight(service, origin, "PATCH")).await;
            assert!(asked.status >= 400, "{asked:?}");
            assert!(
                !asked.headers.keys().any(|name| name.as_str().starts_with("access-control")),
                "{asked:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_one_site_may_read_answers() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = open_to_one(kind).await;
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for (path, status) in [("/movie", 200), ("/movie/1", 200), ("/movie/7", 404), ("/movie?limit=x", 400)]
        {
            let answer = Answer::of(service.request(Method::GET, path).header("origin", OURS)).await;
            assert_eq!(answer.status, status, "{answer:?}");
            assert_eq!(answer.header("access-control-allow-origin"), OURS, "{answer:?}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "never with the cookie");
            assert!(items(&answer, "vary").contains(&"origin".to_owned()), "{answer:?}");
            let exposed = items(&answer, "access-control-expose-headers");
            for name in [
                "etag",
                "link",
                "location",
                "retry-after",
                "www-authenticate",
                "x-total-count",
                "x-request-id",
                "reelshelf-match",
            ] {
                assert!(exposed.contains(&name.to_owned()), "{name}: {exposed:?}");
            }
            for origin in OTHERS {
                let answer = Answer::of(service.request(Method::GET, path).header("origin", origin)).await;
                assert_eq!(answer.status, status, "{answer:?}");
                says_nothing(&answer);
            }
        }
        let nobody = Answer::of(service.anonymous(Method::GET, "/movie").header("origin", OURS)).await;
        nobody.problem(401);
        assert_eq!(nobody.header("access-control-allow-origin"), OURS, "the page may read why");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_one_site_may_change_movies() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = open_to_one(kind).await;
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            let answer = Answer::of(preflight(&service, OURS, method)).await;
            assert_eq!(
                (answer.status, answer.header("access-control-allow-origin")),
                (200, OURS),
                "{answer:?}"
            );
            assert!(items(&answer, "access-control-allow-methods").contains(&method.to_ascii_lowercase()));
            for header in ["authorization", "content-type", "if-match", "if-none-match", "idempotency-key"] {
                let headers = items(&answer, "access-control-allow-headers");
                assert!(headers.contains(&header.to_owned()), "{header}: {answer:?}");
            }
            for origin in OTHERS {
                says_nothing(&Answer::of(preflight(&service, origin, method)).await);
            }
        }
        let film = crate::support::movie("Heat", "DVD", 170, 1995, 5);
        let cross_site = service.request(Method::POST, "/movie").header("sec-fetch-site", "cross-site");
        let answer = Answer::of(cross_site.header("origin", OURS).json(&film)).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (201, OURS), "{answer:?}");
    }
}

on_both! {
    async fn origins_are_given_as_options(database: TestDatabase) {
        let several = [("REELSHELF_CORS_ORIGIN", "https://films.example/,http://localhost:5173")];
        let options =
            ["--cors-origin", "HTTPS://Films.Example:443", "--cors-origin", "http://localhost:5173/"];
        for (options, environment) in [(&[][..], &several[..]), (&options, &[])] {
            let server = Program::start_with(&database, options, environment);
            for (origin, allowed) in
                [(OURS, OURS), ("http://localhost:5173", "http://localhost:5173"), ("https://x.example", "")]
            {
                let request = server.request(Method::GET, "/openapi.json").header("origin", origin);
                let answer = Answer::of(request).await;
                assert_eq!(answer.header("access-control-allow-origin"), allowed, "{environment:?}");
            }
        }
    }
}

#[test]
fn what_is_no_origin_is_wrong_usage() {
    for origin in
        ["films.example", "*", "null", "", "https://", "https://films.example/path", "ftp://films.example"]
    {
        let done = run_with(&["serve", "--cors-origin", origin], &[]).expect(2);
        assert!(done.err.contains("--cors-origin"), "{origin}: {done:?}");
    }
}
