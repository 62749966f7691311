//! Standard error and standard output that cannot be written.

use std::{
    io::{ErrorKind, Write},
    os::unix::net::UnixStream,
    process::Stdio,
    sync::{Arc, Mutex},
};

use reqwest::Method;
use serde_json::Value;

use super::{add_user, token};
use crate::{
    on_both,
    support::{
        Answer, PASSWORD, movie,
        program::{Program, collect, full, poll, run, run_on, unread},
    },
};

/// A standard error that cannot be written.
#[derive(Debug, Clone, Copy)]
enum Broken {
    ReaderGone,
    Full,
}

impl Broken {
    const ALL: [Self; 2] = [Self::ReaderGone, Self::Full];

    fn stream(self) -> Stdio {
        match self {
            Self::ReaderGone => unread(),
            Self::Full => full(),
        }
    }
}

/// Sends requests that are logged at every level, and checks their responses.
async fn use_it(server: &Program, token: &str) {
    let wrong = server.request(Method::GET, "/movie").basic_auth("olivia", Some("a wrong password"));
    assert_eq!(Answer::of(wrong).await.status, 401);
    let right = server.request(Method::GET, "/movie").basic_auth("olivia", Some(PASSWORD));
    assert_eq!(Answer::of(right).await.status, 200);
    assert_eq!(Answer::of(server.request(Method::GET, "/health/ready")).await.status, 200);
    let film = movie("Heat", "DVD", 170, 1995, 5);
    let add = server.request(Method::POST, "/movie").bearer_auth(token).json(&film);
    assert_eq!(Answer::of(add).await.status, 201);
}

/// Writes more log lines than any buffer holds.
async fn log_much(server: &Program) {
    let path = format!("/{}", "x".repeat(12_000));
    for _ in 0..150 {
        assert_eq!(Answer::of(server.request(Method::GET, &path)).await.status, 401);
    }
}

on_both! {
    async fn a_log_that_cannot_be_written_stops_nothing(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        for level in ["info", "trace"] {
            for broken in Broken::ALL {
                let log = [("RUST_LOG", level)];
                let server = Program::start_with_stderr(&database, &log, broken.stream());
                use_it(&server, &token).await;
                server.end().expect(0);
            }
            let (reader, writer) = std::io::pipe().expect("a pipe");
            let server = Program::start_with_stderr(&database, &[("RUST_LOG", level)], writer.into());
            use_it(&server, &token).await;
            drop(reader);
            use_it(&server, &token).await;
            server.end().expect(0);
        }
    }
}

on_both! {
    async fn a_log_that_nobody_reads_holds_up_nothing_and_goes_on_when_it_is_read(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        for is_read_again in [false, true] {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            let server = Program::start_with_stderr(&database, &[("RUST_LOG", "reelshelf=debug")], writer.into());
            log_much(&server).await;
            use_it(&server, &token).await;
            if is_read_again {
                let log = Arc::new(Mutex::new(String::new()));
                let read = collect(reader, log.clone());
                poll("word of what was lost", || log.lock().expect("a log").contains("was lost").then_some(()));
                server.end().expect(0);
                read.join().expect("text");
                let log = log.lock().expect("a log");
                let last = log.lines().last().expect("a line");
                assert!(last.contains("ended"), "{last}");
                log.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).expect(line)));
            } else {
                server.end().expect(0);
            }
        }
    }
}

