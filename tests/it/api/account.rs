//! One's own account: signing in, who one is, a new password.

use reelshelf::{
    db,
    documents::{NewToken, UserChanges},
    domain::{Role, TokenName, UserName},
    limits::MAX_SIGN_IN_BODY_BYTES,
    service::{
        AuthMethod, Error, IdempotencyKey, Owner, Viewer,
        audit::RequestContext,
        auth::{self, Browser},
        sessions, tokens, users,
    },
};
use reqwest::Method;
use serde_json::json;

use crate::{
    on_both,
    support::{Answer, PASSWORD, signing_in::secret},
};

const NEW: &str = "another shelf full of tapes";

on_both! {
    async fn signing_in_tells_who_one_is(service: &Service) {
        for name in ["owner", "OWNER", " öwner "] {
            let answer = service.log_in(name, PASSWORD).await;
            assert_eq!((answer.status, answer.json()), (200, json!({"name": "owner", "role": "owner"})));
            let me = service.me_in(answer.cookie()).await;
            assert_eq!((me.status, me.json()), (200, answer.json()), "{name}");
        }
    }
}

on_both! {
    async fn each_sign_in_begins_a_session_of_its_own(service: &Service) {
        let planted = "reelshelf_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let login = service.request_in(planted, Method::POST, "/login");
        let answer = Answer::of(login.json(&json!({"name": "owner", "password": PASSWORD}))).await;
        assert_ne!(answer.cookie(), planted);
        assert_eq!(service.me_in(answer.cookie()).await.status, 200);
        service.me_in(planted).await.problem(401);
    }
}

on_both! {
    async fn a_sign_in_that_is_none_is_refused(service: &Service) {
        for (body, places) in [
            (json!({}), &["/name", "/password"][..]),
            (json!({"name": "owner"}), &["/password"]),
            (json!({"name": 7, "password": null}), &["/name", "/password"]),
            (json!({"name": "owner", "password": PASSWORD, "remember": true}), &["/remember"]),
            (json!("owner"), &[""]),
        ] {
            let answer = Answer::of(service.anonymous(Method::POST, "/login").json(&body)).await;
            assert_eq!(answer.places(422), places, "{body}");
        }
        let send = |media_type: &str, body: String| {
            Answer::of(
                service.anonymous(Method::POST, "/login").header("content-type", media_type).body(body),
            )
        };
        send("application/json", "{".to_owned()).await.problem(400);
        send("application/json", format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20))).await.problem(413);
        send("text/plain", json!({"name": "owner", "password": PASSWORD}).to_string()).await.problem(415);
        let long = async |chars| service.log_in(&"n".repeat(chars), &"p".repeat(chars)).await;
        long(MAX_SIGN_IN_BODY_BYTES / 2 - 100).await.problem(401);
        long(MAX_SIGN_IN_BODY_BYTES / 2).await.problem(413);
    }
}

on_both! {
    async fn the_form_leads_on_within_the_service(service: &Service) {
        for (next, place) in [
            ("", "/"),
            ("%2Fmovie%3Fq%3Dheat", "/movie?q=heat"),
            ("https%3A%2F%2Fevil.example", "/"),
            ("%2F%2Fevil.example", "/"),
            ("%2F%5Cevil.example", "/"),
        ] {
            let form = format!("name=owner&password={}&next={next}", PASSWORD.replace(' ', "+"));
            let request = service.anonymous(Method::POST, "/login").body(form);
            let answer =
                Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await;
            assert_eq!((answer.status, answer.header("location")), (303, place), "{next}");
            assert_eq!(service.me_in(answer.cookie()).await.status, 200);
        }
    }
}

