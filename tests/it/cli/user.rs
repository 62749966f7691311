//! `reelshelf user`: users, administered on the database itself.

use reelshelf::domain::Time;
use reqwest::Method;
use serde_json::json;

use super::{add_user, status_as, status_with, token};
use crate::{
    on_both,
    support::{
        Answer, PASSWORD, TestDatabase,
        program::{Program, run, run_with, run_with_input},
    },
};

const OTHER: &str = "one more shelf of tapes";

/// Checks the names and roles that `user list` prints.
#[track_caller]
fn has(database: &TestDatabase, users: &[(&str, &str)]) {
    let done = run(database, &["user", "list"], "").expect(0);
    assert_eq!(done.err, "");
    let listed: Vec<Vec<_>> = done.out.lines().map(|line| line.split('\t').collect()).collect();
    let names: Vec<_> = listed.iter().map(|columns| (columns[0], columns[1])).collect();
    assert_eq!(names, users);
    for columns in &listed {
        assert!(columns.len() == 3 && Time::parse(columns[2]).is_ok(), "{columns:?}");
    }
}

on_both! {
    async fn users_are_administered_without_a_server(database: TestDatabase) {
        run(&database, &["migrate"], "").expect(0);
        has(&database, &[]);
        for (arguments, input, said, users) in [
            (
                &["add", "olivia", "--role", "owner", "--password-stdin"][..],
                PASSWORD,
                "Added olivia as owner.\n",
                &[("olivia", "owner")][..],
            ),
            (
                &["add", "Évan", "--password-stdin"],
                "a shelf full of tapes\r\n",
                "Added Évan as viewer.\n",
                &[("Évan", "viewer"), ("olivia", "owner")],
            ),
            (
                &["role", "EVAN", "editor"],
                "",
                "EVAN now has the role editor.\n",
                &[("Évan", "editor"), ("olivia", "owner")],
            ),
            (
                &["passwd", "evan", "--password-stdin"],
                OTHER,
                "evan has a new password.\n",
                &[("Évan", "editor"), ("olivia", "owner")],
            ),
            (&["remove", "évan"], "", "Removed évan.\n", &[("olivia", "owner")]),
        ] {
            let done = run(&database, &[&["user"], arguments].concat(), input).expect(0);
            assert_eq!((done.out.as_str(), done.err.lines().last()), ("", said.lines().last()), "{done:?}");
            has(&database, users);
        }
    }
}

