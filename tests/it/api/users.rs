//! Users: create, list, update, delete; rules of names and passwords; the last owner.

use futures_util::future::{join, join_all};
use reelshelf::{domain::Role, http::Settings, service::setup};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, PASSWORD, Service, TestDatabase},
};

fn user(name: &str, role: &str, password: &str) -> Value {
    json!({"name": name, "role": role, "password": password})
}

/// Returns the names of the owners.
async fn owners(service: &Service, token: &str) -> Vec<String> {
    let users = Answer::of(service.request_as(token, Method::GET, "/user")).await.json();
    let owners = users.as_array().expect("a list").iter().filter(|user| user["role"] == "owner");
    owners.map(|user| user["name"].as_str().expect("a name").to_owned()).collect()
}

on_both! {
    async fn a_user_is_added_listed_changed_and_removed(service: &Service) {
        service.pass_millis(1000);
        let added = service.post("/user", &user(" Zoë ", "editor", PASSWORD)).await;
        let expected = json!({"name": "Zoë", "role": "editor", "createdAt": "2026-11-23T20:15:01.123Z"});
        assert_eq!((added.status, added.json()), (201, expected.clone()));
        assert_eq!(added.header("location"), "/user/Zo%C3%AB");
        assert_eq!(service.get(added.header("location")).await.json(), expected);
        let list = service.get("/user").await.json();
        let names: Vec<&str> =
            list.as_array().expect("a list").iter().filter_map(|u| u["name"].as_str()).collect();
        assert_eq!(names, ["editor", "owner", "viewer", "Zoë"]);
        assert_eq!(list[3], expected);
        assert_eq!(service.me_with("zoe", PASSWORD).await.json(), json!({"name": "Zoë", "role": "editor"}));

        service.pass_millis(1000);
        let changed = service.patch(added.header("location"), &json!({"role": "viewer"})).await;
        let expected = json!({"name": "Zoë", "role": "viewer", "createdAt": "2026-11-23T20:15:01.123Z"});
        assert_eq!((changed.status, changed.json()), (200, expected));
        assert_eq!(service.me_with("zoe", PASSWORD).await.json()["role"], "viewer");

        assert_eq!(service.delete(added.header("location")).await.status, 204);
        service.me_with("zoe", PASSWORD).await.problem(401);
        service.delete(added.header("location")).await.problem(404);
        service.get(added.header("location")).await.problem(404);
        service.patch(added.header("location"), &json!({"role": "viewer"})).await.problem(404);
        assert_eq!(service.get("/user").await.json().as_array().map(Vec::len), Some(3));
    }
}

on_both! {
    async fn a_name_has_1_to_50_letters_digits_and_a_few_signs(service: &Service) {
        let long = |letter: &str, n| letter.repeat(n);
        for (name, valid) in [
            (String::new(), false),
            (" \t\u{2003}".to_owned(), false),
            ("o".to_owned(), true),
            (long("n", 50), true),
            (long("n", 51), false),
            (format!(" {} ", long("m", 50)), true),
            (long("é", 50), true),
            (long("a\u{300}", 50), true), // 100 characters that NFC makes into 50
            (long("a\u{300}", 51), false),
            ("o.p-q_r@s+t".to_owned(), true),
            ("Ольга".to_owned(), true),
            ("李雷2".to_owned(), true),
            ("a b".to_owned(), false),
            ("a:b".to_owned(), false), // Basic ends the name there
            ("a/b".to_owned(), false),
            ("a%b".to_owned(), false),
            ("a\\b".to_owned(), false),
            ("<b>".to_owned(), false),
            ("a\0b".to_owned(), false),
            ("a\nb".to_owned(), false),
            ("a\u{202e}b".to_owned(), false),
            ("😀".to_owned(), false),
            (".".to_owned(), false), // no address could name them
            ("..".to_owned(), false),
            ("...".to_owned(), true),
        ] {
            let added = service.post("/user", &user(&name, "viewer", PASSWORD)).await;
            if valid {
                assert_eq!(added.status, 201, "{name:?}: {added:?}");
                let same = service.patch(added.header("location"), &json!({"role": "editor"})).await;
                assert_eq!(same.status, 200, "{name:?}: {same:?}");
                assert_eq!(service.delete(added.header("location")).await.status, 204, "{name:?}");
            } else {
                assert_eq!(added.places(422), ["/name"], "{name:?}");
            }
        }
        assert_eq!(service.get("/user").await.json().as_array().map(Vec::len), Some(3));
    }
}

