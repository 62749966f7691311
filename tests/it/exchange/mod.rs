//! Import files of other services and programs, and damaged files.

mod archives;
mod as_written;
mod encodings;
mod layouts;
mod refused;

use std::{
    fs::File,
    io::{Seek, Write},
    path::Path,
};

use serde_json::Value;

use crate::support::{Service, films::ATTRIBUTES};

/// Reads a file beside this one.
fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exchange/files").join(name);
    std::fs::read(path).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Creates a temporary file with this content.
fn written(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(content).and_then(|()| file.rewind()).expect("it is written");
    file
}

/// Imports a CSV file. Returns the report.
async fn report(service: &Service, options: &str, file: impl Into<reqwest::Body>) -> Value {
    let answer = service.import("text/csv", options, file).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Returns all movies, one line each: `The Matrix|DVD|136|1999|5`.
async fn movies(service: &Service) -> Vec<String> {
    let movies = service.get("/movie").await.json();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let of = |movie: &Value| ATTRIBUTES.map(|name| text(&movie[name])).join("|");
    movies.as_array().expect("a list").iter().map(of).collect()
}

/// Returns the notes of a report except defaults, one line each: `2 rating rounded 3.5: became 4`.
fn notes(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let notes = report["notes"].as_array().expect("notes").iter();
    let notes = notes.filter(|note| note["kind"] != "defaulted").map(|note| {
        let [field, kind, value, detail] = ["field", "kind", "value", "detail"].map(|name| text(&note[name]));
        format!("{} {field} {kind} {value}: {detail}", note["line"])
    });
    notes.collect()
}

/// Returns the errors of a report, one line each: `2 rating 9: must be …`.
fn errors(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let errors = report["errors"].as_array().expect("errors").iter();
    let errors = errors.map(|error| {
        let [field, value, detail] = ["field", "value", "detail"].map(|name| text(&error[name]));
        format!("{} {field} {value}: {detail}", error["line"])
    });
    errors.collect()
}