on_both! {
    async fn what_is_done_beside_a_server_counts_at_once(database: TestDatabase) {
        let server = Program::start(&database);
        add_user(&database, "olivia", "owner");
        assert_eq!(status_as(&server, "olivia", PASSWORD).await, 200);

        let session = async |password: &str| {
            let body = json!({"name": "olivia", "password": password});
            let answer = Answer::of(server.request(Method::POST, "/login").json(&body)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
        };
        let me = async |cookie: &str| {
            Answer::of(server.request(Method::GET, "/me").header("cookie", cookie)).await
        };
        let before = session(PASSWORD).await;
        assert_eq!(me(&before).await.json()["role"], "owner");
        run(&database, &["user", "passwd", "olivia", "--password-stdin"], OTHER).expect(0);
        me(&before).await.problem(401);
        assert_eq!(status_as(&server, "olivia", PASSWORD).await, 401);
        assert_eq!(status_as(&server, "olivia", OTHER).await, 200);

        let before = session(OTHER).await;
        add_user(&database, "pete", "owner");
        run(&database, &["user", "role", "olivia", "viewer"], "").expect(0);
        me(&before).await.problem(401);
        let after = session(OTHER).await;
        assert_eq!(me(&after).await.json()["role"], "viewer");
        run(&database, &["user", "remove", "olivia"], "").expect(0);
        me(&after).await.problem(401);
        assert_eq!(status_as(&server, "olivia", OTHER).await, 401);
        assert_eq!(status_as(&server, "pete", PASSWORD).await, 200);
    }
}

on_both! {
    async fn the_last_owner_stays(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        add_user(&database, "evan", "editor");
        for command in [&["user", "remove", "olivia"][..], &["user", "role", "olivia", "editor"]] {
            run(&database, command, "").refused("olivia is the last owner");
        }
        has(&database, &[("evan", "editor"), ("olivia", "owner")]);
        run(&database, &["user", "role", "evan", "owner"], "").expect(0);
        run(&database, &["user", "remove", "olivia"], "").expect(0);
        run(&database, &["user", "remove", "evan"], "").refused("evan is the last owner");
        has(&database, &[("evan", "owner")]);
    }
}

on_both! {
    async fn what_cannot_be_done_is_refused_with_the_reason(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let long = "x".repeat(257);
        for (arguments, input, words) in [
            (&["add", "OLIVIA", "--password-stdin"][..], PASSWORD, "a user OLIVIA exists already"),
            (&["add", "evan", "--password-stdin"], "", "must have at least 10 characters, got 0"),
            (&["add", "evan", "--password-stdin"], "short", "must have at least 10 characters, got 5"),
            (&["add", "evan", "--password-stdin"], &long, "must have at most 256 characters, got 257"),
            (&["add", "evan", "--password-stdin"], "password123\n", "is one of the common passwords"),
            (&["add", "evan"], PASSWORD, "--password-stdin"),
            (&["passwd", "olivia"], OTHER, "--password-stdin"),
            (&["passwd", "olivia", "--password-stdin"], "qwertyuiop", "is one of the common passwords"),
            (&["passwd", "nobody", "--password-stdin"], OTHER, "there is no user nobody"),
            (&["role", "nobody", "owner"], "", "there is no user nobody"),
            (&["remove", "nobody"], "", "there is no user nobody"),
        ] {
            run(&database, &[&["user"], arguments].concat(), input).refused(words);
        }
        has(&database, &[("olivia", "owner")]);
        let server = Program::start(&database);
        assert_eq!(status_as(&server, "olivia", PASSWORD).await, 200);
    }
}

on_both! {
    async fn passwords_are_neither_arguments_nor_repeated(database: TestDatabase) {
        let done =
            run(&database, &["user", "add", "olivia", "--password-stdin", "--role", "owner"], PASSWORD)
                .expect(0);
        let refused = run(&database, &["user", "add", "evan", "--password-stdin"], "hunter2").expect(1);
        for text in [done.out, done.err, refused.out, refused.err] {
            assert!(!text.contains(PASSWORD) && !text.contains("hunter2"), "{text}");
        }
        for command in [&["user", "add", "evan", OTHER][..], &["user", "add", "evan", "--password", OTHER]] {
            run(&database, command, "").expect(2);
        }
        has(&database, &[("olivia", "owner")]);
    }
}

#[test]
fn wrong_usage_is_told_from_a_refusal() {
    for arguments in [
        &[][..],
        &["user"],
        &["user", "frobnicate"],
        &["user", "add"],
        &["user", "add", "a b", "--password-stdin"],
        &["user", "add", "", "--password-stdin"],
        &["user", "add", "evan", "--role", "king", "--password-stdin"],
        &["user", "role", "evan"],
        &["user", "role", "evan", "Owner"],
        &["user", "remove", "evan", "pete"],
        &["user", "list", "--json5"],
        &["serve", "--listen", "nowhere"],
        &["--log-format", "xml", "user", "list"],
    ] {
        let done =
            run_with(arguments, &[("REELSHELF_DATABASE", "sqlite:/dev/null/never-opened.db")]).expect(2);
        assert_eq!(done.out, "", "{arguments:?}");
        assert!(done.err.contains("--help"), "{arguments:?}: {done:?}");
    }
}

on_both! {
    async fn users_tokens_and_sessions_are_managed_from_a_login(database: TestDatabase) {
        let server = Program::start(&database);
        add_user(&database, "olivia", "owner");
        let secret = token(&database, "olivia");
        let environment = [("REELSHELF_SERVER", &*server.base), ("REELSHELF_TOKEN", &*secret)];
        let at_server = |arguments: &[&str], input: &str| run_with_input(arguments, &environment, input.as_bytes());
        let added = at_server(&["user", "add", "Évan", "--role", "editor", "--password-stdin"], PASSWORD).expect(0);
        assert_eq!(added.err.lines().last(), Some("Added Évan as editor."));
        let here = run(&database, &["user", "list"], "").expect(0).out;
        assert_eq!(at_server(&["user", "ls"], "").expect(0).out, here);
        at_server(&["user", "passwd", "Évan", "--password-stdin"], OTHER).expect(0);
        assert_eq!(status_as(&server, "Évan", OTHER).await, 200);
        at_server(&["user", "role", "Évan", "viewer"], "").expect(0);
        at_server(&["user", "role", "nobody", "viewer"], "").refused("there is no user nobody");
        at_server(&["user", "remove", "olivia"], "").refused("olivia is the last owner");

        let evans = token(&database, "Évan");
        let listed = at_server(&["token", "list", "Évan"], "").expect(0).out;
        assert!(listed.contains("test\tviewer\tnever"), "{listed}");
        let id = listed.split('\t').next().expect("an id");
        at_server(&["token", "revoke", "Évan", id], "").expect(0);
        assert_eq!(status_with(&server, &evans).await, 401);
        let made = at_server(&["token", "create", "olivia", "script", "--role", "viewer", "--expires", "2100-01-01"], "").expect(0);
        assert_eq!(status_with(&server, made.out.trim_end()).await, 200);
        at_server(&["token", "create", "Évan", "script"], "").refused("use --database on its machine");
        at_server(&["token", "revoke", "olivia", "--all"], "").refused("`reelshelf logout`");
        let body = json!({"name": "Évan", "password": OTHER});
        assert_eq!(Answer::of(server.request(Method::POST, "/login").json(&body)).await.status, 200);
        assert_eq!(at_server(&["session", "list", "Évan"], "").expect(0).out.lines().count(), 1);
        assert_eq!(at_server(&["session", "list"], "").expect(0).out, "", "olivia has none");
        let own = run(&database, &["token", "list", "olivia"], "").expect(0).out;
        assert_eq!(at_server(&["token", "list"], "").expect(0).out, own);
        at_server(&["session", "end", "Évan", "--all"], "").expect(0);
        assert_eq!(at_server(&["session", "list", "Évan"], "").expect(0).out, "");
        at_server(&["user", "remove", "Évan"], "").expect(0);
        assert_eq!(status_as(&server, "Évan", OTHER).await, 401);
    }
}

on_both! {
    async fn a_database_comes_before_a_server_and_an_option_before_a_variable(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let nowhere = ("REELSHELF_SERVER", "http://127.0.0.1:1");
        let (token, here) = (("REELSHELF_TOKEN", "rsh_x"), ("REELSHELF_DATABASE", &*database.address));
        let list = |options: &[&str], environment: &[(&str, &str)]| run_with(&[&["user", "list"], options].concat(), environment);
        assert!(list(&[], &[nowhere, token, here]).expect(0).out.contains("olivia"));
        assert!(list(&["--database", &database.address], &[nowhere, token]).expect(0).out.contains("olivia"));
        list(&[], &[nowhere, token]).refused("nothing listens at http://127.0.0.1:1");
        list(&["--server", "http://127.0.0.1:2"], &[here, token]).refused("nothing listens at http://127.0.0.1:2");
        let both = list(&["--server", "http://127.0.0.1:1", "--database", &database.address], &[token]).expect(2);
        assert!(both.err.contains("cannot be used with --server"), "{both:?}");
    }
}
