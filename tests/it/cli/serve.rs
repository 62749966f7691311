//! The start of `reelshelf serve`: its output and its errors.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use super::{add_user, status_as, status_with, token};
use crate::{
    on_both,
    support::{
        Answer, Kind, PASSWORD, TestDatabase,
        program::{Program, run, run_with},
        terminal::Terminal,
    },
};

on_both! {
    async fn standard_output_is_one_line_with_the_address(database: TestDatabase) {
        let server = Program::start_with(&database, &[], &[("RUST_LOG", "debug")]);
        let port = server.base.strip_prefix("http://127.0.0.1:").expect("the address");
        assert_ne!(port.parse::<u16>().expect("a port"), 0);
        let answer = Answer::of(server.request(Method::GET, "/health/ready")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "{\"status\":\"ready\"}\n"));
        assert_eq!(server.end().expect(0).out, "", "one line, which is read already");
    }
}

on_both! {
    async fn without_a_user_it_prints_where_the_owner_is_made(database: TestDatabase) {
        let server = Program::start(&database);
        let line = server.await_log("create the first owner");
        assert!(line.contains(&format!("{}/setup#code=", server.base)), "{line}");
        let code = server.setup_code();
        let page = Answer::of(server.request(Method::GET, "/setup")).await;
        assert_eq!(page.status, 200, "{page:?}");
        let body = json!({"code": code, "name": "olivia", "password": PASSWORD});
        assert_eq!(Answer::of(server.request(Method::POST, "/setup").json(&body)).await.status, 201);
        assert_eq!(status_as(&server, "olivia", PASSWORD).await, 200);
        server.end().expect(0);

        let again = Program::start(&database);
        assert_eq!(status_as(&again, "olivia", PASSWORD).await, 200);
        assert!(!again.end().err.contains("/setup"), "there is a user");
    }
}

on_both! {
    async fn at_a_terminal_the_set_up_is_printed_last(database: TestDatabase) {
        let environment = [("REELSHELF_DATABASE", database.address.as_str())];
        let mut terminal = Terminal::start(200, &["serve", "--listen", "127.0.0.1:0"], &environment);
        terminal.await_text("listening on http://");
        terminal.await_text("Open this address to create the first owner:");
        terminal.await_text("It is valid for an hour.\n\n");
        terminal.type_keys("\u{3}");
        let shown = terminal.ended().expect(0).out;
        let (_, behind) = shown.split_once("It is valid for an hour.").expect("the address");
        assert!(!behind.contains("service.started") && !behind.contains("listening on"), "{shown}");
    }
}

on_both! {
    async fn the_set_up_is_printed_however_little_is_logged(database: TestDatabase) {
        let server = Program::start_with(&database, &[], &[("RUST_LOG", "off")]);
        assert!(server.await_log("create the first owner").contains("/setup#code="));
        let done = server.end().expect(0);
        assert_eq!(done.said().lines().count(), 1, "{done:?}");
    }
}

on_both! {
    async fn the_set_up_is_printed_under_the_public_address(database: TestDatabase) {
        for url in ["https://films.example", "https://films.example/"] {
            let server = Program::start_with(&database, &["--public-url", url], &[]);
            let line = server.await_log("create the first owner");
            assert!(line.contains(" https://films.example/setup#code="), "{line}");
            let old = server.setup_code();
            drop(server);
            assert_ne!(Program::start(&database).setup_code(), old, "a new one after each restart");
        }
    }
}

#[tokio::test]
async fn two_instances_make_one_owner() {
    let database = TestDatabase::new(Kind::Postgres).await;
    let servers = [Program::start(&database), Program::start(&database)];
    let setups = servers.iter().zip(["olivia", "pete"]).map(|(server, name)| {
        let body = json!({"code": server.setup_code(), "name": name, "password": PASSWORD});
        Answer::of(server.request(Method::POST, "/setup").json(&body))
    });
    let mut statuses: Vec<_> =
        futures_util::future::join_all(setups).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(run(&database, &["user", "list"], "").expect(0).out.lines().count(), 1);
}

on_both! {
    async fn the_owner_comes_from_the_environment(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "one more shelf of tapes\n").unwrap();
        let file = file.to_str().unwrap();
        let from_environment = [("REELSHELF_OWNER", "olivia"), ("REELSHELF_OWNER_PASSWORD", PASSWORD)];
        let from_file = [("REELSHELF_OWNER", "olivia"), ("REELSHELF_OWNER_PASSWORD_FILE", file)];
        for (options, environment, password) in [
            (&[][..], &from_environment[..], PASSWORD),
            (&[], &from_file, "one more shelf of tapes"),
            (&["--owner", "olivia", "--owner-password-file", file], &[], "one more shelf of tapes"),
        ] {
            let server = Program::start_with(&database, options, environment);
            assert_eq!(status_as(&server, "olivia", password).await, 200, "{environment:?}");
            let done = server.end().expect(0);
            assert!(!done.err.contains("/setup") && !done.err.contains(password), "{done:?}");
            // Where there is a user, the same does nothing.
            let others = [("REELSHELF_OWNER", "pete"), ("REELSHELF_OWNER_PASSWORD", PASSWORD)];
            let again = Program::start_with(&database, &[], &others);
            assert_eq!(status_as(&again, "pete", PASSWORD).await, 401);
            assert_eq!(status_as(&again, "olivia", password).await, 200);
            again.end().expect(0);
            database.execute("DELETE FROM users").await.unwrap();
        }
    }
}