on_both! {
    async fn a_log_goes_on_where_there_is_room_again(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        // A non-blocking socket fails while it is full.
        let (reader, mut writer) = UnixStream::pair().expect("a pair");
        writer.set_nonblocking(true).expect("an option");
        let full = loop {
            if let Err(error) = writer.write_all(&[b'\n'; 512]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        let err = std::os::fd::OwnedFd::from(writer);
        let server = Program::start_with_stderr(&database, &[("RUST_LOG", "reelshelf=debug")], err.into());
        use_it(&server, &token).await;
        let log = Arc::new(Mutex::new(String::new()));
        let read = collect(reader, log.clone());
        poll("word of what was lost", || {
            // What is logged is written; the thread of the log sleeps otherwise.
            std::net::TcpStream::connect(server.address()).ok().map(|mut stream| stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"));
            log.lock().expect("a log").contains("was lost").then_some(())
        });
        server.end().expect(0);
        read.join().expect("text");
        let log = log.lock().expect("a log");
        let lines: Vec<&str> = log.lines().filter(|line| !line.is_empty()).collect();
        let torn = lines.iter().filter(|line| serde_json::from_str::<Value>(line).is_err()).count();
        assert!(torn <= 1 && lines.last().is_some_and(|last| last.contains("ended")), "{lines:?}");
    }
}

on_both! {
    async fn a_service_starts_where_standard_output_cannot_be_written(database: TestDatabase) {
        for out in Broken::ALL {
            let server = Program::start_unheard(&database, out.stream());
            assert_eq!(Answer::of(server.request(Method::GET, "/health/ready")).await.status, 200);
            server.end().expect(0);
        }
    }
}

on_both! {
    async fn standard_error_changes_no_exit_status(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let server = Program::start(&database);
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
        let (backup, none) = (path("films.backup"), path("none"));
        let environment =
            [("REELSHELF_DATABASE", database.address.as_str()), ("REELSHELF_SERVER", &server.base), ("REELSHELF_TOKEN", &token)];
        for broken in Broken::ALL {
            let commands: [(&[&str], i32); 13] = [
                (&["list"], 0),
                (&["history"], 0),
                (&["search", "nothing"], 0),
                (&["user", "list"], 0),
                (&["migrate"], 0),
                (&["check"], 0),
                (&["backup", "--force", &backup], 0),
                (&["rm", "99"], 1),
                (&["restore", &none], 1),
                (&["import", &none], 1),
                (&["list", "--sort", "colour"], 2),
                (&["nonsense"], 2),
                (&["--help"], 0),
            ];
            for (arguments, status) in commands {
                let done = run_on(arguments, &environment, None, Some(broken.stream()));
                assert_eq!(done.status, status, "{broken:?}, {arguments:?}: {done:?}");
            }
        }
    }
}

on_both! {
    async fn what_was_asked_for_and_cannot_be_written_is_an_error(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let server = Program::start(&database);
        let environment =
            [("REELSHELF_DATABASE", database.address.as_str()), ("REELSHELF_SERVER", &server.base), ("REELSHELF_TOKEN", &token)];
        let add = ["add", "--title", "Heat", "--year", "1995", "--format", "DVD", "--length", "170", "--rating", "5"];
        run(&database, &["migrate"], "").expect(0);
        run_on(&add, &environment, None, None).expect(0);
        let commands: [&[&str]; 16] = [
            &["check"],
            &["list"],
            &["list", "--csv"],
            &["list", "--json"],
            &["search", "heat"],
            &["show", "1"],
            &["stats"],
            &["pick"],
            &["history"],
            &["history", "--json"],
            &["export"],
            &["export", "--json"],
            &["user", "list"],
            &["token", "list", "olivia"],
            &["man"],
            &["--help"],
        ];
        for arguments in commands {
            let done = run_on(arguments, &environment, Some(full()), None);
            assert!(done.status == 1 && done.err.contains("standard output cannot be written"), "{arguments:?}: {done:?}");
            let done = run_on(arguments, &environment, Some(unread()), None);
            assert_eq!((done.status, done.err.as_str()), (0, ""), "{arguments:?}");
        }
        assert_eq!(run_on(&["health"], &environment, Some(full()), None).status, 1, "at its usual address is nobody");
    }
}

on_both! {
    async fn a_token_that_could_not_be_shown_is_revoked_again(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let environment = [("REELSHELF_DATABASE", database.address.as_str())];
        for broken in Broken::ALL {
            let done = run_on(&["token", "create", "olivia", "lost"], &environment, Some(broken.stream()), None);
            assert!(done.status == 1 && done.err.contains("revoked again"), "{broken:?}: {done:?}");
        }
        assert_eq!(run(&database, &["token", "list", "olivia"], "").expect(0).out, "");
    }
}
