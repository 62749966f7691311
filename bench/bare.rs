//! A bare axum route, the limit for comparison with the service: `/SIZE` answers a constant of SIZE bytes.
//!
//! The argument is the largest size.

use std::io::Write;

use axum::{
    Router,
    body::Bytes,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let largest = std::env::args().nth(1).and_then(|argument| argument.parse().ok()).unwrap_or(1024);
    let constant: &'static [u8] = vec![b'x'; largest].leak();
    let answer = async move |Path(size): Path<usize>, _body: Bytes| -> Response {
        match constant.get(..size) {
            Some(body) => {
                ([(header::CONTENT_TYPE, "application/json")], Bytes::from_static(body)).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    axum::serve(listener, Router::new().route("/{size}", any(answer))).await
}