on_both! {
    async fn a_new_password_takes_the_present_one(service: &Service) {
        let missing = "/presentPassword";
        for (body, places) in [
            (json!({}), &["/password", missing][..]),
            (json!({"password": NEW}), &[missing]),
            (json!({"presentPassword": PASSWORD}), &["/password"]),
            (json!({"presentPassword": "wrong", "password": NEW}), &[missing]),
            (json!({"presentPassword": "", "password": NEW}), &[missing]),
            (json!({"presentPassword": NEW, "password": NEW}), &[missing]),
            (json!({"presentPassword": null, "password": NEW}), &[missing]),
            // Only who knows the present one is told of the rules of the new one.
            (json!({"presentPassword": "wrong", "password": "short"}), &[missing]),
            (json!({"presentPassword": PASSWORD, "password": "short"}), &["/password"]),
            (json!({"presentPassword": PASSWORD, "password": "editoreditor"}), &["/password"]),
            (json!({"presentPassword": PASSWORD, "password": NEW, "role": "owner"}), &["/role"]),
            (json!({"presentPassword": PASSWORD, "password": NEW, "name": "boss"}), &["/name"]),
            (json!([]), &[""]),
        ] {
            let request = service.request_as(&service.editor, Method::PATCH, "/me").json(&body);
            assert_eq!(Answer::of(request).await.places(422), places, "{body}");
        }
        assert_eq!(
            service.me_with("editor", PASSWORD).await.json(),
            json!({"name": "editor", "role": "editor"})
        );
        service.me_with("editor", NEW).await.problem(401);

        let change = json!({"presentPassword": PASSWORD, "password": NEW});
        let changed =
            Answer::of(service.request_as(&service.editor, Method::PATCH, "/me").json(&change)).await;
        assert_eq!((changed.status, changed.json()), (200, json!({"name": "editor", "role": "editor"})));
        service.me_with("editor", PASSWORD).await.problem(401);
        assert_eq!(service.me_with("editor", NEW).await.status, 200);
        assert_eq!(service.me_with("viewer", PASSWORD).await.status, 200, "nobody else's is changed");
        assert_eq!(service.me_as(&service.editor).await.status, 200, "tokens go on");
    }
}

on_both! {
    async fn of_new_passwords_set_at_once_with_the_same_present_one_only_one_counts(service: &Service) {
        assert_eq!(service.me_with("editor", PASSWORD).await.status, 200);
        let passwords = ["tapes behind the sofa", "tapes under the stairs", "tapes above the fridge"];
        let set = |password| {
            let change = json!({"presentPassword": PASSWORD, "password": password});
            Answer::of(service.request_as(&service.editor, Method::PATCH, "/me").json(&change))
        };
        let answers = futures_util::future::join_all(passwords.map(set)).await;
        let (done, refused): (Vec<_>, Vec<_>) =
            passwords.iter().zip(&answers).partition(|(_, answer)| answer.status == 200);
        assert_eq!(done.len(), 1, "{answers:?}");
        assert!(refused.iter().all(|(_, answer)| [409, 422].contains(&answer.status)), "{answers:?}");
        assert_eq!(service.me_with("editor", done[0].0).await.status, 200, "the one that was told so");
    }
}

on_both! {
    async fn what_was_checked_before_a_change_of_ones_account_must_hold_when_it_is_made(service: &Service) {
        let app = &service.app;
        let new = NewToken { name: TokenName::parse("late").expect("a name"), role: None, expires_at: None };
        let signed_in = async |name: &str| {
            let request = RequestContext { address: [127, 0, 0, 1].into(), id: "1".into() };
            let browser = Browser { request: request.clone(), user_agent: String::new(), presented: vec![] };
            let (cookie, by_session) = auth::login(app, browser, name, PASSWORD).await.expect("a session");
            let by_password = auth::basic(app, request.clone(), name, PASSWORD).await.expect("a user");
            let (_, token) = tokens::create(app, &by_session.clone().into(), &new, IdempotencyKey::default()).await.expect("a token");
            let by_token = auth::bearer(app, request, token.reveal()).await.expect("a token");
            (cookie, [by_session, by_password, by_token])
        };
        for (name, change) in [("lowered", Some("viewer")), ("raised", Some("owner")), ("removed", None)] {
            service.add_user(name, Role::Editor).await;
            let (_, identities) = signed_in(name).await;
            let path = format!("/user/{name}");
            match change {
                Some(role) => assert_eq!(service.patch(&path, &json!({"role": role})).await.status, 200),
                None => assert_eq!(service.delete(&path).await.status, 204),
            }
            for identity in identities {
                let viewer = Viewer::from(identity.clone());
                let shown = format!("{name}: {:?}", identity.via);
                // A token follows the role upwards no more than it was made for.
                if name == "raised" && matches!(identity.via, AuthMethod::Token { .. }) {
                    assert!(tokens::create(app, &viewer, &new, IdempotencyKey::default()).await.is_ok(), "{shown}");
                    continue;
                }
                let made = tokens::create(app, &viewer, &new, IdempotencyKey::default()).await;
                assert!(matches!(made, Err(Error::Unauthenticated(_))), "{shown}: {made:?}");
                let ended = sessions::end_others(app, &viewer).await;
                assert!(matches!(ended, Err(Error::Unauthenticated(_))), "{shown}: {ended:?}");
            }
        }
        // An owner who was lowered while the new password was hashed does nothing any more as an owner.
        service.add_user("second", Role::Owner).await;
        let (cookie, identities) = signed_in("second").await;
        assert_eq!(service.patch("/user/second", &json!({"role": "editor"})).await.status, 200);
        let name = UserName::parse("viewer").expect("a name");
        for identity in identities {
            let owner = Owner::try_from(identity).expect("it was one");
            let changes = UserChanges { role: Some(Role::Owner), ..UserChanges::default() };
            let done = users::change(app, &owner, &name, changes).await;
            assert!(matches!(done, Err(Error::Unauthenticated(_))), "{done:?}");
            let removed = users::remove(app, &owner, &name).await;
            assert!(matches!(removed, Err(Error::Unauthenticated(_))), "{removed:?}");
        }
        service.me_in(&format!("reelshelf_session={}", cookie.reveal())).await.problem(401);
        assert_eq!(service.me_as(&service.viewer).await.json(), json!({"name": "viewer", "role": "viewer"}));
    }
}

