//! `reelshelf session`: sessions, administered on the database itself.

use reqwest::Method;
use serde_json::json;

use super::{add_user, status_with, token};
use crate::{
    on_both,
    support::{
        Answer, PASSWORD,
        program::{Program, run},
    },
};

/// Begins a session; the cookie.
async fn session(server: &Program, name: &str, user_agent: &str) -> String {
    let login = server.request(Method::POST, "/login").header("user-agent", user_agent);
    let answer = Answer::of(login.json(&json!({"name": name, "password": PASSWORD}))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.cookie().to_owned()
}

async fn status_in(server: &Program, cookie: &str) -> u16 {
    Answer::of(server.request(Method::GET, "/me").header("cookie", cookie)).await.status
}

on_both! {
    async fn sessions_are_listed_and_ended_beside_a_server(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let server = Program::start(&database);
        let first = session(&server, "olivia", "first/1.0").await;
        let second = session(&server, "olivia", "second/2.0\ttab").await;
        let third = session(&server, "olivia", "third/3.0").await;
        let list = run(&database, &["session", "list", "Olivia"], "").expect(0).out;
        let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows.len(), 3, "{list}");
        assert!(rows.iter().all(|row| row.len() == 5 && row[1] == "127.0.0.1"), "{list}");
        let id = rows.iter().find(|row| row[4].starts_with("first/")).expect("the first")[0];

        let ended = run(&database, &["session", "end", "olivia", id], "").expect(0);
        assert_eq!(ended.said(), format!("Ended session {id} of olivia.\n"));
        assert_eq!((status_in(&server, &first).await, status_in(&server, &second).await), (401, 200));
        run(&database, &["session", "end", "olivia", id], "").refused("has no session");
        let all = run(&database, &["session", "end", "olivia", "--all"], "").expect(0);
        assert_eq!(all.said(), "Ended all sessions of olivia.\n");
        assert_eq!((status_in(&server, &second).await, status_in(&server, &third).await), (401, 401));
        assert_eq!(run(&database, &["session", "list", "olivia"], "").expect(0).out, "");
    }
}

on_both! {
    async fn all_tokens_are_revoked_by_themselves_or_with_a_new_password(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        add_user(&database, "vera", "viewer");
        let server = Program::start(&database);
        let tokens = [token(&database, "vera"), token(&database, "vera"), token(&database, "olivia")];
        let revoked = run(&database, &["token", "revoke", "vera", "--all"], "").expect(0);
        assert_eq!(revoked.said(), "Revoked all tokens of vera.\n");
        for (token, status) in tokens.iter().zip([401, 401, 200]) {
            assert_eq!(status_with(&server, token).await, status);
        }
        let tokens = [token(&database, "vera"), token(&database, "olivia")];
        let passwd = |more: &[&str]| {
            let arguments = [&["user", "passwd", "vera", "--password-stdin"], more].concat();
            run(&database, &arguments, &format!("{PASSWORD}\n")).expect(0).said()
        };
        assert_eq!(passwd(&[]), "vera has a new password.\n");
        assert_eq!(status_with(&server, &tokens[0]).await, 200, "tokens stay");
        assert_eq!(passwd(&["--revoke-tokens"]), "vera has a new password, and no tokens.\n");
        assert_eq!((status_with(&server, &tokens[0]).await, status_with(&server, &tokens[1]).await), (401, 200));
    }
}

on_both! {
    async fn what_is_no_session_is_refused_or_wrong_usage(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        for (arguments, words) in [
            (&["list", "nobody"][..], "there is no user nobody"),
            (&["end", "nobody", "1"], "there is no user nobody"),
            (&["end", "nobody", "--all"], "there is no user nobody"),
            (&["end", "olivia", "1"], "olivia has no session 1"),
        ] {
            run(&database, &[&["session"], arguments].concat(), "").refused(words);
        }
        for arguments in [
            &["session", "end", "olivia"][..],
            &["session", "end", "olivia", "1", "--all"],
            &["session", "end", "olivia", "one"],
            &["session", "list"],
            &["token", "revoke", "olivia"],
            &["token", "revoke", "olivia", "1", "--all"],
        ] {
            run(&database, arguments, "").expect(2);
        }
    }
}
