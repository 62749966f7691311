//! Browser sessions: cookies, expiry, ownership.

use reelshelf::{domain::Role, http::Settings, service::auth::Secret};
use reqwest::{Method, header::HeaderValue};
use serde_json::{Value, json};

use super::health::set_reachable;
use crate::{
    on_both,
    support::{Answer, Kind, PASSWORD, Service, signing_in::behind_a_proxy, until},
};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Returns the sessions that a request lists.
async fn listed(request: reqwest::RequestBuilder) -> Vec<Value> {
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json().as_array().expect("a list").clone()
}

async fn log_out(service: &Service, session: &str) -> Answer {
    Answer::of(service.request_in(session, Method::POST, "/logout")).await
}

on_both! {
    async fn the_cookie_is_for_the_browser_alone_and_secure_over_https(service: &Service) {
        let public = |url: &str| Settings {
            public_url: Some(url.parse().expect("an address")),
            ..Settings::default()
        };
        for (settings, forwarded, secure) in [
            (Settings::default(), "", false),
            (Settings::default(), "https", false), // nobody whom it believes says so
            (behind_a_proxy(), "", false),
            (behind_a_proxy(), "http", false),
            (behind_a_proxy(), "https", true),
            (behind_a_proxy(), "HTTPS", true),
            (public("https://films.example"), "", true),
            (public("http://films.example"), "", false),
            (Settings { tls: true, ..Settings::default() }, "", true),
        ] {
            let shown = format!("{settings:?} {forwarded}");
            let service = service.another_instance(settings).await;
            let post = |path| service.anonymous(Method::POST, path).header("x-forwarded-proto", forwarded);
            let begun =
                Answer::of(post("/login").json(&json!({"name": "owner", "password": PASSWORD}))).await;
            let ended = Answer::of(post("/logout").header("cookie", begun.cookie())).await;
            assert_eq!((begun.status, ended.status), (200, 204), "{shown}");
            for (answer, value_length, kept) in [(&begun, 43, true), (&ended, 0, false)] {
                let mut attributes: Vec<&str> = answer.header("set-cookie").split("; ").collect();
                let cookie = attributes.remove(0);
                let name = if secure { "__Host-reelshelf_session=" } else { "reelshelf_session=" };
                let value = cookie.strip_prefix(name).expect("the session");
                assert_eq!(value.len(), value_length, "{cookie}");
                attributes.sort_unstable();
                let age: i64 =
                    attributes.remove(1).strip_prefix("Max-Age=").expect("an age").parse().expect("seconds");
                assert_eq!(age, if kept { 90 * DAY / 1000 } else { 0 }, "as long as the session: {shown}");
                let hsts = if secure { "max-age=31536000" } else { "" };
                assert_eq!(answer.header("strict-transport-security"), hsts, "{shown}");
                let mut expected = vec!["HttpOnly", "Path=/", "SameSite=Lax"];
                expected.extend(secure.then_some("Secure"));
                assert_eq!(attributes, expected, "{shown}");
            }
        }
    }
}

on_both! {
    async fn signing_out_ends_the_session_on_the_server(service: &Service) {
        let other = service.another_instance(Settings::default()).await;
        let (ended, kept) = (service.session_of("owner").await, service.session_of("owner").await);
        assert_ne!(ended, kept);
        assert_eq!(other.me_in(&ended).await.status, 200);
        assert_eq!(log_out(service, &ended).await.status, 204);
        for service in [service, &other] {
            service.me_in(&ended).await.problem(401);
            assert_eq!(service.me_in(&kept).await.status, 200, "another session of the same user");
        }
        log_out(service, &ended).await.problem(401);
        assert_eq!(listed(service.request(Method::GET, "/session")).await.len(), 1);
        let form = service.request_in(&kept, Method::POST, "/logout");
        let form = Answer::of(form.header("content-type", "application/x-www-form-urlencoded")).await;
        assert_eq!((form.status, form.header("location")), (303, "/login"));
        service.me_in(&kept).await.problem(401);
    }
}

on_both! {
    async fn signing_in_again_ends_the_session_that_was_presented_and_no_other(service: &Service) {
        let (before, kept) = (service.session_of("owner").await, service.session_of("owner").await);
        let again = |cookie: &str, password: &str| {
            let login = service.request_in(cookie, Method::POST, "/login");
            Answer::of(login.json(&json!({"name": "viewer", "password": password})))
        };
        again(&before, "wrong").await.problem(401);
        assert_eq!(service.me_in(&before).await.status, 200, "a sign-in that fails changes nothing");
        let answer = again(&before, PASSWORD).await;
        service.me_in(&before).await.problem(401);
        assert_eq!(service.me_in(answer.cookie()).await.json()["name"], "viewer");
        assert_eq!(service.me_in(&kept).await.json()["name"], "owner");
    }
}

