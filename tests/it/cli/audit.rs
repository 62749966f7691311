//! The audit log: a line for each security event, with the same fields, regardless of `RUST_LOG`.

use std::collections::{BTreeMap, BTreeSet};

use reelshelf::limits::MAX_SESSIONS_PER_USER;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{add_user, status_with, token};
use crate::{
    on_both,
    support::{
        Answer, PASSWORD, TestDatabase,
        program::{Done, Program, run_with, run_with_input},
        signing_in::secret,
        writing_operations,
    },
};

const NEW: &str = "one more shelf of tapes";
const TYPED: &str = "a password typed as a name";

/// Settings that write only the audit log, as JSON.
const QUIET: [(&str, &str); 2] = [("RUST_LOG", "off"), ("REELSHELF_LOG_FORMAT", "json")];

/// Returns the audit lines of a JSON log.
fn lines(log: &str) -> Vec<Value> {
    let all = log.lines().filter(|line| line.starts_with('{'));
    let all = all.map(|line| serde_json::from_str::<Value>(line).expect(line));
    all.filter(|line| line["target"] == "audit").map(|line| line["fields"].clone()).collect()
}

/// Returns the successful events: actor, event, subject.
fn done(log: &str) -> Vec<String> {
    let all = lines(log).into_iter().filter(|line| line["outcome"] == "success");
    let text = |line: &Value, field: &str| line[field].as_str().unwrap_or("-").to_owned();
    all.map(|line| ["event", "user", "via", "subject", "detail"].map(|field| text(&line, field)).join("; "))
        .collect()
}

/// Returns the counts of rejections by event and actor.
fn refused(log: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in lines(log).into_iter().filter(|line| line["outcome"] == "refused") {
        let text = |field: &str| line[field].as_str().unwrap_or("-").to_owned();
        let key = ["event", "user", "via", "subject", "detail"].map(text).join("; ");
        *counts.entry(key).or_default() += line["count"].as_u64().expect("a count");
    }
    counts
}

/// A client with a session cookie.
struct Browser<'a> {
    server: &'a Program,
    cookie: String,
}

impl<'a> Browser<'a> {
    /// Creates a client from the response to a sign-in.
    fn of(server: &'a Program, answer: &Answer) -> Self {
        Self { server, cookie: answer.cookie().to_owned() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.server.request(method, path).header("cookie", &self.cookie)
    }

    async fn send(&self, method: Method, path: &str, body: Value, status: u16) -> Answer {
        let answer = Answer::of(self.request(method, path).json(&body)).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        answer
    }

    /// Returns the ids of the user's sessions, the current one first.
    async fn sessions(&self) -> Vec<i64> {
        let sessions = self.send(Method::GET, "/session", json!({}), 200).await.json();
        let sessions = sessions.as_array().expect("sessions").clone();
        let (current, others): (Vec<_>, Vec<_>) = sessions.into_iter().partition(|s| s["current"] == true);
        current.iter().chain(&others).map(|session| session["id"].as_i64().expect("an id")).collect()
    }
}

async fn sign_in(server: &Program, name: &str, password: &str, status: u16) -> Answer {
    let login = server.request(Method::POST, "/login").json(&json!({"name": name, "password": password}));
    let answer = Answer::of(login).await;
    assert_eq!(answer.status, status, "{answer:?}");
    answer
}

async fn basic(server: &Program, name: &str, password: &str, status: u16) {
    let me = server.request(Method::GET, "/me").basic_auth(name, Some(password));
    assert_eq!(Answer::of(me).await.status, status);
}

/// Creates the first owner, after an attempt with a wrong code. Returns the owner's browser.
async fn set_up(server: &Program) -> Browser<'_> {
    let code = server.setup_code();
    let set_up = |code: &str| {
        let body = json!({"code": code, "name": "olivia", "password": PASSWORD});
        Answer::of(server.request(Method::POST, "/setup").json(&body))
    };
    assert_eq!(set_up("wrong").await.status, 403);
    let made = set_up(&code).await;
    assert_eq!(made.status, 201, "{made:?}");
    Browser::of(server, &made)
}

