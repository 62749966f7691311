//! The pages under `/docs/`: their examples, and a page for each kind of problem.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use reelshelf::{documents::ProblemKind, domain::Code};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, Service, movie},
};

async fn page(service: &Service, address: &str) -> Answer {
    Answer::of(service.anonymous(Method::GET, address)).await
}

/// Returns the content of `<pre data-…="name">`.
fn block(page: &str, kind: &str, name: &str) -> String {
    let opening = format!("<pre data-{kind}=\"{name}\">");
    let (_, rest) = page.split_once(&opening).unwrap_or_else(|| panic!("no {opening}"));
    let (text, _) = rest.split_once("</pre>").expect("an end");
    html_escape::decode_html_entities(text).into_owned()
}

/// Returns the command that runs an example in its language.
fn command(service: &Service, name: &str, example: &str) -> Command {
    let mut command = match name.split('-').next() {
        Some("curl") => Command::new("sh"),
        Some("python") => Command::new("python3"),
        _ => Command::new("node"),
    };
    match name.split('-').next() {
        Some("curl" | "python") => command.args(["-c", example]),
        _ => command.args(["--input-type=module", "--eval", example]),
    };
    command.env("RS", &service.base).env("TOKEN", &service.editor).stdin(Stdio::null());
    command
}

/// Runs an example. Returns its output.
fn run(service: &Service, name: &str, example: &str) -> String {
    let done = command(service, name, example).output().unwrap_or_else(|error| panic!("{name}: {error}"));
    let messages = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{name}: {messages}");
    String::from_utf8(done.stdout).expect("text").trim_end().to_owned()
}

on_both! {
    async fn the_examples_of_the_page_run_and_answer_as_it_says(service: &Service) {
        let page = page(service, "/docs/").await.text;
        let names = ["curl-1", "curl-2", "curl-3", "python", "python-pages", "python-import", "javascript", "javascript-pages"];
        assert_eq!(page.matches("data-answer=").count(), names.len());
        assert_eq!(block(&page, "example", "curl-0"), "export RS=http://localhost:8080 TOKEN=rsh_YOUR_TOKEN");
        for name in names {
            let printed = run(service, name, &block(&page, "example", name));
            assert_eq!(printed, block(&page, "answer", name), "{name}");
        }
        assert_eq!(service.titles("/movie").await, ["Heat", "Alien", "Stalker"]);
    }
}

on_both! {
    async fn the_example_for_events_prints_each_change(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let page = page(service, "/docs/").await.text;
        let mut command = command(service, "python", &block(&page, "example", "python-events"));
        let mut follower = command.stdout(Stdio::piped()).spawn().expect("Python");
        let mut first = String::new();
        let read = BufReader::new(follower.stdout.take().expect("its output")).read_line(&mut first);
        follower.kill().and_then(|()| follower.wait()).expect("it follows the changes until it is ended");
        read.expect("a line");
        assert_eq!(first, "owner create 1\n");
    }
}

on_both! {
    async fn the_page_is_for_telephones_and_leads_back(service: &Service) {
        for address in ["/docs/", "/docs/guide", "/docs/errors/", "/docs/errors/invalid-fields"] {
            let page = page(service, address).await;
            assert_eq!(page.status, 200, "{address}");
            for words in ["<meta name=\"viewport\"", "<a class=\"brand\" href=\"/\">", "<html lang=\"en\">", "<h1>"] {
                assert!(page.text.contains(words), "{address}: {words}");
            }
        }
        let start = page(service, "/docs/swagger-initializer.js").await.text;
        assert!(start.contains("BaseLayout") && !start.contains("\"StandaloneLayout\""), "no top bar: {start}");
    }
}

