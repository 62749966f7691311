//! A bare axum route that answers a constant 150 bytes of JSON: what the service is measured against.

use std::io::Write;

use axum::{Router, http::header, routing::get};

const BODY: &str = r#"{"id":7,"title":"Heat","movieFormat":"DVD","length":170,"releaseYear":1995,"rating":5,"version":1,"createdAt":"2026-11-23T20:15:00.123Z","filler":"-"}"#;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    assert_eq!(BODY.len(), 150);
    let routes = Router::new().route("/", get(async || ([(header::CONTENT_TYPE, "application/json")], BODY)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    axum::serve(listener, routes).await
}