on_both! {
    async fn everything_that_is_done_leaves_a_line(database: TestDatabase) {
        let server = Program::start_with(&database, &[], &QUIET);
        let olivia = set_up(&server).await;
        let first = olivia.sessions().await[0];
        let second = Browser::of(&server, &sign_in(&server, "OLIVIA", PASSWORD, 200).await);
        let [second_id, ..] = second.sessions().await[..] else { panic!("a session") };
        basic(&server, "olivia", PASSWORD, 200).await; // remembered, so it is no sign-in
        let vera = json!({"name": "vera", "role": "viewer", "password": PASSWORD});
        olivia.send(Method::POST, "/user", vera, 201).await;
        basic(&server, "vera", PASSWORD, 200).await;
        basic(&server, "vera", PASSWORD, 200).await;
        olivia.send(Method::PATCH, "/user/vera", json!({"role": "viewer"}), 200).await; // nothing new
        olivia.send(Method::PATCH, "/user/vera", json!({"role": "editor"}), 200).await;
        olivia.send(Method::PATCH, "/user/vera", json!({"role": "viewer", "password": NEW}), 200).await;
        let new = json!({"name": "laptop", "role": "viewer", "expiresAt": "2999-01-01T00:00:00Z"});
        let narrowed = olivia.send(Method::POST, "/token", new, 201).await.json();
        let plain = olivia.send(Method::POST, "/token", json!({"name": "script"}), 201).await.json();
        let by_token = server.request(Method::DELETE, &format!("/token/{}", narrowed["id"]));
        assert_eq!(Answer::of(by_token.bearer_auth(secret(&plain))).await.status, 204);
        let delete = format!("/session/{first}");
        second.send(Method::DELETE, &delete, json!({}), 204).await;
        sign_in(&server, "olivia", PASSWORD, 200).await;
        let third = second.sessions().await[1];
        let others = second.request(Method::POST, "/account/session/end-others");
        let others = others.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(Answer::of(others).await.status, 303);
        second
            .send(Method::PATCH, "/me", json!({"presentPassword": PASSWORD, "password": NEW}), 200)
            .await;
        let last = Browser::of(&server, &sign_in(&server, "olivia", NEW, 200).await);
        let last_id = last.sessions().await[0];
        let of_vera = Browser::of(&server, &sign_in(&server, "vera", NEW, 200).await);
        let vera_id = of_vera.sessions().await[0];
        last.send(Method::DELETE, &format!("/user/vera/session/{vera_id}"), json!({}), 204).await;
        let with_a_token = token(&database, "vera");
        let tokens = last.send(Method::GET, "/user/vera/token", json!({}), 200).await.json();
        let token_id = tokens[0]["id"].clone();
        last.send(Method::DELETE, &format!("/user/vera/token/{token_id}"), json!({}), 204).await;
        assert_eq!(status_with(&server, &with_a_token).await, 401);
        let revoking = json!({"password": PASSWORD, "revokeTokens": true});
        token(&database, "vera");
        last.send(Method::PATCH, "/user/vera", revoking, 200).await;
        last.send(Method::DELETE, "/user/vera", json!({}), 204).await;
        last.send(Method::POST, "/logout", json!({}), 204).await;

        let log = server.end().expect(0).err;
        let expected = [
            "user.first_owner_added; -; setup; user olivia; -".to_owned(),
            format!("user.sign_in; olivia; password; session {first} of olivia; -"),
            format!("user.sign_in; olivia; password; session {second_id} of olivia; -"),
            "user.added; olivia; session; user vera; role viewer".to_owned(),
            "user.sign_in; vera; password; user vera; -".to_owned(),
            "user.role_changed; olivia; session; user vera; from viewer to editor".to_owned(),
            "user.role_changed; olivia; session; user vera; from editor to viewer".to_owned(),
            "user.password_changed; olivia; session; user vera; -".to_owned(),
            format!(
                "token.made; olivia; session; token {} of olivia; role viewer, narrowed, expires \
                 2999-01-01T00:00:00.000Z",
                narrowed["id"]
            ),
            format!("token.made; olivia; session; token {} of olivia; role owner, expires never", plain["id"]),
            format!("token.revoked; olivia; token script; token {} of olivia; -", narrowed["id"]),
            format!("session.ended; olivia; session; session {first} of olivia; -"),
            format!("user.sign_in; olivia; password; session {third} of olivia; -"),
            format!("session.all_ended; olivia; session; user olivia; but session {second_id}"),
            "user.password_changed; olivia; session; user olivia; -".to_owned(),
            format!("user.sign_in; olivia; password; session {last_id} of olivia; -"),
            format!("user.sign_in; vera; password; session {vera_id} of vera; -"),
            format!("session.ended; olivia; session; session {vera_id} of vera; -"),
            format!("token.revoked; olivia; session; token {token_id} of vera; -"),
            "user.password_changed; olivia; session; user vera; -".to_owned(),
            "token.all_revoked; olivia; session; user vera; -".to_owned(),
            "user.removed; olivia; session; user vera; role viewer".to_owned(),
            format!("user.sign_out; olivia; session; session {last_id} of olivia; -"),
            format!("service.stopped; -; service; reelshelf {}; -", env!("CARGO_PKG_VERSION")),
        ];
        let mut found = done(&log);
        let started = found.iter().position(|line| line.starts_with("service.started")).expect("the start");
        let before: Vec<String> = found.drain(..=started).collect();
        assert_eq!(started, 1, "{before:?}");
        assert!(before[0].starts_with("database.migrated; -; service; 0001_movies, 0002_users, "), "{before:?}");
        assert_eq!(found, expected);

        for line in lines(&log).iter().filter(|line| line["via"] != "service") {
            assert_eq!(line["address"], "127.0.0.1", "{line}");
            assert_eq!(line["request_id"].as_str().map(str::len), Some(16), "{line}");
        }
    }
}