on_both! {
    async fn every_kind_of_problem_and_every_code_has_its_place(service: &Service) {
        let list = page(service, "/docs/errors/").await;
        for kind in ProblemKind::ALL {
            let about = kind.page();
            let page = page(service, &kind.address()).await;
            assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{}", about.slug);
            let text = html_escape::decode_html_entities(&page.text).into_owned();
            for words in [about.title, about.cause, about.remedy, about.example, about.standard] {
                // Every second part between backticks is code.
                let shown: String =
                    words.split('`').enumerate().fold(String::new(), |shown, (part, words)| match part % 2 {
                        0 => shown + words,
                        _ => shown + "<code>" + words + "</code>",
                    });
                assert!(text.contains(&shown), "{}: {shown}", about.slug);
            }
            assert!(list.text.contains(&format!("href=\"{}\"", kind.address())), "{}", about.slug);
        }
        for code in Code::ALL {
            assert!(list.text.contains(&format!("<code>{}</code>", code.as_str())), "{code:?}");
        }
        for nothing in ["/docs/errors/nothing", "/docs/errors/invalid-fields/", "/docs/index.html", "/docs/nothing.js"] {
            assert_eq!(page(service, nothing).await.status, 404, "{nothing}");
        }
        assert_eq!(page(service, "/docs/errors").await.header("location"), "/docs/errors/");
    }
}

/// Kinds of problems that need a hanging, broken or full service, or a raw connection. Other tests provoke
/// them, and `Answer::problem` checks their pages.
const ELSEWHERE: [&str; 6] = [
    "request-timeout",
    "address-too-long",
    "head-too-large",
    "too-many-at-once",
    "internal-error",
    "unavailable",
];

