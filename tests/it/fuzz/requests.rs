//! Any bytes in a request get a response other than 5xx, and rejected requests store nothing.

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reelshelf::domain::{Password, UserName};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Depth, answer, fuzz, routes};
use crate::{
    api::list::next,
    support::{Answer, Kind, PASSWORD, Service, signing_in::behind_a_proxy},
};

/// Creates a request with a header of these bytes; `None` if HTTP does not allow them.
fn with_header(path: &str, name: &str, input: &[u8]) -> Option<Request<Body>> {
    let value = HeaderValue::from_bytes(input).ok()?;
    Some(Request::get(path).header(name, value).body(Body::empty()).expect("a request"))
}

/// Returns the id of the last movie; ids are never reused.
async fn last_movie(service: &Service) -> i64 {
    service.number("SELECT coalesce(max(id), 0) FROM movie_rows").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_answered_or_refused() {
    let service = Service::start(Kind::Sqlite).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    service.add("Amélie", "VHS", 122, 2001, 4).await;
    let page = next(&service.get("/movie?limit=1&sort=-rating,title").await).expect("a second page");
    let cursor = page.rsplit_once("cursor=").expect("a cursor").1;
    let decoded = URL_SAFE_NO_PAD.decode(cursor).expect("Base64");
    let seeds = [
        b"q=amelie&movieFormat=DVD&movieFormat=VHS&rating=4..&length=..90&releaseYear=1990..1999".to_vec(),
        b"sort=-rating,title&limit=1&total=true".to_vec(),
        format!("sort=-rating,title&limit=1&cursor={cursor}").into_bytes(),
        [b"sort=-rating,title&limit=2&cursor=", &decoded[..]].concat(),
        b"q=%F0%9F%8E%AC+ameile&limit=1000".to_vec(),
    ];
    let routes = routes(&service);
    fuzz("query", &seeds, async |input| {
        let mut depth = Depth::Refused;
        for path in ["/movie", "/stats", "/movie/random", "/history"] {
            let address = [path.as_bytes(), b"?", &with_cursor_encoded(input)].concat();
            let Ok(uri) = axum::http::Uri::try_from(address) else { return Depth::Refused };
            let request = Request::get(uri).header("authorization", format!("Bearer {}", service.viewer));
            let (status, _) = answer(&routes, request.body(Body::empty()).expect("a request")).await;
            assert!([200, 400, 404].contains(&status), "{path}: {status}");
            depth = depth.max(match status {
                200 => Depth::Accepted,
                404 => Depth::Read,
                _ => Depth::Refused,
            });
        }
        depth
    })
    .await;
}

/// Encodes the cursor at the end of a query.
fn with_cursor_encoded(query: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"cursor=";
    let at = query.windows(NAME.len()).position(|window| window == NAME).map(|at| at + NAME.len());
    match at.filter(|at| query.get(*at) == Some(&b'[')) {
        Some(at) => [&query[..at], URL_SAFE_NO_PAD.encode(&query[at..]).as_bytes()].concat(),
        None => query.to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_has_a_token_or_a_password_is_let_in() {
    let service = Service::start(Kind::Sqlite).await;
    let token = &service.viewer;
    let seeds = [format!("Bearer {token}"), format!("bearer  {token}"), format!("Basic viewer:{PASSWORD}")];
    let routes = routes(&service);
    fuzz("authorization", &seeds.map(String::into_bytes), async |input| {
        let Some((status, body)) = me(&service, &routes, "authorization", &with_pair_encoded(input)).await
        else {
            return Depth::Refused;
        };
        let text = String::from_utf8_lossy(input);
        assert!(status != 200 || text.contains(token) || is_pair_of("viewer", PASSWORD, &text));
        match status {
            200 => Depth::Accepted,
            _ if body.contains("must be Bearer") => Depth::Refused,
            _ => Depth::Read,
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_has_a_session_is_let_in() {
    let service = Service::start(Kind::Sqlite).await;
    let session = service.session_of("viewer").await;
    let secret = session.split_once('=').expect("a cookie").1;
    let seeds = [session.clone(), format!("a=b; {session}; c")];
    let routes = routes(&service);
    fuzz("cookies", &seeds.map(String::into_bytes), async |input| {
        let Some((status, body)) = me(&service, &routes, "cookie", input).await else {
            return Depth::Refused;
        };
        assert!(status != 200 || String::from_utf8_lossy(input).contains(secret));
        match status {
            200 => Depth::Accepted,
            _ if body.contains("sign in first") => Depth::Refused,
            _ => Depth::Read,
        }
    })
    .await;
}

/// Requests `/me` with a header. Returns status and body.
async fn me(service: &Service, routes: &Router, name: &str, value: &[u8]) -> Option<(u16, String)> {
    loop {
        let (status, body) = answer(routes, with_header("/me", name, value)?).await;
        if status != 429 {
            assert!([200, 401].contains(&status), "{status}");
            return Some((status, body));
        }
        service.pass_millis(60_000); // so that one who tries much is heard again
    }
}

/// Returns whether a header has this name, in any spelling, and password.
fn is_pair_of(name: &str, password: &str, value: &str) -> bool {
    let pair = value.strip_prefix("Basic ").and_then(|pair| pair.split_once(':'));
    pair.is_some_and(|(given, given_password)| {
        UserName::parse(given).is_ok_and(|given| given.key() == name)
            && Password::normalize(given_password) == password
    })
}

/// Encodes the credentials of an `Authorization` header (RFC 7617).
fn with_pair_encoded(value: &[u8]) -> Vec<u8> {
    match value.strip_prefix(b"Basic ") {
        Some(pair) => [b"Basic ", STANDARD.encode(pair).as_bytes()].concat(),
        None => value.to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_may_forward_anything() {
    let service = Service::start_with(Kind::Sqlite, behind_a_proxy()).await;
    let seeds = [
        ("192.0.2.1, 127.0.0.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("x, ::ffff:192.0.2.7", "192.0.2.7"),
        ("[2001:db8::2]:80", "2001:db8::2"),
    ];
    for (header, address) in seeds {
        let body = json!({"name": "viewer", "password": PASSWORD});
        let request = service.anonymous(Method::POST, "/login").header("x-forwarded-for", header);
        assert_eq!(Answer::of(request.json(&body)).await.status, 200);
        let sessions = Answer::of(service.request_as(&service.viewer, Method::GET, "/session")).await.json();
        let known = |session: &Value| session["address"] == address;
        assert!(sessions.as_array().expect("a list").iter().any(known), "{header}: {sessions}");
    }
    let seeds = seeds.map(|(header, _)| header.as_bytes().to_vec());
    let routes = routes(&service);
    fuzz("forwarded", &seeds, async |input| {
        let Some(mut request) = with_header("/login", "x-forwarded-for", input) else {
            return Depth::Refused;
        };
        let proto = request.headers()["x-forwarded-for"].clone();
        request.headers_mut().insert("x-forwarded-proto", proto);
        assert_eq!(answer(&routes, request).await.0, 200);
        Depth::Accepted
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_refused_stores_nothing() {
    let service = Service::start(Kind::Sqlite).await;
    let seeds = [
        &b"title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\nRan,VHS,162,1985,4\n"[..],
        b"{\"title\":\"Heat\",\"movieFormat\":\"DVD\",\"length\":170,\"releaseYear\":1995,\"rating\":5}\n",
    ]
    .map(<[u8]>::to_vec);
    let routes = routes(&service);
    fuzz("file", &seeds, async |input| {
        let mut depth = Depth::Refused;
        for media_type in ["text/csv", "application/x-ndjson"] {
            let before = last_movie(&service).await;
            let request = Request::post("/movie?onDuplicate=add").header("content-type", media_type);
            let request = request.header("authorization", format!("Bearer {}", service.editor));
            let (status, body) =
                answer(&routes, request.body(Body::from(input.to_vec())).expect("a request")).await;
            assert!([200, 422].contains(&status), "{status}");
            assert!(status == 200 || last_movie(&service).await == before, "what is refused was stored");
            depth = depth.max(match status {
                200 => Depth::Accepted,
                _ if body.contains("\"line\"") => Depth::Read,
                _ => Depth::Refused,
            });
        }
        depth
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_with_a_file_is_imported_whole_or_not_at_all() {
    let service = Service::start(Kind::Sqlite).await;
    let session = service.session_of("editor").await;
    let part = |name: &str, text: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let file = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\ncontent-type: text/csv\r\n\r\n\
                title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\n\r\n";
    let kept = part("keptName", "a.csv")
        + &part(
            "kept",
            &STANDARD.encode("title,movieFormat,length,releaseYear,rating\nRan,VHS,162,1985,4\n"),
        );
    let choices = part("do", "import") + &part("onDuplicate", "add") + &part("onError", "skip");
    let seeds = [format!("{choices}{file}--b--\r\n"), format!("{choices}{kept}--b--\r\n")];
    let stored = "<h1 id=\"imported\" tabindex=\"-1\">Imported</h1>";
    let routes = routes(&service);
    fuzz("multipart", &seeds.map(String::into_bytes), async |input| {
        let before = last_movie(&service).await;
        let request = Request::post("/import").header("content-type", "multipart/form-data; boundary=b");
        let request = request.header("cookie", &session).header("accept", "text/html");
        let (status, body) =
            answer(&routes, request.body(Body::from(input.to_vec())).expect("a request")).await;
        assert!([200, 400, 422].contains(&status), "{status}");
        let says_so = status == 200 && body.contains(stored);
        assert!(says_so || last_movie(&service).await == before, "{status}, but something was stored");
        match status {
            200 if says_so => Depth::Accepted,
            400 => Depth::Refused,
            _ => Depth::Read,
        }
    })
    .await;
}
