//! API tokens: shown once, stored as a hash, narrowed, expiring, revoked.

use reelshelf::{domain::Role, http::Settings, service::auth::Secret};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, PASSWORD, Service, movie, program::run, signing_in::secret},
};

/// A moment so many milliseconds after the beginning of each test, below a minute.
fn after(millis: u32) -> String {
    let millis = millis + 123;
    format!("2026-11-23T20:15:{:02}.{:03}Z", millis / 1000, millis % 1000)
}

/// Asks for a token by means of another one.
async fn ask(service: &Service, token: &str, new: &Value) -> Answer {
    Answer::of(service.request_as(token, Method::POST, "/token").json(new)).await
}

fn revoke(service: &Service, token: &str, id: &Value) -> RequestBuilder {
    service.request_as(token, Method::DELETE, &format!("/token/{id}"))
}

on_both! {
    async fn a_token_is_made_used_listed_and_revoked(service: &Service) {
        let other = service.another_instance(Settings::default()).await;
        let made = ask(service, &service.editor, &json!({"name": " laptop "})).await;
        assert_eq!((made.status, made.header("cache-control")), (201, "no-store"));
        let mut shown = made.json();
        let token = secret(&shown).to_owned();
        let random = token.strip_prefix("rsh_").expect("a token is recognised by its beginning");
        assert_eq!(random.len(), 43, "256 bits in base64url");
        let id = shown["id"].clone();
        let listed = json!({
            "id": id, "name": "laptop", "role": "editor", "createdAt": after(0), "expiresAt": null,
        });
        shown.as_object_mut().expect("an object").remove("token");
        assert_eq!(shown, listed);
        let list = Answer::of(service.request_as(&service.editor, Method::GET, "/token")).await;
        assert_eq!(list.json().as_array().expect("a list").last(), Some(&listed));
        assert!(!list.text.contains("rsh_"), "{list:?}");
        for service in [service, &other] {
            assert_eq!(service.me_as(&token).await.json(), json!({"name": "editor", "role": "editor"}));
        }
        assert_eq!(Answer::of(revoke(service, &service.editor, &id)).await.status, 204);
        for service in [service, &other] {
            service.me_as(&token).await.problem(401);
        }
        Answer::of(revoke(service, &service.editor, &id)).await.problem(404);
        assert_eq!(service.me_as(&service.editor).await.status, 200, "the others stay");
    }
}

on_both! {
    async fn no_two_tokens_are_alike(service: &Service) {
        let mut secrets = Vec::new();
        for _ in 0..10 {
            secrets
                .push(secret(&service.token_as(&service.viewer, &json!({"name": "same"})).await).to_owned());
        }
        secrets.sort();
        secrets.dedup();
        assert_eq!(secrets.len(), 10);
    }
}

on_both! {
    async fn a_token_is_stored_only_as_a_hash(service: &Service) {
        let made = service.token_as(&service.owner, &json!({"name": "a name to be found"})).await;
        let token = secret(&made);
        let stored = service.database.dump().await;
        assert!(stored.contains("a name to be found"));
        assert!(stored.contains(&Secret::presented(token).hash()));
        assert!(!stored.contains(&token[4..]));
        assert!(!stored.contains("rsh_"));
    }
}

on_both! {
    async fn a_token_has_a_name_of_1_to_50_characters(service: &Service) {
        for (name, valid) in [
            (json!(""), false),
            (json!(" \u{2003}\t"), false),
            (json!("x"), true),
            (json!("x".repeat(50)), true),
            (json!("x".repeat(51)), false),
            (json!(format!(" {} ", "x".repeat(50))), true),
            (json!("😀".repeat(50)), true),
            (json!("😀".repeat(51)), false),
            (json!("e\u{301}".repeat(50)), true), // 100 characters that NFC makes into 50
            (json!("e\u{301}".repeat(51)), false),
            (json!("the kitchen's radio: <b>\"1\"</b>"), true),
            (json!("a\0b"), false),
            (json!("a\nb"), false),
            (json!(null), false),
            (json!(7), false),
        ] {
            let answer = service.post("/token", &json!({"name": name})).await;
            if valid {
                assert_eq!(answer.status, 201, "{name}: {answer:?}");
            } else {
                assert_eq!(answer.places(422), ["/name"], "{name}");
            }
        }
    }
}