on_both! {
    async fn a_new_password_ends_all_of_ones_sessions_and_no_others(service: &Service) {
        let (own, second) = (service.session_of("viewer").await, service.session_of("viewer").await);
        let others = service.session_of("owner").await;
        let change = json!({"presentPassword": PASSWORD, "password": NEW});
        let changed = Answer::of(service.request_in(&own, Method::PATCH, "/me").json(&change)).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        for ended in [&own, &second] {
            service.me_in(ended).await.problem(401);
        }
        assert_eq!(service.me_in(&others).await.status, 200);
        let again = service.log_in("viewer", NEW).await;
        assert_eq!(service.me_in(again.cookie()).await.status, 200);
    }
}

on_both! {
    async fn who_one_is_follows_the_role_and_the_way_in(service: &Service) {
        let narrowed = service.token_as(&service.owner, &json!({"name": "reader", "role": "viewer"})).await;
        let reader = secret(&narrowed);
        assert_eq!(service.me_as(reader).await.json(), json!({"name": "owner", "role": "viewer"}));
        assert_eq!(service.me_as(&service.owner).await.json(), json!({"name": "owner", "role": "owner"}));
        assert_eq!(service.patch("/user/viewer", &json!({"role": "editor"})).await.status, 200);
        assert_eq!(
            service.me_with("viewer", PASSWORD).await.json(),
            json!({"name": "viewer", "role": "editor"})
        );
    }
}

on_both! {
    async fn a_password_is_the_same_however_it_is_composed(service: &Service) {
        let (composed, decomposed) = ("gr\u{f6}\u{df}e \u{fc}ber tapes 7x", "gro\u{308}\u{df}e u\u{308}ber\u{a0}tapes 7x");
        for (set, typed) in [(composed, decomposed), (decomposed, composed)] {
            assert_eq!(service.patch("/user/viewer", &json!({"password": set})).await.status, 200);
            for password in [set, typed] {
                assert_eq!(service.me_with("viewer", password).await.status, 200, "{password:?}");
                assert_eq!(service.log_in("viewer", password).await.status, 200, "{password:?}");
            }
            let change = json!({"presentPassword": typed, "password": set});
            let change = service.request_as(&service.viewer, Method::PATCH, "/me").json(&change);
            assert_eq!(Answer::of(change).await.status, 200);
            service.me_with("viewer", "große über tapes 7x").await.problem(401);
        }
    }
}

on_both! {
    async fn an_old_hash_is_verified_as_sent_and_made_anew(service: &Service) {
        // Argon2id of the decomposed text, with a third of the present memory: of another program or an older one.
        let decomposed = "u\u{308}ber tapes 7x";
        let params = argon2::Params::new(6400, 2, 1, None).expect("parameters");
        let old = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let old = argon2::PasswordHasher::hash_password(&old, decomposed.as_bytes()).expect("a hash").to_string();
        let store = async |hash: &str| {
            let mut tx = service.app.db.write().await.expect("the writer");
            let name = UserName::parse("viewer").expect("a name");
            let user = db::users::by_name(tx.conn(), &name).await.expect("a row").expect("a user");
            db::users::set_password(tx.conn(), user.id, hash).await.expect("it is stored");
            tx.commit().await.expect("it is committed");
        };
        store(&old).await;
        let session = service.log_in("viewer", decomposed).await;
        assert_eq!(session.status, 200, "{session:?}");
        assert_eq!(service.me_in(session.cookie()).await.status, 200);
        let current = "SELECT count(*) FROM users WHERE name = 'viewer' AND password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'";
        assert_eq!(service.number(current).await, 1);
        assert_eq!(service.me_with("viewer", "\u{fc}ber tapes 7x").await.status, 200, "composed, from now on");
    }
}