on_both! {
    async fn every_page_has_a_problem_that_leads_to_it(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.patch("/movie/1", &json!({"rating": 4})).await;
        let heat = json!({"title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5});
        let send = |method: Method, path: &str| service.request(method, path);
        let mut requests = vec![
            (400, send(Method::POST, "/movie").header("content-type", "application/json").body("{")),
            (400, send(Method::GET, "/movie?rating=9")),
            (401, service.anonymous(Method::GET, "/movie")),
            (403, service.anonymous(Method::POST, "/movie").bearer_auth(&service.viewer).json(&heat)),
            (404, send(Method::GET, "/movie/99")),
            (405, send(Method::PUT, "/movie/1")),
            (406, send(Method::GET, "/movie").header("accept", "image/png")),
            (409, send(Method::POST, "/user").json(&json!({"name": "editor", "role": "viewer", "password": "a shelf full of tapes"}))),
            (409, send(Method::POST, "/history/1/undo")),
            (412, send(Method::PATCH, "/movie/1").header("if-match", "\"1\"").json(&json!({"rating": 3}))),
            (413, send(Method::POST, "/movie").header("content-type", "application/json").body(" ".repeat(2 << 20))),
            (415, send(Method::POST, "/movie").header("content-type", "image/png").body("x")),
            (422, send(Method::POST, "/movie").json(&json!({}))),
            (422, send(Method::POST, "/movie").header("content-type", "text/csv").body("title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,9\n")),
            (422, send(Method::POST, "/movie").header("content-type", "text/csv").body("")),
            (201, send(Method::POST, "/movie").header("idempotency-key", "k").json(&heat)),
            (422, send(Method::POST, "/movie").header("idempotency-key", "k").json(&movie("Heat", "DVD", 170, 1995, 3))),
        ];
        for _ in 0..5 {
            requests.push((401, service.anonymous(Method::GET, "/me").basic_auth("nobody", Some("wrong"))));
        }
        requests.push((429, service.anonymous(Method::GET, "/me").basic_auth("nobody", Some("wrong"))));
        let mut seen: BTreeSet<String> = ELSEWHERE.map(str::to_owned).into();
        for (status, request) in requests {
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, status, "{answer:?}");
            if status >= 400 {
                let problem = answer.problem(status);
                seen.insert(problem["type"].as_str().expect("a type").trim_start_matches("/docs/errors/").to_owned());
            }
        }
        let all: BTreeSet<String> = ProblemKind::ALL.map(|kind| kind.page().slug.to_owned()).into();
        assert_eq!(seen, all);
    }
}

/// Returns the places and codes of the violations of a problem.
fn codes(problem: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let violation =
        |error: &Value| (text(error.get("pointer").unwrap_or(&error["parameter"])), text(&error["code"]));
    let mut codes: Vec<_> = problem["errors"].as_array().expect("errors").iter().map(violation).collect();
    codes.sort();
    codes
}

on_both! {
    async fn each_violation_has_a_code(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let long = "x".repeat(51);
        for (body, expected) in [
            (json!({"title": "", "movieFormat": "Betamax", "length": 501, "releaseYear": "x", "colour": 1}),
                vec![("/colour", "unknown"), ("/length", "out_of_range"), ("/movieFormat", "not_allowed"), ("/rating", "required"), ("/releaseYear", "wrong_type"), ("/title", "empty")]),
            (json!({"title": long, "movieFormat": "DVD", "length": 1, "releaseYear": 1799, "rating": 1}),
                vec![("/releaseYear", "out_of_range"), ("/title", "too_long")]),
            (json!([]), vec![("", "wrong_type")]),
        ] {
            let problem = service.post("/movie", &body).await.problem(422);
            let expected: Vec<_> = expected.into_iter().map(|(place, code)| (place.to_owned(), code.to_owned())).collect();
            assert_eq!(codes(&problem), expected, "{body}");
        }
        let twice = service.request(Method::POST, "/movie").header("content-type", "application/json").body(r#"{"rating": 1, "rating": 2}"#);
        assert!(codes(&Answer::of(twice).await.problem(422)).contains(&("/rating".to_owned(), "repeated".to_owned())));
        let user = json!({"name": "a b", "role": "king", "password": "short"});
        let of_user = codes(&service.post("/user", &user).await.problem(422));
        assert!(of_user.contains(&("/name".to_owned(), "malformed".to_owned())) && of_user.contains(&("/role".to_owned(), "not_allowed".to_owned())), "{of_user:?}");
        for (password, code) in [("short", "too_short"), ("password123", "too_weak")] {
            let user = json!({"name": "mary", "role": "viewer", "password": password});
            assert_eq!(codes(&service.post("/user", &user).await.problem(422)), [("/password".to_owned(), code.to_owned())]);
        }
        let me = json!({"presentPassword": "not this one", "password": "another shelf of tapes"});
        assert_eq!(codes(&service.patch("/me", &me).await.problem(422)), [("/presentPassword".to_owned(), "incorrect".to_owned())]);
        let tokens = service.patch("/user/editor", &json!({"revokeTokens": true})).await.problem(422);
        assert_eq!(codes(&tokens), [("/revokeTokens".to_owned(), "incomplete".to_owned())]);
        for (operation, place, code, status) in [
            (json!({"op": "delete", "id": 9}), "/operations/0/id", "not_found", 404),
            (json!({"op": "delete", "id": 1, "version": 9}), "/operations/0/version", "outdated", 412),
        ] {
            let problem = service.post("/movie/batch", &json!({"operations": [operation]})).await.problem(status);
            assert_eq!(codes(&problem), [(place.to_owned(), code.to_owned())]);
        }
        let query = service.get("/movie?limit=x&colour=red&total=true&total=true").await.problem(400);
        let expected = [("colour", "unknown"), ("limit", "malformed"), ("total", "repeated")];
        assert_eq!(codes(&query), expected.map(|(place, code)| (place.to_owned(), code.to_owned())));
        let file = "title,movieFormat,length,releaseYear,rating\n,DVD,170,1995,9\n";
        let errors = service.import("text/csv", "", file).await.problem(422)["report"]["errors"].clone();
        assert_eq!([&errors[0]["code"], &errors[1]["code"]], ["required", "out_of_range"]);
    }
}

on_both! {
    async fn json_ends_with_a_line_end(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for path in ["/movie", "/movie?limit=1", "/movie/1", "/movie/1/history", "/history", "/history/1", "/stats", "/movie/random", "/me", "/token", "/session", "/user", "/health/live", "/health/ready", "/openapi.json"] {
            let answer = service.get(path).await;
            assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{path}");
            assert!(answer.text.ends_with('\n') && !answer.text.ends_with("\n\n"), "{path}: {:?}", answer.text);
        }
    }
}
