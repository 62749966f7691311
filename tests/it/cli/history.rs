//! `reelshelf history prune` on a database.

use reqwest::Method;
use serde_json::json;

use super::{add_user, token};
use crate::{
    on_both,
    support::{
        Answer, movie,
        program::{Program, run},
    },
};

on_both! {
    async fn old_changes_are_pruned_beside_a_server_and_counted(database: TestDatabase) {
        let server = Program::start(&database);
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let send = |method, path: &str| server.request(method, path).bearer_auth(&token);
        let heat = movie("Heat", "DVD", 170, 1995, 5);
        assert_eq!(Answer::of(send(Method::POST, "/movie").json(&heat)).await.status, 201);
        let changed = Answer::of(send(Method::PATCH, "/movie/1").json(&json!({"rating": 4}))).await;
        assert_eq!(changed.status, 200);

        let prune = |before| run(&database, &["history", "prune", "--before", before], "");
        assert_eq!(prune("2020-01-31").expect(0).said(), "Removed 0 changes.\n");
        let history = Answer::of(send(Method::GET, "/history")).await.json();
        assert_eq!(history.as_array().map(Vec::len), Some(2), "{history}");
        assert_eq!(prune("2999-01-01T00:00:00+01:00").expect(0).said(), "Removed 2 changes.\n");
        assert_eq!(Answer::of(send(Method::GET, "/history")).await.json(), json!([]));
        assert_eq!(Answer::of(send(Method::POST, "/history/2/undo")).await.status, 404);
        assert_eq!(Answer::of(send(Method::GET, "/movie/1")).await.json(), changed.json());

        for bad in ["", "yesterday", "2026-02-30", "2026"] {
            let refused = prune(bad).expect(2);
            assert!(refused.err.contains("--before"), "{}", refused.err);
        }
    }
}
