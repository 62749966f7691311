//! Tests of the commands that use a server.

mod add;
mod completions;
mod connection;
mod edit;
mod export;
mod history;
mod import;
mod interrupt;
mod list;
mod login;

use reqwest::Method;
use serde_json::Value;

use crate::support::{
    Answer, Service,
    program::{Done, run_with, run_with_input},
};

/// The environment for the server and the editor's token.
fn environment(service: &Service) -> [(&str, &str); 3] {
    [("REELSHELF_SERVER", &service.base), ("REELSHELF_TOKEN", &service.editor), ("TZ", "UTC")]
}

/// Runs a command as the editor.
fn reelshelf(service: &Service, arguments: &[&str]) -> Done {
    run_with(arguments, &environment(service))
}

/// Runs a command as the editor with this standard input.
fn reelshelf_with(service: &Service, arguments: &[&str], input: impl AsRef<[u8]>) -> Done {
    run_with_input(arguments, &environment(service), input.as_ref())
}

/// Parses the output as JSON.
#[track_caller]
fn json(done: &Done) -> Value {
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

/// Returns the whole list in a format.
async fn exported(service: &Service, media_type: &str) -> String {
    Answer::of(service.request(Method::GET, "/movie").header("accept", media_type)).await.text
}

/// Creates three films: Heat, Alien and Alien 3.
async fn three_films(service: &Service) {
    service.add("Heat", "DVD", 170, 1995, 5).await;
    service.add("Alien", "VHS", 117, 1979, 4).await;
    service.add("Alien 3", "DVD", 114, 1992, 2).await;
}
