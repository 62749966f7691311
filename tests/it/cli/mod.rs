//! Tests of the program as a process.

mod audit;
pub mod backup;
mod check;
mod client;
mod connections;
mod database;
mod descriptors;
mod disk;
mod ending;
mod health;
mod history;
mod load;
mod logs;
mod migrate;
mod restore;
mod restore_beside_writers;
mod secrets;
mod serve;
mod session;
mod spool;
mod streams;
mod systemd;
mod tls;
mod token;
mod user;

use reqwest::Method;

use crate::support::{
    Answer, PASSWORD, TestDatabase,
    program::{Program, run},
};

/// Adds a user with [`PASSWORD`].
#[track_caller]
fn add_user(database: &TestDatabase, name: &str, role: &str) {
    let arguments = ["user", "add", name, "--role", role, "--password-stdin"];
    run(database, &arguments, &format!("{PASSWORD}\n")).expect(0);
}

/// Creates a token of a user.
#[track_caller]
fn token(database: &TestDatabase, user: &str) -> String {
    run(database, &["token", "create", user, "test"], "").expect(0).out.trim_end().to_owned()
}

/// Returns the response status for a token.
async fn status_with(program: &Program, token: &str) -> u16 {
    Answer::of(program.request(Method::GET, "/movie").bearer_auth(token)).await.status
}

/// Returns the response status for a user name and password.
async fn status_as(program: &Program, name: &str, password: &str) -> u16 {
    Answer::of(program.request(Method::GET, "/movie").basic_auth(name, Some(password))).await.status
}