on_both! {
    async fn a_name_is_taken_whatever_the_case_and_the_accents(service: &Service) {
        assert_eq!(service.post("/user", &user("Zoë", "viewer", PASSWORD)).await.status, 201);
        for taken in ["Zoë", "zoe", "ZOË", "Zoe\u{308}", " zôe ", "Ｚｏｅ", "OWNER"] {
            service.post("/user", &user(taken, "owner", PASSWORD)).await.problem(409);
        }
        let paths = ["/user/zoe", "/user/ZO%C3%8B", "/user/Zoe%CC%88"];
        for (path, role) in paths.into_iter().zip(["editor", "owner", "viewer"]) {
            let changed = service.patch(path, &json!({"role": role})).await;
            assert_eq!((changed.status, changed.json()["name"].as_str()), (200, Some("Zoë")), "{path}");
            assert_eq!(service.me_with("zoe", PASSWORD).await.json()["role"], role, "{path}");
        }
        let at_once = ["Olga", "olga"].map(|name| user(name, "viewer", PASSWORD));
        let (one, two) = join(service.post("/user", &at_once[0]), service.post("/user", &at_once[1])).await;
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        assert_eq!(service.delete("/user/ZOE").await.status, 204);
        assert_eq!(service.post("/user", &user("zoe", "viewer", PASSWORD)).await.status, 201, "free again");
    }
}