on_both! {
    async fn everything_that_is_refused_leaves_a_line(database: TestDatabase) {
        let server = Program::start_with(&database, &[], &QUIET);
        let olivia = set_up(&server).await;
        assert_eq!(Answer::of(server.request(Method::GET, "/setup?code=wrong")).await.status, 303);
        let narrowed = json!({"name": "laptop", "role": "viewer"});
        let narrowed = olivia.send(Method::POST, "/token", narrowed, 201).await.json();
        let with = |token: &str, method, path: &str| server.request(method, path).bearer_auth(token);
        for (request, status) in [
            (with(secret(&narrowed), Method::GET, "/user"), 403),
            (with(secret(&narrowed), Method::DELETE, "/movie/7"), 403),
            (with(secret(&narrowed), Method::POST, "/token").json(&json!({"name": "more"})), 403),
            (with("rsh_made-up", Method::GET, "/movie"), 401),
            (with("rsh_made-up", Method::GET, "/movie"), 401),
            (with("hunter2", Method::GET, "/movie"), 401),
            (server.request(Method::GET, "/me").header("cookie", format!("{}x", olivia.cookie)), 401),
            (server.request(Method::GET, "/me").header("authorization", "Digest hunter2"), 401),
            (olivia.request(Method::DELETE, "/user/vera").header("sec-fetch-site", "cross-site"), 403),
            (server.request(Method::POST, "/login").header("sec-fetch-site", "cross-site"), 403),
            (server.request(Method::GET, "/me"), 401), // who presents nothing is asked to sign in
        ] {
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, status, "{answer:?}");
        }
        sign_in(&server, "Olivia", "a wrong password", 401).await;
        sign_in(&server, TYPED, PASSWORD, 401).await;
        basic(&server, "nobody", "a wrong password", 401).await;
        let wrong = json!({"presentPassword": "a wrong password", "password": NEW});
        olivia.send(Method::PATCH, "/me", wrong, 422).await;

        let log = server.end().expect(0).err;
        let expected = [
            ("setup.code; -; setup; -; code wrong, used or expired", 1),
            ("request.authorize; olivia; token laptop; GET /user; role", 1),
            ("request.authorize; olivia; token laptop; DELETE /movie/{id}; role", 1),
            ("request.authorize; olivia; token laptop; POST /token; role", 1),
            ("request.authenticate; -; token; -; token unknown, revoked or expired", 3),
            ("request.authenticate; -; session; -; session unknown or ended", 1),
            ("request.authenticate; -; authorization; -; malformed Authorization", 1),
            ("request.authorize; -; page; DELETE /user/{name}; page of another site", 1),
            ("request.authorize; -; page; POST /login; page of another site", 1),
            ("user.sign_in; olivia; password; -; wrong password", 2),
            ("user.sign_in; -; password; -; unknown user", 2),
        ];
        let expected = expected.map(|(line, count)| (line.to_owned(), count));
        assert_eq!(refused(&log), expected.into_iter().collect());
        for typed in [TYPED, "hunter2", "made-up", "nobody", "a wrong password"] {
            assert!(!log.contains(typed), "{typed}: {log}");
        }
    }
}

