//! Concurrent writes, long reads and computations, more than the program has threads.

use std::collections::HashMap;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use reelshelf::domain::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, HANGS, PASSWORD, films::csv, movie, program::Program},
};

/// Enough users to stay below the limit of imports and batches of each.
const USERS: usize = 16;

/// Films that exist before, each with its own change.
const EARLIER: usize = 20;

/// A request: the allowed statuses besides 503, and the titles that it stores.
struct Sent {
    statuses: &'static [u16],
    titles: Vec<String>,
    answer: BoxFuture<'static, Answer>,
}

fn sent(statuses: &'static [u16], titles: Vec<String>, request: RequestBuilder) -> Sent {
    Sent { statuses, titles, answer: Answer::of(request.timeout(HANGS)).boxed() }
}

/// A round of requests, whose titles contain its number.
fn round(server: &Program, tokens: &[String], round: usize) -> Vec<Sent> {
    let request =
        |n: usize, method, path: &str| server.request(method, path).bearer_auth(&tokens[n % tokens.len()]);
    let mut all = Vec::new();
    for n in 0..64 {
        let (title, new) = film("Batch", round, n);
        let batch = json!({"operations": [{"op": "create", "movie": new}]});
        all.push(sent(&[200], vec![title], request(n, Method::POST, "/movie/batch").json(&batch)));
        let (title, new) = film("Create", round, n);
        all.push(sent(&[201], vec![title], request(n, Method::POST, "/movie").json(&new)));
        all.push(sent(&[200], vec![], request(n, Method::GET, "/movie?q=craete")));
    }
    for n in 0..40 {
        // Each earlier change is undone by one request.
        let undo = format!("/history/{}/undo", n % EARLIER + 1);
        all.push(sent(&[200, 404, 409], vec![], request(n, Method::POST, &undo)));
    }
    for n in 0..10 {
        let file = csv(300).replace("Film ", &format!("Import {round} {n} "));
        let titles = (0..300).map(|row| format!("Import {round} {n} {row}")).collect();
        let import = request(n, Method::POST, "/movie").header("content-type", "text/csv").body(file);
        all.push(sent(&[200], titles, import));
    }
    for _ in 0..20 {
        let login = json!({"name": "viewer", "password": PASSWORD});
        all.push(sent(&[200], vec![], server.request(Method::POST, "/login").json(&login)));
    }
    all
}

fn film(kind: &str, round: usize, n: usize) -> (String, Value) {
    let title = format!("{kind} {round} {n}");
    let film = movie(&title, "DVD", 90, 2000, 3);
    (title, film)
}

/// Returns how often each title is stored.
async fn stored(server: &Program, token: &str) -> HashMap<String, usize> {
    let list = Answer::of(server.request(Method::GET, "/movie").bearer_auth(token)).await.json();
    let mut stored = HashMap::new();
    for film in list.as_array().expect("a list") {
        *stored.entry(film["title"].as_str().expect("a title").to_owned()).or_default() += 1;
    }
    stored
}

on_both! {
    async fn more_writers_and_readers_than_threads_are_all_answered(service: &Service) {
        let server = Program::start(&service.database);
        let token = &service.owner;
        for n in 0..EARLIER {
            service.add(&format!("Earlier {n}"), "DVD", 90, 2000, 3).await;
        }
        let mut tokens = Vec::new();
        for n in 0..USERS {
            tokens.push(service.add_user(&format!("editor{n}"), Role::Editor).await);
        }
        let mut acknowledged = Vec::new();
        let mut unknown = Vec::new();
        for number in 0..3 {
            let (expected, answers): (Vec<_>, Vec<_>) = round(&server, &tokens, number)
                .into_iter()
                .map(|Sent { statuses, titles, answer }| ((statuses, titles), answer))
                .unzip();
            for ((statuses, titles), answer) in expected.into_iter().zip(join_all(answers).await) {
                if answer.status == 503 {
                    assert_ne!(answer.header("retry-after"), "", "{answer:?}");
                    unknown.extend(titles);
                } else {
                    assert!(statuses.contains(&answer.status), "{statuses:?}: {answer:?}");
                    acknowledged.extend(titles);
                }
            }
        }
        let health = Answer::of(server.request(Method::GET, "/health/ready")).await;
        assert_eq!(health.status, 200, "{health:?}");
        let stored = stored(&server, token).await;
        for title in &acknowledged {
            assert_eq!(stored.get(title), Some(&1), "{title} was acknowledged");
        }
        for title in &unknown {
            assert!(stored.get(title).is_none_or(|times| *times == 1), "{title} is there twice");
        }
        let (title, new) = film("Last", 0, 0);
        let last = server.request(Method::POST, "/movie").bearer_auth(token).json(&new);
        assert_eq!(Answer::of(last).await.status, 201, "{title}");
    }
}