on_both! {
    async fn every_violation_is_named_with_its_pointer(service: &Service) {
        for (body, places) in [
            (json!({}), &["/name", "/password", "/role"][..]),
            (user("a b", "boss", "short"), &["/name", "/password", "/role"]),
            (user("olga", "Owner", PASSWORD), &["/role"]),
            (user("olga", "", PASSWORD), &["/role"]),
            (json!({"name": 1, "role": null, "password": ["x"]}), &["/name", "/password", "/role"]),
            (json!({"name": "olga", "role": "viewer", "password": PASSWORD, "id": 1}), &["/id"]),
            (json!([]), &[""]),
        ] {
            assert_eq!(service.post("/user", &body).await.places(422), places, "{body}");
        }
        for (body, places) in [
            (json!({"role": "boss", "password": "short"}), &["/password", "/role"][..]),
            (json!({"role": null}), &["/role"]),
            (json!({"password": null}), &["/password"]),
            (json!({"name": "olga"}), &["/name"]),
            (json!(null), &[""]),
        ] {
            assert_eq!(service.patch("/user/viewer", &body).await.places(422), places, "{body}");
        }
        let twice = service.request(Method::PATCH, "/user/viewer").header("content-type", "application/json");
        let twice = Answer::of(twice.body(r#"{"role":"owner","role":"viewer"}"#)).await;
        assert_eq!(twice.places(422), ["/role"]);
        assert_eq!(service.me_as(&service.viewer).await.json()["role"], "viewer");
        for nobody in ["/user/nobody", "/user/a%20b", "/user/%00", "/user/%F0%9F%98%80", "/user/viewer%2F"] {
            service.patch(nobody, &json!({"role": "viewer"})).await.problem(404);
            service.delete(nobody).await.problem(404);
        }
    }
}

/// Passwords at and beyond the limits.
fn passwords() -> Vec<(String, bool)> {
    let long = |n| "zü7-Qk_p".chars().cycle().take(n).collect::<String>();
    let of = |text: &str, valid| (text.to_owned(), valid);
    vec![
        of("", false),
        of("kX9-vbq2#", false),
        of("kX9-vbq2#w", true),
        of("ключ☃é-☂7", false), // 9 characters, of more bytes
        of("ключ☃é-☂7й", true),
        (long(256), true),
        (long(257), false),
        of("1234567890", false),
        of("password123", false),
        of("Password1234", false),
        of("qwertyuiop", false),
        of("iloveyou123", false),
        of("aaaaaaaaaaaa", false),
        of("          ", false),
        of("olgaolgaolga", false),
        of("reelshelf1", false),
        of("correct horse battery", true),
    ]
}

on_both! {
    async fn a_password_has_10_to_256_characters_and_is_not_common(service: &Service) {
        service.add_user("olga", Role::Viewer).await;
        let fresh = Service::empty(TestDatabase::new(service.database.kind).await, Settings::default()).await;
        let code = setup::begin(&fresh.app).await.expect("a code").expect("nobody is there yet");
        let mut present = PASSWORD.to_owned();
        for (password, valid) in passwords() {
            let own = json!({"presentPassword": present, "password": password});
            let own = service.anonymous(Method::PATCH, "/me").basic_auth("olga", Some(&present)).json(&own);
            let mut answers = vec![
                Answer::of(own).await,
                service.patch("/user/olga", &json!({"password": password})).await,
                service.post("/user", &user(&format!("olga{}", password.len()), "viewer", &password)).await,
            ];
            if valid {
                let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
                assert_eq!(statuses, [200, 200, 201], "{password}: {answers:?}");
                assert_eq!(service.me_with("olga", &password).await.status, 200, "{password}");
                if password != present {
                    service.me_with("olga", &present).await.problem(401);
                }
                present = password;
            } else {
                let setup = json!({"code": code.reveal(), "name": "olga", "password": password});
                answers.push(Answer::of(fresh.anonymous(Method::POST, "/setup").json(&setup)).await);
                for answer in answers {
                    assert_eq!(answer.places(422), ["/password"], "{password}");
                }
            }
        }
    }
}

on_both! {
    async fn the_last_owner_can_be_neither_removed_nor_lowered(service: &Service) {
        service.delete("/user/owner").await.problem(409);
        for role in ["viewer", "editor"] {
            let both = json!({"role": role, "password": "another shelf full of tapes"});
            service.patch("/user/owner", &both).await.problem(409);
        }
        assert_eq!(service.me_with("owner", PASSWORD).await.json()["role"], "owner", "nothing was changed");
        assert_eq!(service.patch("/user/owner", &json!({"role": "owner"})).await.status, 200);

        let second = service.add_user("olga", Role::Owner).await;
        assert_eq!(
            service.patch("/user/owner", &json!({"role": "editor"})).await.status,
            200,
            "there is another"
        );
        service.delete("/user/olga").await.problem(403);
        let delete = |path: &'static str| Answer::of(service.request_as(&second, Method::DELETE, path));
        delete("/user/olga").await.problem(409);
        assert_eq!(delete("/user/owner").await.status, 204);
        assert_eq!(owners(service, &second).await, ["olga"]);
    }
}

on_both! {
    async fn of_two_owners_one_remains_whatever_they_do_to_each_other_at_once(service: &Service) {
        let other = service.another_instance(Settings::default()).await;
        let remove = |service: &Service, token: &str, name: &str| {
            service.request_as(token, Method::DELETE, &format!("/user/{name}"))
        };
        let lower = |service: &Service, token: &str, name: &str| {
            let lowered = json!({"role": "viewer"});
            service.request_as(token, Method::PATCH, &format!("/user/{name}")).json(&lowered)
        };
        let (mut name, mut token) = ("owner".to_owned(), service.owner.clone());
        for (n, (first_removes, second_removes)) in
            [(true, true), (false, false), (true, false), (false, true)].into_iter().enumerate()
        {
            let rival = format!("rival{n}");
            let rivals = service.add_user(&rival, Role::Owner).await;
            let first =
                if first_removes { remove(service, &token, &rival) } else { lower(service, &token, &rival) };
            let second =
                if second_removes { remove(&other, &rivals, &name) } else { lower(&other, &rivals, &name) };
            let (first, second) = join(Answer::of(first), Answer::of(second)).await;
            let first_won = matches!(first.status, 200 | 204);
            assert_ne!(first_won, matches!(second.status, 200 | 204), "{first:?} {second:?}");
            let refused = if first_won { &second } else { &first };
            assert!(matches!(refused.status, 401 | 403 | 409), "{refused:?}");
            if !first_won {
                (name, token) = (rival, rivals);
            }
            assert_eq!(owners(service, &token).await, [name.as_str()]);
        }
    }
}

on_both! {
    async fn of_two_owners_one_remains_when_both_go_at_once(service: &Service) {
        let other = service.another_instance(Settings::default()).await;
        let mut owner = ("owner".to_owned(), service.owner.clone());
        for n in 0..4 {
            let rival = (format!("rival{n}"), String::new());
            let rival = (rival.0.clone(), service.add_user(&rival.0, Role::Owner).await);
            let leave = |service: &Service, (name, token): &(String, String)| {
                Answer::of(service.request_as(token, Method::DELETE, &format!("/user/{name}")))
            };
            let (first, second) = join(leave(service, &owner), leave(&other, &rival)).await;
            let statuses = (first.status, second.status);
            assert!(matches!(statuses, (204, 409) | (409, 204)), "{first:?} {second:?}");
            if first.status == 204 {
                owner = rival;
            }
            assert_eq!(owners(service, &owner.1).await, [owner.0.as_str()]);
        }
    }
}

on_both! {
    async fn the_first_owner_is_made_once_and_with_the_code(service: &Service) {
        let fresh = Service::empty(TestDatabase::new(service.database.kind).await, Settings::default()).await;
        let code = setup::begin(&fresh.app).await.expect("a code").expect("nobody is there yet");
        let finish = |code: &str, name: &str, password: &str| {
            let body = json!({"code": code, "name": name, "password": password});
            Answer::of(fresh.anonymous(Method::POST, "/setup").json(&body))
        };
        finish("wrong", "olivia", PASSWORD).await.problem(403);
        finish("", "olivia", PASSWORD).await.problem(403);
        assert_eq!(finish(code.reveal(), "", "short").await.places(422), ["/name", "/password"]);
        assert_eq!(
            Answer::of(fresh.anonymous(Method::POST, "/setup").json(&json!({}))).await.places(422),
            ["/code", "/name", "/password"]
        );
        let names = ["olivia", "peter", "zoe"];
        let answers = join_all(names.map(|name| finish(code.reveal(), name, PASSWORD))).await;
        let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 403 | 409)), "{answers:?}");
        assert_eq!(fresh.me_in(made[0].cookie()).await.json()["role"], "owner");
        finish(code.reveal(), "olivia2", PASSWORD).await.problem(403);
        assert!(setup::begin(&fresh.app).await.expect("an answer").is_none());
    }
}

on_both! {
    async fn a_name_that_looks_like_that_of_another_user_is_refused(service: &Service) {
        let add = async |name: &str| {
            let user = json!({"name": name, "password": PASSWORD, "role": "viewer"});
            service.post("/user", &user).await
        };
        for name in ["cop", "olga"] {
            assert_eq!(add(name).await.status, 201);
        }
        for alike in ["\u{441}\u{43e}\u{440}", "\u{421}\u{41e}\u{420}", "o1ga"] {
            let refused = add(alike).await.problem(409);
            assert!(refused["detail"].as_str().unwrap().contains("looks the same"), "{refused}");
        }
        let taken = add("C\u{f3}p").await.problem(409);
        assert!(taken["detail"].as_str().unwrap().contains("already"), "{taken}");
        assert_eq!(add("\u{43e}\u{43b}\u{438}\u{432}\u{438}\u{44f}").await.status, 201, "a name like no other");
    }
}