on_both! {
    async fn what_a_stranger_repeats_is_counted_rather_than_written(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let server = Program::start_with(&database, &[], &QUIET);
        for _ in 0..200 {
            let wrong = server.request(Method::GET, "/movie").bearer_auth("rsh_made-up");
            assert_eq!(Answer::of(wrong).await.status, 401);
        }
        let log = server.end().expect(0).err;
        let line = "request.authenticate; -; token; -; token unknown, revoked or expired";
        assert_eq!(refused(&log).get(line), Some(&200));
        let lines = lines(&log).into_iter().filter(|line| line["outcome"] == "refused").count();
        assert!(lines < 100, "a line a minute: {lines}");
    }
}

/// Runs a command on a database with only the audit log on standard error.
fn console(database: &TestDatabase, arguments: &[&str], input: &str) -> Done {
    let environment = [QUIET[0], QUIET[1], ("REELSHELF_DATABASE", &database.address)];
    run_with_input(arguments, &environment, input.as_bytes()).expect(0)
}

on_both! {
    async fn the_administrators_commands_leave_their_lines(database: TestDatabase) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("films.backup").display().to_string();
        let password = format!("{NEW}\n");
        let migrated = done(&console(&database, &["migrate"], "").err);
        assert_eq!(migrated.len(), 1, "{migrated:?}");
        assert!(migrated[0].starts_with("database.migrated; console; console; 0001_movies, 0002_users, "), "{migrated:?}");
        for (arguments, input, expected) in [
            (&["migrate"][..], "", None),
            (&["user", "add", "olivia", "--role", "owner", "--password-stdin"], &*password, Some(
                "user.added; console; console; user olivia; role owner")),
            (&["user", "add", "vera", "--password-stdin"], &password, Some(
                "user.added; console; console; user vera; role viewer")),
            (&["user", "list"], "", None),
            (&["user", "role", "vera", "editor"], "", Some(
                "user.role_changed; console; console; user vera; from viewer to editor")),
            (&["user", "passwd", "vera", "--password-stdin"], &password, Some(
                "user.password_changed; console; console; user vera; -")),
            (&["token", "create", "vera", "laptop"], "", Some(
                "token.made; console; console; token 1 of vera; role editor, expires never")),
            (&["token", "list", "vera"], "", None),
            (&["token", "revoke", "vera", "1"], "", Some(
                "token.revoked; console; console; token 1 of vera; -")),
            (&["session", "list", "vera"], "", None),
            (&["session", "end", "vera", "--all"], "", Some("session.all_ended; console; console; user vera; -")),
            (&["token", "revoke", "vera", "--all"], "", Some("token.all_revoked; console; console; user vera; -")),
            (&["history", "prune", "--before", "2020-01-01"], "", Some(
                "history.pruned; console; console; changes before 2020-01-01T00:00:00.000Z; 0 changes")),
            (&["user", "remove", "vera"], "", Some("user.removed; console; console; user vera; role editor")),
            (&["backup", &file], "", Some(&format!("backup.made; console; console; {file}; 0 movies"))),
        ] {
            let log = console(&database, arguments, input).err;
            assert_eq!(done(&log), expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{arguments:?}");
            assert!(!log.contains(NEW), "{log}");
        }
        let restored = done(&console(&database, &["restore", &file, "--replace"], "").err);
        let [restored] = &restored[..] else { panic!("{restored:?}") };
        assert!(restored.starts_with(&format!("backup.restored; console; console; {file}; made 20")), "{restored}");
    }
}