on_both! {
    async fn an_owner_who_cannot_be_made_keeps_it_from_starting(database: TestDatabase) {
        let nowhere = tempfile::tempdir().unwrap().path().join("password");
        let nowhere = nowhere.to_str().unwrap();
        for (environment, status, words) in [
            (&[("REELSHELF_OWNER", "olivia")][..], 1, "needs REELSHELF_OWNER_PASSWORD or"),
            (
                &[("REELSHELF_OWNER", "olivia"), ("REELSHELF_OWNER_PASSWORD", "hunter2")],
                1,
                "at least 10 characters, got 7",
            ),
            (
                &[("REELSHELF_OWNER", "olivia"), ("REELSHELF_OWNER_PASSWORD", "password1234")],
                1,
                "common passwords",
            ),
            (&[("REELSHELF_OWNER", "olivia"), ("REELSHELF_OWNER_PASSWORD_FILE", nowhere)], 1, nowhere),
            (&[("REELSHELF_OWNER", "a b"), ("REELSHELF_OWNER_PASSWORD", PASSWORD)], 2, "letters, digits"),
            (&[("REELSHELF_OWNER_PASSWORD_FILE", nowhere)], 2, "--owner"),
        ] {
            let environment = [&[("REELSHELF_DATABASE", database.address.as_str())], environment].concat();
            let done = run_with(&["serve", "--listen", "127.0.0.1:0"], &environment).expect(status);
            assert!(done.out.is_empty() && done.err.contains(words), "{environment:?}: {done:?}");
            assert!(!done.err.contains("hunter2") && !done.err.contains("password1234"), "{done:?}");
        }
        let nobody = run(&database, &["user", "list"], "").expect(1);
        assert!(nobody.err.contains("there is no database") || nobody.err.contains("is empty"), "{nobody:?}");
    }
}

on_both! {
    async fn a_port_that_is_taken_is_named(database: TestDatabase) {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let refused = format!("cannot listen on {address}: another program uses this port");
        run(&database, &["serve", "--listen", &address], "").refused(&refused);
        let metrics = ["serve", "--listen", "127.0.0.1:0", "--metrics-listen", &address];
        run(&database, &metrics, "").refused(&format!("cannot listen on {address}"));
    }
}