on_both! {
    async fn signing_out_without_a_session_ends_none(service: &Service) {
        let session = service.session_of("owner").await;
        assert_eq!(Answer::of(service.request(Method::POST, "/logout")).await.status, 204);
        assert_eq!(service.me_in(&session).await.status, 200);
        assert_eq!(service.get("/me").await.status, 200);
    }
}

on_both! {
    async fn a_session_lasts_30_days_after_its_last_use(service: &Service) {
        let (used, unused) = (service.session_of("owner").await, service.session_of("owner").await);
        service.pass_millis(30 * DAY - 1);
        assert_eq!(service.me_in(&used).await.status, 200);
        service.pass_millis(1);
        service.me_in(&unused).await.problem(401);
        assert_eq!(
            listed(service.request(Method::GET, "/session")).await.len(),
            1,
            "what has ended is not listed"
        );
        service.pass_millis(30 * DAY - 2);
        assert_eq!(service.me_in(&used).await.status, 200);
        service.pass_millis(30 * DAY);
        service.me_in(&used).await.problem(401);
        assert_eq!(listed(service.request(Method::GET, "/session")).await, [] as [Value; 0]);
    }
}

on_both! {
    async fn a_session_lasts_90_days_however_much_it_is_used(service: &Service) {
        let session = service.session_of("owner").await;
        for _ in 0..3 {
            service.pass_millis(30 * DAY - 1);
            assert_eq!(service.me_in(&session).await.status, 200);
        }
        service.pass_millis(2);
        assert_eq!(service.me_in(&session).await.status, 200, "a millisecond before the end");
        service.pass_millis(1);
        service.me_in(&session).await.problem(401);
        assert_eq!(listed(service.request(Method::GET, "/session")).await, [] as [Value; 0]);
    }
}

on_both! {
    async fn of_more_than_100_sessions_the_one_unused_for_longest_ends(service: &Service) {
        let first = service.session_of("viewer").await;
        let second = service.session_of("viewer").await;
        let others = service.session_of("owner").await;
        service.pass_millis(DAY);
        assert_eq!(service.me_in(&first).await.status, 200);
        for _ in 0..98 {
            service.session_of("viewer").await;
        }
        let count = async || listed(service.request_as(&service.viewer, Method::GET, "/session")).await.len();
        assert_eq!(count().await, 100);
        service.session_of("viewer").await;
        service.me_in(&second).await.problem(401);
        assert_eq!(service.me_in(&first).await.status, 200, "it was used later");
        assert_eq!(count().await, 100);
        assert_eq!(service.me_in(&others).await.status, 200, "nobody else's");
    }
}

on_both! {
    async fn each_cookie_is_looked_at_for_itself(service: &Service) {
        let session = service.session_of("owner").await;
        let send = |cookies: &[u8]| {
            let cookies = HeaderValue::from_bytes(cookies).expect("a header");
            Answer::of(service.anonymous(Method::GET, "/me").header("cookie", cookies))
        };
        for before in ["theme=bücher", "reelshelf_session=bad", "reelshelf_session=", "=; ;x"] {
            assert_eq!(send(format!("{before}; {session}").as_bytes()).await.status, 200, "{before}");
            assert_eq!(send(format!("{session}; {before}").as_bytes()).await.status, 200, "{before}");
        }
        assert_eq!(send(&[&b"a=\xff; "[..], session.as_bytes()].concat()).await.status, 200);
        let seven = "reelshelf_session=bad; ".repeat(7);
        assert_eq!(send(format!("{seven}{session}").as_bytes()).await.status, 200);
        send(format!("{seven}reelshelf_session=bad; {session}").as_bytes()).await.problem(401);
    }
}

on_both! {
    async fn over_https_a_planted_cookie_counts_for_nothing(service: &Service) {
        let secure = service.another_instance(Settings { tls: true, ..Settings::default() }).await;
        let (ours, planted) = (secure.session_of("owner").await, service.session_of("viewer").await);
        secure.me_in(&planted).await.problem(401);
        assert_eq!(secure.me_in(&format!("{planted}; {ours}")).await.json()["name"], "owner");
        service.me_in(&ours).await.problem(401);
    }
}