on_both! {
    async fn a_token_named_like_a_field_stays_a_name(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let name = "x\" user=\"vera";
        let environment = [("REELSHELF_DATABASE", &*database.address)];
        let made = run_with(&["token", "create", "olivia", name], &environment).expect(0).out;
        let server = Program::start_with(&database, &[], &[("RUST_LOG", "audit=off,off")]);
        let new = json!({"name": "laptop"});
        let made = server.request(Method::POST, "/token").bearer_auth(made.trim_end()).json(&new);
        assert_eq!(Answer::of(made).await.status, 201);
        let log = server.end().expect(0).err;
        for field in ["event=\"service.started\" outcome=\"success\" via=\"service\"", "tls no, database "] {
            assert!(log.contains(field), "{field}: {log}");
        }
        let line = log.lines().find(|line| line.contains("token.made")).expect("a line");
        assert!(line.contains(r#"user="olivia" via="token x\" user=\"vera" address="#), "{line}");
    }
}

on_both! {
    async fn the_sessions_that_a_sign_in_ends_have_lines_of_their_own(database: TestDatabase) {
        for name in ["olivia", "vera"] {
            add_user(&database, name, "owner");
        }
        let server = Program::start_with(&database, &[], &QUIET);
        let first = Browser::of(&server, &sign_in(&server, "olivia", PASSWORD, 200).await);
        let replaced = first.sessions().await[0];
        let body = json!({"name": "vera", "password": PASSWORD});
        let of_vera = Browser::of(&server, &first.send(Method::POST, "/login", body, 200).await);
        let of_vera = of_vera.sessions().await[0];
        let mut latest = Vec::new();
        for _ in 0..=MAX_SESSIONS_PER_USER {
            latest.push(sign_in(&server, "olivia", PASSWORD, 200).await);
        }
        let latest = Browser::of(&server, latest.last().expect("an answer")).sessions().await[0];

        let done = done(&server.end().expect(0).err);
        let begun = format!("user.sign_in; vera; password; session {of_vera} of vera; -");
        let place = done.iter().position(|line| *line == begun).expect("a line");
        assert_eq!(done[place - 1], format!("session.ended; vera; password; session {replaced} of olivia; -"));
        let [.., ended, begun, _] = &done[..] else { panic!("{done:?}") };
        assert_eq!(*begun, format!("user.sign_in; olivia; password; session {latest} of olivia; -"));
        assert!(ended.starts_with("session.ended; olivia; password; session "), "the oldest of too many: {ended}");
        assert_eq!(done.iter().filter(|line| line.starts_with("session.ended")).count(), 2, "{done:?}");
    }
}

#[test]
fn every_operation_that_changes_something_is_audited_or_in_the_history() {
    let audited = [
        "POST /login",
        "POST /logout",
        "POST /setup",
        "PATCH /me",
        "DELETE /session/{id}",
        "POST /token",
        "DELETE /token/{id}",
        "POST /user",
        "PATCH /user/{name}",
        "DELETE /user/{name}",
        "DELETE /user/{name}/session/{id}",
        "DELETE /user/{name}/token/{id}",
    ];
    let in_the_history = [
        "POST /movie",
        "PATCH /movie/{id}",
        "DELETE /movie/{id}",
        "POST /movie/batch",
        "POST /history/{change}/undo",
    ];
    let known: BTreeSet<String> = audited.into_iter().chain(in_the_history).map(str::to_owned).collect();
    assert_eq!(
        writing_operations(),
        known,
        "a new operation is audited, and tested above, or writes the history"
    );
}
