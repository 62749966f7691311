//! `reelshelf token`: API tokens, administered on the database itself.

use reqwest::Method;

use super::{add_user, status_with, token};
use crate::{
    on_both,
    support::{
        Answer,
        program::{Program, run},
    },
};

on_both! {
    async fn a_token_is_shown_once_and_alone_on_standard_output(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let made = run(&database, &["token", "create", "olivia", "laptop"], "").expect(0);
        assert_eq!(made.said(), "Created token 1 of olivia, as owner; it is shown only now.\n");
        let token = made.out.strip_suffix('\n').expect("one line");
        assert!(
            token.starts_with("rsh_") && token.len() >= 40 && !token.contains(char::is_whitespace),
            "{token}"
        );

        let ends = [
            "token",
            "create",
            "olivia",
            "a b",
            "--role",
            "viewer",
            "--expires",
            "2999-01-01T01:00:00+01:00",
        ];
        let second = run(&database, &ends, "").expect(0);
        assert_eq!(second.said(), "Created token 2 of olivia, as viewer; it is shown only now.\n");
        assert_ne!(second.out, made.out);
        let list = run(&database, &["token", "list", "olivia"], "").expect(0);
        assert_eq!(list.out, "1\tlaptop\towner\tnever\n2\ta b\tviewer\t2999-01-01T00:00:00.000Z\n");
        assert_eq!(list.err, "");
        let unnamed = run(&database, &["token", "list"], "").expect(2);
        assert!(unnamed.err.contains("name the user; only a server knows who you are"), "{unnamed:?}");

        let server = Program::start(&database);
        assert_eq!(status_with(&server, token).await, 200);
        let narrowed = second.out.trim_end();
        let me = Answer::of(server.request(Method::GET, "/me").bearer_auth(narrowed)).await;
        assert_eq!(me.json()["role"], "viewer");
    }
}

on_both! {
    async fn tokens_are_made_and_revoked_beside_a_server(database: TestDatabase) {
        let server = Program::start(&database);
        add_user(&database, "olivia", "owner");
        let (first, second) = (token(&database, "olivia"), token(&database, "olivia"));
        assert_eq!((status_with(&server, &first).await, status_with(&server, &second).await), (200, 200));
        let revoked = run(&database, &["token", "revoke", "Olivia", "1"], "").expect(0);
        assert_eq!((revoked.out.as_str(), revoked.said().as_str()), ("", "Revoked token 1 of Olivia.\n"));
        assert_eq!((status_with(&server, &first).await, status_with(&server, &second).await), (401, 200));
        assert_eq!(run(&database, &["token", "list", "olivia"], "").expect(0).out, "2\ttest\towner\tnever\n");
    }
}

on_both! {
    async fn what_cannot_be_done_is_refused_with_the_reason(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        add_user(&database, "vera", "viewer");
        token(&database, "olivia");
        for (arguments, words) in [
            (&["create", "nobody", "laptop"][..], "there is no user nobody"),
            (&["create", "vera", "laptop", "--role", "editor"], "role must not be more than viewer"),
            (&["create", "vera", "laptop", "--expires", "2001-01-01T00:00:00Z"], "must lie in the future"),
            (&["list", "nobody"], "there is no user nobody"),
            (&["revoke", "olivia", "2"], "there is no token 2"),
            (&["revoke", "vera", "1"], "there is no token 1"),
            (&["revoke", "nobody", "1"], "there is no user nobody"),
        ] {
            run(&database, &[&["token"], arguments].concat(), "").refused(words);
        }
        for arguments in [
            &["create", "olivia"][..],
            &["create", "olivia", ""],
            &["create", "olivia", "a\tb"],
            &["create", "olivia", "laptop", "--role", "king"],
            &["create", "olivia", "laptop", "--expires", "tomorrow"],
            &["revoke", "olivia", "one"],
            &["revoke", "olivia"],
        ] {
            run(&database, &[&["token"], arguments].concat(), "").expect(2);
        }
        assert_eq!(run(&database, &["token", "list", "olivia"], "").expect(0).out, "1\ttest\towner\tnever\n");
        assert_eq!(run(&database, &["token", "list", "vera"], "").expect(0).out, "");
    }
}