on_both! {
    async fn every_violation_is_named_with_its_pointer(service: &Service) {
        for (body, places) in [
            (json!({}), &["/name"][..]),
            (json!({"name": "", "role": "boss", "expiresAt": "tomorrow"}), &["/expiresAt", "/name", "/role"]),
            (json!({"name": "x", "role": null}), &["/role"]),
            (json!({"name": "x", "role": "Viewer"}), &["/role"]),
            (json!({"name": "x", "token": "rsh_mine", "userId": 1}), &["/token", "/userId"]),
            (json!({"name": "x", "expiresAt": 1_795_464_960}), &["/expiresAt"]),
            (json!({"name": "x", "expiresAt": "2026-11-24"}), &["/expiresAt"]),
            (json!({"name": "x", "expiresAt": "2026-11-24T20:15:00"}), &["/expiresAt"]),
            (json!({"name": "x", "expiresAt": "2026-13-24T20:15:00Z"}), &["/expiresAt"]),
            (json!({"name": "x", "expiresAt": after(0)}), &["/expiresAt"]), // it must lie in the future
            (json!({"name": "x", "expiresAt": "1970-01-01T00:00:00Z"}), &["/expiresAt"]),
            (json!([]), &[""]),
        ] {
            assert_eq!(service.post("/token", &body).await.places(422), places, "{body}");
        }
        assert_eq!(service.get("/token").await.json().as_array().map(Vec::len), Some(1));
    }
}

on_both! {
    async fn a_token_that_expires_is_good_until_then(service: &Service) {
        let new = json!({"name": "for a while", "expiresAt": after(1000)});
        let made = service.token_as(&service.owner, &new).await;
        assert_eq!(made["expiresAt"], after(1000));
        let elsewhere = json!({"name": "x", "expiresAt": "2026-11-23T21:15:01.123+01:00"});
        assert_eq!(service.token_as(&service.owner, &elsewhere).await["expiresAt"], after(1000));
        let unending = json!({"name": "x", "expiresAt": null});
        assert_eq!(service.token_as(&service.owner, &unending).await["expiresAt"], Value::Null);
        service.pass_millis(999);
        assert_eq!(service.me_as(secret(&made)).await.status, 200);
        service.pass_millis(1);
        service.me_as(secret(&made)).await.problem(401);
        let unknown = service.me_as("rsh_unknown").await;
        assert_eq!(service.me_as(secret(&made)).await.text, unknown.text, "nobody learns that it was one");
    }
}

on_both! {
    async fn a_token_allows_no_more_than_who_makes_it_may(service: &Service) {
        let roles = ["viewer", "editor", "owner"];
        for (most, token) in [&service.viewer, &service.editor, &service.owner].into_iter().enumerate() {
            for (wanted, role) in roles.iter().enumerate() {
                let answer = ask(service, token, &json!({"name": "x", "role": role})).await;
                if wanted <= most {
                    let made = answer.json();
                    assert_eq!((answer.status, &made["role"]), (201, &json!(role)), "{answer:?}");
                    assert_eq!(
                        service.me_as(secret(&made)).await.json(),
                        json!({"name": roles[most], "role": role})
                    );
                } else {
                    assert_eq!(answer.places(422), ["/role"], "{}: {role}", roles[most]);
                }
            }
        }
    }
}

on_both! {
    async fn a_narrowed_token_gains_nothing_more(service: &Service) {
        let narrowed = service.token_as(&service.owner, &json!({"name": "reader", "role": "viewer"})).await;
        let (token, id) = (secret(&narrowed), &narrowed["id"]);
        let other = service.token_as(&service.owner, &json!({"name": "other"})).await;
        let session = service.session_of("owner").await;
        let sessions = service.get("/session").await.json();
        let end = format!("/session/{}", sessions[0]["id"]);
        let own = json!({"presentPassword": PASSWORD, "password": "another shelf full of tapes"});
        let to = |method: Method, path: &str| service.request_as(token, method, path);
        for request in [
            to(Method::POST, "/movie").json(&movie("Heat", "DVD", 170, 1995, 5)),
            to(Method::GET, "/user"),
            to(Method::PATCH, "/user/viewer").json(&json!({"role": "owner"})),
            to(Method::POST, "/token").json(&json!({"name": "x"})),
            to(Method::POST, "/token").json(&json!({"name": "x", "role": "viewer"})),
            to(Method::POST, "/token").json(&json!({"name": "x", "role": "owner"})),
            to(Method::PATCH, "/me").json(&own),
            to(Method::DELETE, &end),
            revoke(service, token, &other["id"]),
        ] {
            Answer::of(request).await.problem(403);
        }
        for (still, answer) in [
            ("reads", Answer::of(to(Method::GET, "/movie")).await),
            ("the session", service.me_in(&session).await),
            ("the other token", service.me_as(secret(&other)).await),
            ("the password", service.me_with("owner", PASSWORD).await),
        ] {
            assert_eq!(answer.status, 200, "{still}: {answer:?}");
        }
        assert_eq!(Answer::of(revoke(service, token, id)).await.status, 204, "it may revoke itself");
        service.me_as(token).await.problem(401);
    }
}

on_both! {
    async fn a_token_never_allows_more_than_its_users_role_at_that_moment(service: &Service) {
        let tokens = [
            (service.editor.clone(), ["viewer", "editor", "editor"]),
            (
                secret(&service.token_as(&service.editor, &json!({"name": "x", "role": "viewer"})).await)
                    .to_owned(),
                ["viewer"; 3],
            ),
        ];
        for (n, role) in ["viewer", "editor", "owner"].into_iter().enumerate() {
            assert_eq!(service.patch("/user/editor", &json!({"role": role})).await.status, 200);
            for (token, roles) in &tokens {
                assert_eq!(service.me_as(token).await.json()["role"], roles[n], "the user is {role}");
            }
        }
        // The token of an editor who is an owner by now is a narrowed one.
        let answer = ask(service, &service.editor, &json!({"name": "x", "role": "owner"})).await;
        answer.problem(403);
    }
}