on_both! {
    async fn metrics_are_on_an_address_of_their_own(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let server = Program::start_with(&database, &["--metrics-listen", "127.0.0.1:0"], &[]);
        let line = server.await_log("metrics address=");
        let metrics = format!("http://{}", line.split_once("address=").expect("an address").1);
        let ask = |path: &str| server.request(Method::GET, path).bearer_auth(&token);
        Answer::of(ask("/metrics")).await.problem(404);
        Answer::of(server.request(Method::GET, "/metrics")).await.problem(401);
        for (path, status) in
            [("/movie", 200), ("/movie?q=secret", 200), ("/movie/7", 404), ("/no/such/place", 404)]
        {
            assert_eq!(Answer::of(ask(path)).await.status, status, "{path}");
        }
        let answer = Answer::of(server.client.get(format!("{metrics}/metrics"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.header("content-type").starts_with("text/plain"), "{answer:?}");
        for line in [
            "# TYPE http_request_duration_seconds histogram",
            r#"http_request_duration_seconds_count{method="GET",route="/movie",status="200"} 2"#,
            r#"http_request_duration_seconds_count{method="GET",route="/movie/{id}",status="404"} 1"#,
        ] {
            assert!(answer.text.lines().any(|l| l == line), "{line}: {}", answer.text);
        }
        let series = answer.text.lines().count();
        for n in 0..200 {
            let odd = Method::from_bytes(format!("ODD{n:0>9}").as_bytes()).expect("a method");
            server.request(odd, &format!("/odd/{n}")).send().await.expect("an answer");
        }
        let more = Answer::of(server.client.get(format!("{metrics}/metrics"))).await;
        assert!(more.text.contains(r#"method="other",route="other""#), "{}", more.text);
        assert!(more.text.lines().count() <= series + 30, "one histogram more: {}", more.text);
        for never in ["secret", "/no/such/place", "olivia", &token] {
            assert!(!answer.text.contains(never), "{never}: {}", answer.text);
        }
        assert_eq!(Answer::of(server.client.get(format!("{metrics}/movie"))).await.status, 404);

        assert!(!answer.text.contains("backup"), "{}", answer.text);
        server.end().expect(0);

        let without = Program::start_with(&database, &[], &[("RUST_LOG", "info")]);
        Answer::of(without.request(Method::GET, "/metrics").bearer_auth(&token)).await.problem(404);
        assert!(!without.end().said().contains("metrics"));
    }
}

#[test]
fn help_names_every_variable_and_the_value_of_none() {
    fn variables(text: &str) -> BTreeSet<&str> {
        let name = |c: char| c.is_ascii_uppercase() || c == '_';
        let found = text.match_indices("REELSHELF_").map(|(at, _)| &text[at..]);
        found.map(|rest| &rest[..rest.find(|c| !name(c)).unwrap_or(rest.len())]).collect()
    }
    let source = concat!(
        include_str!("../../../src/cli/serve.rs"),
        include_str!("../../../src/cli/database.rs"),
        include_str!("../../../src/cli/program.rs")
    );
    let documented = include_str!("../../../docs/operating.md");
    let help = run_with(
        &["serve", "--help"],
        &[("REELSHELF_DATABASE", "postgres://reelshelf:s3cret@db.example/films")],
    );
    let help = help.expect(0);
    assert!(help.err.is_empty() && !help.out.contains("s3cret"), "{help:?}");
    let shown = variables(&help.out);
    assert!(shown.len() >= 10, "{shown:?}");
    assert_eq!(variables(source).difference(&shown).collect::<Vec<_>>(), [&""; 0]);
    // The page names the client's one, too, to tell which of the two comes first.
    let documented = variables(documented).into_iter().filter(|name| *name != "REELSHELF_SERVER").collect();
    assert_eq!(shown, documented);
    assert_eq!(variables(include_str!("../../../deploy/debian/reelshelf.env")), shown);
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [&["--help"][..], &["-h"], &["help"], &["user", "--help"], &["token", "create", "-h"]] {
        let done = run_with(arguments, &[]).expect(0);
        assert!(done.out.contains("Usage: reelshelf") && done.err.is_empty(), "{arguments:?}: {done:?}");
    }
    let version = run_with(&["--version"], &[]).expect(0);
    assert_eq!(version.out, concat!("reelshelf ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[tokio::test]
async fn a_file_is_served_by_one_process_at_a_time() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let server = Program::start(&database);
    let (folder, file) = (database.folder(), database.file());
    let link = folder.join("link.db");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let around = folder.join("..").join(folder.file_name().unwrap()).join("films.db");
    let refusal = format!("is served already, by process {} since 2", server.id());
    for path in [&file, &link, &around] {
        let address = format!("sqlite:{}", path.display());
        run_with(&["serve", "--listen", "127.0.0.1:0"], &[("REELSHELF_DATABASE", &address)])
            .refused(&refusal);
    }
    let named_twice = folder.join("named-twice.db");
    std::fs::hard_link(&file, &named_twice).unwrap();
    let address = format!("sqlite:{}", named_twice.display());
    run_with(&["serve", "--listen", "127.0.0.1:0"], &[("REELSHELF_DATABASE", &address)])
        .refused("a hard link");
    std::fs::remove_file(&named_twice).unwrap();
    // Administrators' commands go on beside it, and it goes on itself.
    add_user(&database, "olivia", "owner");
    let token = token(&database, "olivia");
    run(&database, &["backup", folder.join("films.backup").to_str().unwrap()], "").expect(0);
    assert_eq!(status_with(&server, &token).await, 200);

    drop(server); // which kills it
    let next = Program::start(&database);
    assert_eq!(status_with(&next, &token).await, 200);
    next.end().expect(0);
    assert!(!folder.join("films.db-serve").exists(), "a clean end leaves the file alone");
    Program::start(&database).end().expect(0);
}

/// Sends bytes on a connection of their own; all that comes back until it is closed.
async fn exchange(server: &Program, request: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut stream = tokio::net::TcpStream::connect(server.address()).await.expect("it listens");
    let _ = stream.write_all(request).await; // the answer may come before all is sent
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

on_both! {
    async fn what_is_no_request_is_answered_with_a_problem_document(database: TestDatabase) {
        let server = Program::start(&database);
        let long = "x".repeat(70_000);
        for (request, status) in [
            ("GET / HTTP/1.1\r\nhost : a b\r\n\x01: x\r\n\r\n".to_owned(), "400"),
            ("nonsense\r\n\r\n".to_owned(), "400"),
            ("GET / HTTP/9.9\r\n\r\n".to_owned(), "400"),
            (format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"), "431"),
            (format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "a: b\r\n".repeat(200)), "431"),
        ] {
            let answer = exchange(&server, request.as_bytes()).await;
            let shown: String = request.chars().take(60).collect();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{shown:?}: {answer:?}"));
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer}");
            assert!(head.contains("x-request-id: ") && head.contains("content-type: application/problem+json"), "{head}");
            assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
            let problem: serde_json::Value = serde_json::from_str(body).expect("a problem document");
            assert_eq!(problem["status"].to_string(), status);
        }
    }
}
