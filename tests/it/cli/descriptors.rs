//! Exhausted file descriptors: by many clients, and by a lowered limit.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{add_user, token};
use crate::{
    on_both,
    support::{Kind, program::Program, until},
};

/// A connection with raw requests: an HTTP client might open another connection.
struct Kept {
    stream: TcpStream,
    token: String,
}

impl Kept {
    async fn open(program: &Program, token: &str) -> Self {
        let stream = TcpStream::connect(program.address()).await.expect("it listens");
        Self { stream, token: token.to_owned() }
    }

    async fn send(&mut self, method: &str, path: &str, body: Option<(&str, &str)>) {
        let (media_type, body) = body.unwrap_or(("text/plain", ""));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: {media_type}\r\n\
             content-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.expect("it is sent");
    }

    /// Returns the status of the next response.
    async fn status(&mut self) -> u16 {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8(head).expect("text").to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        let mut body = vec![0; length.parse().expect("a number")];
        self.stream.read_exact(&mut body).await.expect("a body");
        head["http/1.1 ".len()..][..3].parse().expect("a status")
    }

    async fn get(&mut self, path: &str) -> u16 {
        self.send("GET", path, None).await;
        self.status().await
    }

    async fn post(&mut self, media_type: &str, body: &str) -> u16 {
        self.send("POST", "/movie", Some((media_type, body))).await;
        self.status().await
    }
}

const HEAT: &str = r#"{"title":"Heat","movieFormat":"DVD","length":170,"releaseYear":1995,"rating":5}"#;
const CSV: &str = "title,movieFormat,length,releaseYear,rating\nAlien,DVD,117,1979,5\n";

on_both! {
    async fn more_clients_than_open_files_wait_for_one_another(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let program = Program::start_with_open_files(&database, 80);
        let mut clients = Vec::new();
        for _ in 0..300 {
            let mut client = Kept::open(&program, &token).await; // into the queue of the system
            client.send("GET", "/stats", None).await;
            clients.push(client);
        }
        program.await_log("no more connections are accepted until some end");
        for mut client in clients {
            assert_eq!(client.status().await, 200); // and leaves its place to another one
        }
        let mut last = Kept::open(&program, &token).await;
        assert_eq!(last.get("/health/ready").await, 200);
        assert_eq!(last.post("application/json", HEAT).await, 201);
        assert_eq!(last.post("text/csv", CSV).await, 200);
        let log = program.end().expect(0).err;
        assert!(!log.contains("cannot accept connections") && !log.contains("Too many open files"), "{log}");
    }
}

on_both! {
    async fn without_free_file_descriptors_the_service_says_so_and_goes_on_when_there_are_some(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let program = Program::start(&database);
        let mut kept = Kept::open(&program, &token).await;
        assert_eq!(kept.post("application/json", HEAT).await, 201);

        let before = program.limit_open_files(3);
        let mut waiting = Kept::open(&program, &token).await; // by the system, not by the service
        waiting.send("GET", "/movie/1", None).await;
        program.await_log("cannot accept connections at the moment");
        assert_eq!(kept.get("/health/live").await, 200);
        assert_eq!(kept.get("/health/ready").await, 503);
        assert_eq!(kept.get("/movie/1").await, 200, "what takes no further file goes on");
        assert_eq!(kept.post("text/csv", CSV).await, 503, "its file cannot be kept");
        if database.kind == Kind::Postgres {
            let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            database.execute(end).await.expect("done");
            for _ in 0..3 {
                assert_eq!(kept.get("/movie/1").await, 503, "no connection can be made");
            }
        }

        program.limit_open_files(before);
        assert!([200, 503].contains(&waiting.status().await), "it is accepted");
        let kept = tokio::sync::Mutex::new(kept);
        // A closed connection is detected when it is used.
        until(async || kept.lock().await.get("/movie/1").await == 200).await;
        let mut kept = kept.into_inner();
        assert_eq!(kept.get("/health/ready").await, 200);
        assert_eq!(kept.post("text/csv", CSV).await, 200);
        assert_eq!(Kept::open(&program, &token).await.get("/movie/1").await, 200);
        program.end().expect(0);
    }
}
