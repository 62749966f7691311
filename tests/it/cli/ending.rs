//! The end of the service: on a signal, and when it is killed.

use reqwest::Method;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::{add_user, status_with, token};
use crate::{
    on_both,
    support::{
        Answer, Kind, movie,
        program::{Program, Signal, poll},
    },
};

/// Returns a request to create a movie without its body, and the body. The server waits for it.
async fn begin_to_create(server: &Program, token: &str) -> (TcpStream, String) {
    let address = server.base.strip_prefix("http://").expect("an address");
    let body = movie("Heat", "DVD", 170, 1995, 5).to_string();
    let head = format!(
        "POST /movie HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.expect("an interim answer");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    (stream, body)
}

on_both! {
    async fn what_is_under_way_is_finished_before_the_end(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        for signal in [Signal::TERM, Signal::INT] {
            let server = Program::start(&database);
            let address = server.base.strip_prefix("http://").unwrap().to_owned();
            let (mut stream, body) = begin_to_create(&server, &token).await;
            server.signal(signal);
            poll("no new connections", || std::net::TcpStream::connect(&address).is_err().then_some(()));
            stream.write_all(body.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
            let done = server.ended().expect(0);
            assert!(done.out.is_empty() && done.err.contains("ended"), "{done:?}");
            if database.kind == Kind::Sqlite {
                let files = std::fs::read_dir(database.folder()).unwrap().count();
                assert_eq!(files, 1, "everything is in the one file");
            }
        }
        let server = Program::start(&database);
        let films = Answer::of(server.request(Method::GET, "/movie").bearer_auth(&token)).await.json();
        assert_eq!(films.as_array().map(Vec::len), Some(2), "{films}");
    }
}

on_both! {
    async fn it_ends_at_once_when_nothing_is_under_way(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        for _ in 0..5 {
            Program::start(&database).end().expect(0); // told to end as soon as it is ready
        }
        let server = Program::start(&database);
        assert_eq!(status_with(&server, &token).await, 200); // leaves a connection that is kept alive
        server.end().expect(0);
    }
}

on_both! {
    async fn nothing_that_was_answered_is_lost_when_it_is_killed(database: TestDatabase) {
        const CLIENTS: i64 = 8;
        const ANSWERED: usize = 60;
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let server = Program::start(&database);
        let (report, mut answered) = tokio::sync::mpsc::unbounded_channel();
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let (http, url) = (server.client.clone(), format!("{}/movie", server.base));
            let (token, report) = (token.clone(), report.clone());
            clients.spawn(async move {
                for n in 0.. {
                    let film = movie(&format!("Film {client}-{n}"), "DVD", n % 500, 1995, 5);
                    let Ok(answer) = http.post(&url).bearer_auth(&token).json(&film).send().await else {
                        return;
                    };
                    assert_eq!(answer.status(), 201);
                    // The kill may have cut off the body of the response.
                    let Ok(film) = answer.json::<Value>().await else { return };
                    report.send(film).expect("somebody listens");
                }
            });
        }
        drop(report);
        let mut films = Vec::new();
        while films.len() < ANSWERED {
            films.push(answered.recv().await.expect("one film after the other"));
        }
        server.signal(Signal::KILL);
        while let Some(film) = answered.recv().await {
            films.push(film);
        }
        clients.join_all().await;
        assert_eq!(server.ended().status, -1);

        let server = Program::start(&database);
        let stored = Answer::of(server.request(Method::GET, "/movie").bearer_auth(&token)).await.json();
        let stored = stored.as_array().expect("a list");
        for film in &films {
            assert!(stored.contains(film), "{film} is gone");
        }
        // Without a response there is at most one request of each client.
        assert!(stored.len() <= films.len() + 8, "{} of {}", films.len(), stored.len());
        let add = server.request(Method::POST, "/movie").bearer_auth(&token);
        let next = Answer::of(add.json(&movie("Alien", "DVD", 117, 1979, 5))).await;
        assert_eq!(next.status, 201, "{next:?}");
    }
}
