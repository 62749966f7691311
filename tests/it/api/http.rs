//! Conformance to RFC 9110, 9112 and 9457, including responses of the HTTP library itself.

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    on_both,
    support::{Answer, Service, movie},
};

/// Sends bytes on a new connection. Returns everything received until it is closed.
async fn exchange(service: &Service, request: &[u8]) -> String {
    let address = service.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let _ = stream.write_all(request).await; // the answer may come before all is sent
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

on_both! {
    async fn a_query_that_is_no_utf_8_is_refused_by_its_name(service: &Service) {
        service.post("/movie", &movie("Heat", "DVD", 170, 1995, 5)).await;
        for query in ["q=caf%E9", "q=%C0%AF", "q=%ff&limit=2", "q=%ED%A0%80"] {
            let problem = service.get(&format!("/movie?{query}")).await.problem(400);
            assert_eq!(problem["errors"][0]["parameter"], "q", "{query}: {problem}");
        }
        assert_eq!(service.get("/stats?%E9=1").await.status, 400);
        for query in ["q=caf%C3%A9", "q=%EF%BF%BD", "q=100%", "q=%zz", "q=a+b%20c"] {
            assert_eq!(service.get(&format!("/movie?{query}")).await.status, 200, "{query}");
        }
    }
}

on_both! {
    async fn a_compressed_body_is_refused_as_such(service: &Service) {
        for coding in ["gzip", "br", "identity, gzip", "x-unknown"] {
            let request = service.request(Method::POST, "/movie").header("content-encoding", coding);
            let answer = Answer::of(request.json(&movie("Heat", "DVD", 170, 1995, 5))).await;
            answer.problem(415);
            assert_eq!(answer.header("accept-encoding"), "identity");
        }
        let request = service.request(Method::POST, "/movie").header("content-encoding", "Identity");
        assert_eq!(Answer::of(request.json(&movie("Heat", "DVD", 170, 1995, 5))).await.status, 201);
    }
}

on_both! {
    async fn another_transfer_coding_than_chunked_is_refused(service: &Service) {
        let request = |coding: &str| {
            format!(
                "POST /movie HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
                 connection: close\r\ntransfer-encoding: {coding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n",
                service.owner
            )
        };
        for (coding, status) in [("chunked", 422), ("Chunked", 422), ("gzip, chunked", 501)] {
            let answer = exchange(service, request(coding).as_bytes()).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{coding}: {answer}");
        }
    }
}

on_both! {
    async fn a_query_that_a_path_does_not_know_is_refused(service: &Service) {
        let requests = [
            (Method::GET, "/me", 200), (Method::GET, "/user", 200), (Method::GET, "/session", 200),
            (Method::GET, "/token", 200), (Method::GET, "/user/viewer/token", 200),
            (Method::GET, "/user/viewer/session", 200), (Method::DELETE, "/token/999", 404),
            (Method::DELETE, "/session/999", 404), (Method::DELETE, "/user/nobody", 404),
            (Method::DELETE, "/user/viewer/token/999", 404), (Method::DELETE, "/movie/999", 404),
        ];
        for (method, path, status) in requests {
            assert_eq!(Answer::of(service.request(method.clone(), path)).await.status, status, "{path}");
            let problem = Answer::of(service.request(method, &format!("{path}?x=1"))).await.problem(400);
            assert_eq!(problem["errors"][0]["parameter"], "x", "{path}: {problem}");
        }
        for path in ["/user", "/token"] {
            let new = service.request(Method::POST, &format!("{path}?x=1")).json(&serde_json::json!({}));
            assert_eq!(Answer::of(new).await.problem(400)["errors"][0]["parameter"], "x", "{path}");
        }
    }
}

on_both! {
    async fn a_client_that_waits_to_go_on_is_refused_before_it_sends(service: &Service) {
        let request = |length: usize| {
            format!(
                "POST /movie HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
                 expect: 100-continue\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n",
                service.owner
            )
        };
        let answer = exchange(service, request(20_000_000).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        let answer = exchange(service, format!("{}{{}}", request(2)).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 100 ") && answer.contains("HTTP/1.1 422 "), "{answer}");
    }
}

on_both! {
    async fn a_304_varies_as_its_200_does(service: &Service) {
        service.post("/movie", &movie(&"x".repeat(50), "Streaming", 500, 2100, 5)).await;
        let whole = service.get("/movie/1").await;
        let known = Answer::of(service.request(Method::GET, "/movie/1").header("if-none-match", "\"1\"")).await;
        assert_eq!((whole.status, known.status), (200, 304));
        for name in ["vary", "etag", "cache-control"] {
            assert_eq!(known.headers.get(name), whole.headers.get(name), "{name}");
        }
    }
}

on_both! {
    async fn an_array_and_a_slash_too_many_are_told_where_to_go(service: &Service) {
        let films = serde_json::json!([movie("Heat", "DVD", 170, 1995, 5)]);
        let problem = service.post("/movie", &films).await.problem(422);
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("/movie/batch"), "{problem}");
        let problem = service.get("/movie/").await.problem(404);
        assert!(problem["detail"].as_str().unwrap().contains("slash"), "{problem}");
        let marked = format!("\u{feff}{}", movie("Heat", "DVD", 170, 1995, 5));
        let request = service.request(Method::POST, "/movie").header("content-type", "application/json").body(marked);
        assert_eq!(Answer::of(request).await.status, 201, "a byte order mark is passed over");
    }
}
