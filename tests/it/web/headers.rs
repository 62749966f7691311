//! Headers of all responses.

use reelshelf::http::Settings;
use reqwest::Method;

use super::{cookie, form};
use crate::{
    on_both,
    support::{Answer, Kind, PASSWORD, Service, films},
};

/// Returns the directives of the Content-Security-Policy.
#[track_caller]
fn policy(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1, "{answer:?}");
    answer.header("content-security-policy").split(';').map(str::trim).collect()
}

#[track_caller]
fn is_guarded(answer: &Answer, what: &str) {
    let policy = policy(answer);
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(&directive), "{what}: {policy:?}");
    }
    for source in policy.iter().flat_map(|directive| directive.split(' ').skip(1)) {
        let of_docs = what.contains("/docs") && ["'unsafe-inline'", "data:"].contains(&source);
        assert!(of_docs || ["'none'", "'self'"].contains(&source), "{what}: {policy:?}");
    }
    for directive in ["script-src 'self'", "connect-src 'self'"] {
        assert!(policy.contains(&directive), "{what}: {policy:?}");
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        // Browsers ignore it over http.
        ("strict-transport-security", ""),
        ("server", ""),
        ("x-powered-by", ""),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {answer:?}");
    }
    assert_eq!(answer.header("x-request-id").len(), 16, "{what}: {answer:?}");
    assert!(!answer.header("cache-control").is_empty(), "{what}: {answer:?}");
}

on_both! {
    async fn answers_of_every_kind_are_guarded(service: &Service) {
        films::fill(service, &films::films(3)).await;
        let signed_in =
            Answer::of(form(service, "/login", &[("name", "viewer"), ("password", PASSWORD)])).await;
        is_guarded(&signed_in, "POST /login");
        let cookie = cookie(&signed_in);
        for (method, path, header, value, status) in [
            (Method::GET, "/", "cookie", cookie.as_str(), 200),
            (Method::HEAD, "/", "cookie", &cookie, 200),
            (Method::GET, "/", "accept", "*/*", 303),
            (Method::GET, "/login", "accept", "*/*", 200),
            (Method::GET, "/setup", "accept", "*/*", 303),
            (Method::GET, "/movie", "cookie", &cookie, 200),
            (Method::GET, "/movie", "accept", "text/csv", 401),
            (Method::GET, "/movie?limit=1", "cookie", &cookie, 200),
            (Method::GET, "/movie?limit=x", "cookie", &cookie, 400),
            (Method::GET, "/movie/1", "cookie", &cookie, 200),
            (Method::GET, "/movie/99", "cookie", &cookie, 404),
            (Method::PUT, "/movie/1", "cookie", &cookie, 405),
            (Method::DELETE, "/movie/1", "cookie", &cookie, 403),
            (Method::PATCH, "/me", "cookie", &cookie, 415),
            (Method::GET, "/nowhere", "accept", "*/*", 401),
            (Method::GET, "/nowhere", "cookie", &cookie, 404),
            (Method::GET, "/?rating=9", "cookie", &cookie, 400),
            (Method::GET, "/nowhere", "accept", "text/html", 401),
            (Method::GET, "/changes", "cookie", &cookie, 200),
            (Method::GET, "/account", "cookie", &cookie, 200),
            (Method::POST, "/undo", "cookie", &cookie, 403),
            (Method::GET, "/worker.js", "accept", "*/*", 200),
            (Method::GET, "/assets/any/style.css", "accept", "*/*", 200),
            (Method::GET, "/assets/any/nothing.css", "accept", "*/*", 404),
            (Method::GET, "/docs/", "accept", "*/*", 200),
            (Method::GET, "/docs/nothing.js", "accept", "*/*", 404),
            (Method::GET, "/openapi.json", "accept", "*/*", 200),
            (Method::GET, "/health/live", "accept", "*/*", 200),
            (Method::GET, "/health/ready", "accept", "*/*", 200),
            (Method::POST, "/logout", "cookie", &cookie, 204),
        ] {
            let head = (method == Method::GET).then_some(Method::HEAD);
            for method in head.into_iter().chain([method]) {
                let what = format!("{method} {path} {header}");
                let answer = Answer::of(service.anonymous(method, path).header(header, value)).await;
                assert_eq!(answer.status, status, "{what}: {answer:?}");
                is_guarded(&answer, &what);
            }
        }
        let unchanged = service.request(Method::GET, "/movie/1").header("if-none-match", "\"1\"");
        let unchanged = Answer::of(unchanged).await;
        assert_eq!(unchanged.status, 304, "{unchanged:?}");
        is_guarded(&unchanged, "304");
        service.database.execute("ALTER TABLE changes RENAME TO hidden").await.unwrap();
        let failed = service.get("/movie").await;
        failed.problem(500);
        is_guarded(&failed, "500");
    }
}

on_both! {
    async fn nobody_on_the_way_keeps_what_is_private(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for path in ["/movie", "/movie/1", "/stats", "/nowhere", "/"] {
            let answer = service.get(path).await;
            assert_eq!(answer.header("cache-control"), "private, no-cache", "{path}: {answer:?}");
        }
        // Browsers must not cache users, sessions and tokens.
        for path in ["/me", "/session", "/token", "/user", "/user/nobody", "/users", "/account"] {
            let answer = service.get(path).await;
            assert_eq!(answer.header("cache-control"), "no-store", "{path}: {answer:?}");
        }
        let token = service.post("/token", &serde_json::json!({"name": "laptop"})).await;
        assert_eq!((token.status, token.header("cache-control")), (201, "no-store"), "{token:?}");
        for path in ["/login", "/movie/random"] {
            let answer = service.get(path).await;
            assert_eq!(
                (answer.status, answer.header("cache-control")),
                (200, "no-store"),
                "{path}: {answer:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preflight_is_guarded_too() {
    let cors_origins = vec!["https://other.example".parse().unwrap()];
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service =
            Service::start_with(kind, Settings { cors_origins: cors_origins.clone(), ..Settings::default() })
                .await;
        let request = service.anonymous(Method::OPTIONS, "/movie").header("origin", "https://other.example");
        let answer = Answer::of(request.header("access-control-request-method", "GET")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        is_guarded(&answer, "preflight");
    }
}
