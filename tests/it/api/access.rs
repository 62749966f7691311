//! Owners list and revoke sessions and tokens of other users.

use reelshelf::domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, PASSWORD, Service, signing_in::secret},
};

const NEW: &str = "one more shelf of tapes";

/// Returns the list at a path.
async fn listed(service: &Service, path: &str) -> Vec<Value> {
    let answer = service.get(path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json().as_array().expect("a list").clone()
}

on_both! {
    async fn owners_see_and_end_the_sessions_and_tokens_of_others(service: &Service) {
        let token = service.add_user("Zoë", Role::Editor).await;
        let made = service.token_as(&token, &json!({"name": "laptop", "role": "viewer"})).await;
        let first = service.session_of("Zoë").await;
        service.pass_millis(1000);
        let second = service.session_of("Zoë").await;

        let sessions = listed(service, "/user/zo%C3%AB/session").await;
        assert_eq!(sessions.len(), 2, "{sessions:?}");
        let own = Answer::of(service.request_in(&first, Method::GET, "/session")).await.json();
        for (seen, own) in sessions.iter().zip(own.as_array().expect("a list")) {
            for member in ["id", "address", "userAgent", "createdAt", "seenAt"] {
                assert_eq!(seen[member], own[member], "{member}");
            }
            assert_eq!(seen["current"], false, "none of them asks");
        }
        let end = |id: &Value| format!("/user/zoe/session/{id}");
        assert_eq!(service.delete(&end(&sessions[0]["id"])).await.status, 204);
        assert_eq!((service.me_in(&first).await.status, service.me_in(&second).await.status), (200, 401));
        service.delete(&end(&sessions[0]["id"])).await.problem(404);
        assert_eq!(listed(service, "/user/Zoë/session").await, sessions[1..]);

        let tokens = listed(service, "/user/zoe/token").await;
        let own = Answer::of(service.request_as(&token, Method::GET, "/token")).await.json();
        assert_eq!(Value::from(tokens.clone()), own);
        assert_eq!(tokens.len(), 2, "{tokens:?}");
        assert!(tokens.iter().all(|token| token.get("token").is_none()), "{tokens:?}");
        assert_eq!(service.delete(&format!("/user/zoe/token/{}", made["id"])).await.status, 204);
        assert_eq!(service.me_as(secret(&made)).await.status, 401);
        assert_eq!(service.me_as(&token).await.status, 200);
        assert_eq!(listed(service, "/user/zoe/token").await, tokens[..1]);
    }
}

on_both! {
    async fn an_owner_ends_ones_own_session_and_token_there_too(service: &Service) {
        let session = service.session_of("owner").await;
        let listed = Answer::of(service.request_in(&session, Method::GET, "/user/owner/session")).await.json();
        assert_eq!(listed[0]["current"], true, "{listed}");
        let end = format!("/user/OWNER/session/{}", listed[0]["id"]);
        assert_eq!(Answer::of(service.request_in(&session, Method::DELETE, &end)).await.status, 204);
        assert_eq!(service.me_in(&session).await.status, 401);
    }
}

on_both! {
    async fn what_is_not_that_users_is_not_found(service: &Service) {
        service.add_user("vera", Role::Viewer).await;
        let session = service.session_of("viewer").await;
        let sessions = listed(service, "/user/viewer/session").await;
        let (session_id, token_id) =
            (&sessions[0]["id"], &listed(service, "/user/viewer/token").await[0]["id"]);
        for path in [
            format!("/user/vera/session/{session_id}"),
            format!("/user/vera/token/{token_id}"),
            format!("/user/nobody/session/{session_id}"),
            format!("/user/nobody/token/{token_id}"),
            "/user/viewer/session/0".to_owned(),
            "/user/viewer/token/one".to_owned(),
            "/user/a%20b/token/1".to_owned(),
        ] {
            service.delete(&path).await.problem(404);
        }
        for path in ["/user/nobody/session", "/user/nobody/token", "/user/a%20b/session"] {
            service.get(path).await.problem(404);
        }
        assert_eq!(service.me_in(&session).await.status, 200);
        assert_eq!(service.me_as(&service.viewer).await.status, 200);
    }
}

on_both! {
    async fn a_new_password_revokes_tokens_if_asked_to(service: &Service) {
        let token = service.add_user("vera", Role::Viewer).await;
        let kept = json!({"password": NEW, "revokeTokens": false});
        assert_eq!(service.patch("/user/vera", &kept).await.status, 200);
        assert_eq!(service.me_as(&token).await.status, 200);
        let without = service.patch("/user/vera", &json!({"revokeTokens": true})).await;
        assert_eq!(without.places(422), ["/revokeTokens"]);
        assert_eq!(service.patch("/user/vera", &json!({"revokeTokens": false})).await.status, 200);
        for other in [json!("true"), json!(1), Value::Null] {
            let body = json!({"password": PASSWORD, "revokeTokens": other});
            assert_eq!(service.patch("/user/vera", &body).await.places(422), ["/revokeTokens"], "{body}");
        }
        assert_eq!(service.me_as(&token).await.status, 200);
        let revoked = json!({"password": PASSWORD, "revokeTokens": true});
        assert_eq!(service.patch("/user/vera", &revoked).await.status, 200);
        assert_eq!(service.me_as(&token).await.status, 401);
        assert_eq!(service.me_as(&service.viewer).await.status, 200, "nobody else's");
    }
}

on_both! {
    async fn a_new_password_of_ones_own_revokes_ones_tokens_if_asked_to(service: &Service) {
        let token = service.add_user("vera", Role::Viewer).await;
        let change = async |present: &str, new: &str, more: Value| {
            let mut body = json!({"presentPassword": present, "password": new});
            body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            let request = service.anonymous(Method::PATCH, "/me").basic_auth("vera", Some(present));
            Answer::of(request.json(&body)).await
        };
        assert_eq!(change(PASSWORD, NEW, json!({"revokeTokens": false})).await.status, 200);
        assert_eq!(change(NEW, PASSWORD, json!({"revokeTokens": "yes"})).await.places(422), ["/revokeTokens"]);
        assert_eq!(service.me_as(&token).await.status, 200);
        assert_eq!(change(NEW, PASSWORD, json!({"revokeTokens": true})).await.status, 200);
        assert_eq!(service.me_as(&token).await.status, 401);
        assert_eq!(service.me_with("vera", PASSWORD).await.status, 200);
    }
}