on_both! {
    async fn what_an_expiring_token_makes_does_not_outlive_it(service: &Service) {
        let new = json!({"name": "for a while", "expiresAt": after(10_000)});
        let parent = service.token_as(&service.editor, &new).await;
        for (expires_at, allowed) in [
            (None, false),
            (Some(Value::Null), false),
            (Some(json!(after(10_001))), false),
            (Some(json!("9999-12-31T23:59:59Z")), false),
            (Some(json!(after(10_000))), true),
            (Some(json!(after(5000))), true),
        ] {
            let mut new = json!({"name": "child"});
            if let Some(expires_at) = &expires_at {
                new["expiresAt"] = expires_at.clone();
            }
            let answer = ask(service, secret(&parent), &new).await;
            if !allowed {
                assert_eq!(answer.places(422), ["/expiresAt"], "{new}");
                continue;
            }
            assert_eq!(answer.status, 201, "{answer:?}");
            let grandchild = ask(service, secret(&answer.json()), &json!({"name": "grandchild"})).await;
            assert_eq!(grandchild.places(422), ["/expiresAt"]);
        }
    }
}

on_both! {
    async fn nobody_sees_or_revokes_the_tokens_of_others(service: &Service) {
        let made = service.token_as(&service.viewer, &json!({"name": "the viewer's own"})).await;
        for other in [&service.editor, &service.owner] {
            let list = Answer::of(service.request_as(other, Method::GET, "/token")).await;
            assert_eq!(list.json().as_array().map(Vec::len), Some(1), "{list:?}");
            assert!(!list.text.contains("the viewer's own"), "{list:?}");
            let answer = Answer::of(revoke(service, other, &made["id"])).await;
            let nothing = Answer::of(revoke(service, other, &json!(99))).await;
            let detail = answer.problem(404)["detail"]
                .as_str()
                .expect("a detail")
                .replace(&made["id"].to_string(), "99");
            assert_eq!(nothing.problem(404)["detail"], detail, "as if it were not there");
        }
        assert_eq!(service.me_as(secret(&made)).await.status, 200);
        for nothing in ["0", "-1", "+1", "x", "1.0", "9223372036854775808", "%D9%A1"] {
            service.delete(&format!("/token/{nothing}")).await.problem(404);
        }
    }
}

on_both! {
    async fn a_removed_users_tokens_are_gone_for_good(service: &Service) {
        assert_eq!(service.delete("/user/editor").await.status, 204);
        service.me_as(&service.editor).await.problem(401);
        let again = json!({"name": "editor", "role": "owner", "password": PASSWORD});
        assert_eq!(service.post("/user", &again).await.status, 201);
        service.me_as(&service.editor).await.problem(401);
    }
}

on_both! {
    async fn a_narrowed_token_stays_one_when_its_user_is_lowered_to_its_role(service: &Service) {
        let token = service.add_user("olga", Role::Owner).await;
        let narrowed = service.token_as(&token, &json!({"name": "reader", "role": "viewer"})).await;
        let whole = service.token_as(&token, &json!({"name": "all", "role": "owner"})).await;
        assert_eq!(service.patch("/user/olga", &json!({"role": "viewer"})).await.status, 200);
        let new = json!({"name": "another"});
        ask(service, secret(&narrowed), &new).await.problem(403);
        assert_eq!(ask(service, secret(&whole), &new).await.status, 201, "it was made for all that she may");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("backup");
        let file = file.to_str().expect("text");
        run(&service.database, &["backup", file], "").expect(0);
        run(&service.database, &["restore", "--replace", file], "").expect(0);
        ask(service, secret(&narrowed), &new).await.problem(403);
        assert_eq!(ask(service, secret(&whole), &new).await.status, 201);
    }
}

on_both! {
    async fn a_user_has_200_tokens_at_the_most(service: &Service) {
        let new = json!({"name": "one more"});
        for _ in 1..200 {
            assert_eq!(ask(service, &service.viewer, &new).await.status, 201);
        }
        let refused = ask(service, &service.viewer, &new).await.problem(409);
        assert!(refused["detail"].as_str().expect("words").contains("revoke one first"), "{refused}");
        assert_eq!(ask(service, &service.editor, &new).await.status, 201, "another user");
        let tokens = Answer::of(service.request_as(&service.viewer, Method::GET, "/token")).await.json();
        let revoke = format!("/token/{}", tokens[199]["id"]);
        assert_eq!(Answer::of(service.request_as(&service.viewer, Method::DELETE, &revoke)).await.status, 204);
        assert_eq!(ask(service, &service.viewer, &new).await.status, 201);
    }
}
