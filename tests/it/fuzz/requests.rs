//! What comes with a request: whatever it is, it is answered, never as a failure of the service, and what is
//! refused leaves nothing.

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Request, header},
};
use reelshelf::http;
use tower::ServiceExt;

use super::fuzz;
use crate::support::{Kind, Service, signing_in::behind_a_proxy};

/// Sends a request to a service in this process; returns the status.
async fn status(service: &Service, mut request: Request<Body>) -> u16 {
    request.headers_mut().entry(header::HOST).or_insert(HeaderValue::from_static("films.example"));
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
    let router = http::router(service.app.clone(), behind_a_proxy());
    let response = router.oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    assert!(status < 500, "{status}: {}", String::from_utf8_lossy(&body));
    status
}

/// A request with a header of these bytes; none where HTTP itself does not take them.
fn with_header(path: &str, name: &str, input: &[u8]) -> Option<Request<Body>> {
    let value = HeaderValue::from_bytes(input).ok()?;
    Some(Request::get(path).header(name, value).body(Body::empty()).expect("a request"))
}

async fn movies(service: &Service) -> i64 {
    service.number("SELECT count(*) FROM movie_rows").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_answered_or_refused() {
    let service = Service::start(Kind::Sqlite).await;
    service.add("Heat", "DVD", 170, 1995, 5).await;
    service.add("Amélie", "VHS", 122, 2001, 4).await;
    let queries = [
        "q=amelie&movieFormat=DVD&movieFormat=VHS&rating=4..&length=..90&releaseYear=1990..1999",
        "sort=-rating,title&limit=1&total=true",
        "limit=1&sort=title&cursor=WyJoZWF0IiwxXQ",
        "q=%F0%9F%8E%AC+%00&limit=1000",
    ];
    let seeds = queries.map(|query| query.as_bytes().to_vec());
    fuzz("query", &seeds, async |input| {
        for path in ["/movie", "/stats", "/movie/random", "/history"] {
            let address = [path.as_bytes(), b"?", input].concat();
            let Ok(uri) = axum::http::Uri::try_from(address) else { return };
            let request = Request::get(uri).header("authorization", format!("Bearer {}", service.viewer));
            let status = status(&service, request.body(Body::empty()).expect("a request")).await;
            assert!([200, 400, 404].contains(&status), "{path}: {status}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_is_known_is_let_in() {
    let service = Service::start(Kind::Sqlite).await;
    let session = service.session_of("viewer").await;
    let bearer = format!("Bearer {}", service.viewer);
    for (target, name, valid) in
        [("authorization", "authorization", bearer.as_str()), ("cookies", "cookie", session.as_str())]
    {
        let secret = valid.split_once([' ', '=']).expect("a secret").1;
        let seeds = [valid.as_bytes().to_vec(), [b"a=b; ", valid.as_bytes(), b"; c"].concat()];
        fuzz(target, &seeds, async |input| {
            let Some(request) = with_header("/me", name, input) else { return };
            let status = status(&service, request).await;
            assert!([200, 401, 403, 429].contains(&status), "{status}");
            assert!(status != 200 || String::from_utf8_lossy(input).contains(secret));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_may_forward_anything() {
    let service = Service::start(Kind::Sqlite).await;
    let seeds =
        ["192.0.2.1, 127.0.0.1", "2001:db8::1", "::ffff:192.0.2.1,,"].map(|text| text.as_bytes().to_vec());
    fuzz("forwarded", &seeds, async |input| {
        let Some(mut request) = with_header("/login", "x-forwarded-for", input) else { return };
        let proto = request.headers()["x-forwarded-for"].clone();
        request.headers_mut().insert("x-forwarded-proto", proto);
        assert_eq!(status(&service, request).await, 200);
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
    fuzz("file", &seeds, async |input| {
        for media_type in ["text/csv", "application/x-ndjson"] {
            let before = movies(&service).await;
            let request = Request::post("/movie?onDuplicate=add").header("content-type", media_type);
            let request = request.header("authorization", format!("Bearer {}", service.editor));
            let status = status(&service, request.body(Body::from(input.to_vec())).expect("a request")).await;
            assert!([200, 422].contains(&status), "{status}");
            assert!(status == 200 || movies(&service).await == before, "what is refused was stored");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_with_a_file_is_shown_again_or_refused() {
    let service = Service::start(Kind::Sqlite).await;
    let session = service.session_of("editor").await;
    let part = |name: &str, text: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let file = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\ncontent-type: text/csv\r\n\r\n\
                title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\n\r\n";
    let form = format!("{}{}{file}--b--\r\n", part("source", "auto"), part("onError", "skip"));
    let broken = form.replace("--b--", "--");
    fuzz("multipart", &[form.into_bytes(), broken.into_bytes()], async |input| {
        let before = movies(&service).await;
        let request = Request::post("/import").header("content-type", "multipart/form-data; boundary=b");
        let request = request.header("cookie", &session).header("accept", "text/html");
        let status = status(&service, request.body(Body::from(input.to_vec())).expect("a request")).await;
        assert!(status == 303 || movies(&service).await == before, "{status}, but something was stored");
    })
    .await;
}