on_both! {
    async fn ones_own_sessions_are_listed_the_latest_used_first(service: &Service) {
        let begin = |agent: &'static str| async move {
            let login = service.anonymous(Method::POST, "/login").header("user-agent", agent);
            Answer::of(login.json(&json!({"name": "editor", "password": PASSWORD}))).await.cookie().to_owned()
        };
        let telephone = begin("telephone").await;
        service.pass_millis(1000);
        let laptop = begin("laptop").await;
        let long: &str = "x".repeat(300).leak();
        service.pass_millis(1000);
        begin(long).await;
        service.session_of("viewer").await;
        service.pass_millis(DAY);
        let sessions = listed(service.request_in(&telephone, Method::GET, "/session")).await;
        let agents: Vec<&str> = sessions.iter().filter_map(|session| session["userAgent"].as_str()).collect();
        assert_eq!(agents, ["telephone", &long[..200], "laptop"]);
        let id = &sessions[0]["id"];
        let expected = json!({
            "id": id, "address": "127.0.0.1", "userAgent": "telephone", "createdAt": "2026-11-23T20:15:00.123Z",
            "seenAt": "2026-11-24T20:15:02.123Z", "current": true,
        });
        assert_eq!(sessions[0], expected);
        let current = |sessions: &[Value]| {
            let current: Vec<Value> = sessions.iter().filter(|s| s["current"] == true).cloned().collect();
            current.into_iter().map(|session| session["userAgent"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(current(&sessions), ["telephone"]);
        assert_eq!(current(&listed(service.request_in(&laptop, Method::GET, "/session")).await), ["laptop"]);
        let by_token = listed(service.request_as(&service.editor, Method::GET, "/session")).await;
        assert_eq!((by_token.len(), current(&by_token)), (3, Vec::new()));
    }
}

on_both! {
    async fn ones_own_sessions_are_ended_and_nobody_elses(service: &Service) {
        let (first, second) = (service.session_of("viewer").await, service.session_of("viewer").await);
        let sessions = listed(service.request_in(&second, Method::GET, "/session")).await;
        let of_first = sessions.iter().find(|session| session["current"] == false).expect("the other one");
        let path = format!("/session/{}", of_first["id"]);
        let delete = |session: &str| Answer::of(service.request_in(session, Method::DELETE, &path));
        service.delete(&path).await.problem(404); // not even by an owner
        delete(&service.session_of("editor").await).await.problem(404);
        assert_eq!(service.me_in(&first).await.status, 200);
        assert_eq!(delete(&second).await.status, 204);
        service.me_in(&first).await.problem(401);
        delete(&second).await.problem(404);
        let own = listed(service.request_in(&second, Method::GET, "/session")).await[0]["id"].to_string();
        let path = format!("/session/{own}");
        assert_eq!(Answer::of(service.request_in(&second, Method::DELETE, &path)).await.status, 204);
        service.me_in(&second).await.problem(401);
        for nothing in ["0", "-1", "99", "x", "9223372036854775808", "1.0"] {
            service.delete(&format!("/session/{nothing}")).await.problem(404);
        }
    }
}

on_both! {
    async fn a_cookie_that_is_not_ours_is_no_session(service: &Service) {
        let session = service.session_of("owner").await;
        let (name, value) = session.split_once('=').expect("a cookie");
        for cookie in [
            format!("{name}="),
            name.to_owned(),
            format!("{name}={}", &value[1..]),
            format!("{name}={value}x"),
            format!("{name}={}", value.to_lowercase()),
            format!("{name}={}", Secret::presented(value).hash()), // as it is stored
            format!("{name}={}", service.owner),
            format!("x{name}={value}"),
            format!("{name}x={value}"),
        ] {
            service.me_in(&cookie).await.problem(401);
        }
        service.me_as(value).await.problem(401);
        for cookies in
            [format!("a=b; {session}"), format!("{session};c=d"), format!("a=b;{session}; c=\"d\"")]
        {
            assert_eq!(service.me_in(&cookies).await.status, 200, "{cookies}");
        }
    }
}

on_both! {
    async fn a_session_is_stored_only_as_a_hash(service: &Service) {
        let session = service.session_of("owner").await;
        let (_, value) = session.split_once('=').expect("a cookie");
        let stored = service.database.dump().await;
        assert!(stored.contains(&Secret::presented(value).hash()), "it is there");
        assert!(!stored.contains(value));
        assert!(!stored.contains(PASSWORD));
        assert!(stored.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}

/// Everything that ends the sessions of a user: the request, the role after it, whether the password stays
/// valid.
fn ends(service: &Service, name: &str) -> (reqwest::RequestBuilder, Option<&'static str>, bool) {
    let path = format!("/user/{name}");
    let change = |body: &Value| service.request(Method::PATCH, &path).json(body);
    let new = "another shelf of tapes";
    match name {
        "reset" => (change(&json!({"password": new})), Some("editor"), false),
        "lowered" => (change(&json!({"role": "viewer"})), Some("viewer"), true),
        "raised" => (change(&json!({"role": "owner"})), Some("owner"), true),
        "removed" => (service.request(Method::DELETE, &path), None, false),
        _ => {
            let own = service.anonymous(Method::PATCH, "/me").basic_auth(name, Some(PASSWORD));
            (own.json(&json!({"presentPassword": PASSWORD, "password": new})), Some("editor"), false)
        }
    }
}

on_both! {
    async fn a_new_password_or_role_or_a_removal_counts_at_once_on_every_instance(service: &Service) {
        let other = service.another_instance(Settings::default()).await;
        let bystander = service.session_of("viewer").await;
        for name in ["reset", "lowered", "raised", "removed", "own"] {
            let token = service.add_user(name, Role::Editor).await;
            let session = service.session_of(name).await;
            for service in [service, &other] {
                assert_eq!(
                    service.me_with(name, PASSWORD).await.status,
                    200,
                    "the pair is remembered from here"
                );
                assert_eq!(service.me_in(&session).await.status, 200);
            }
            let (request, role, password_stays) = ends(service, name);
            let answer = Answer::of(request).await;
            assert!(matches!(answer.status, 200 | 204), "{name}: {answer:?}");
            for service in [&other, service] {
                service.me_in(&session).await.problem(401);
                let basic = service.me_with(name, PASSWORD).await;
                if password_stays {
                    assert_eq!(basic.json()["role"].as_str(), role, "{name}");
                } else {
                    basic.problem(401);
                }
                // The token stays valid with the user's role at most.
                let by_token = service.me_as(&token).await;
                match role {
                    None => assert_eq!(by_token.status, 401, "{name}"),
                    Some("viewer") => assert_eq!(by_token.json()["role"], "viewer", "{name}"),
                    Some(_) => assert_eq!(by_token.json()["role"], "editor", "{name}"),
                }
                assert_eq!(service.me_in(&bystander).await.status, 200, "{name}");
            }
        }
    }
}

on_both! {
    async fn what_changes_nothing_about_a_user_ends_no_session(service: &Service) {
        let session = service.session_of("editor").await;
        for nothing in [json!({}), json!({"role": "editor"})] {
            assert_eq!(service.patch("/user/editor", &nothing).await.status, 200);
            assert_eq!(service.me_in(&session).await.status, 200, "{nothing}");
        }
        assert_eq!(service.patch("/user/editor", &json!({"password": "short"})).await.status, 422);
        assert_eq!(service.me_in(&session).await.status, 200);
    }
}

/// Makes the database read-only.
async fn stop_writes(service: &Service) -> Option<rusqlite::Connection> {
    match service.database.kind {
        Kind::Sqlite => {
            let other = rusqlite::Connection::open(service.database.file()).unwrap();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            Some(other)
        }
        Kind::Postgres => {
            let (_, name) = service.database.address.rsplit_once('/').unwrap();
            let sql = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
            service.database.execute(&sql).await.unwrap();
            for reachable in [false, true] {
                set_reachable(service, reachable).await; // new connections are read-only
            }
            None
        }
    }
}

on_both! {
    async fn a_session_goes_on_reading_where_its_use_cannot_be_noted(service: &Service) {
        let session = service.session_of("viewer").await;
        let seen = async || service.number("SELECT max(seen_at) FROM sessions").await;
        let before = seen().await;
        let stopped = stop_writes(service).await;
        service.pass_millis(6 * 60 * 1000);
        until(async || service.get("/movie").await.status == 200).await;
        for _ in 0..3 {
            assert_eq!(service.me_in(&session).await.status, 200);
        }
        assert_eq!(seen().await, before);
        if let Some(other) = stopped {
            other.execute_batch("ROLLBACK").unwrap();
            assert_eq!((service.me_in(&session).await.status, seen().await), (200, before), "it is not tried at each");
            service.pass_millis(60 * 1000);
            assert_eq!(service.me_in(&session).await.status, 200);
            assert!(seen().await > before);
        }
    }
}
