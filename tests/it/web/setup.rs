//! The page that creates the first owner.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use reelshelf::{
    domain::Role,
    http::Settings,
    limits::SETUP_CODE_LIFETIME,
    service::{auth::Secret, setup},
};
use reqwest::Method;
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};

use super::{HOSTILE, cookie, field, form, is_page, with_cookie};
use crate::{
    api::health::set_reachable,
    on_both,
    support::{Answer, Kind, PASSWORD, Service, TestDatabase},
};

/// Starts a service without users. Returns its one-time code, too.
async fn fresh(database: TestDatabase) -> (Service, String) {
    let service = Service::empty(database, Settings::default()).await;
    let code = setup::begin(&service.app).await.unwrap().expect("a code");
    (service, code.reveal().to_owned())
}

async fn show(service: &Service) -> Answer {
    Answer::of(service.anonymous(Method::GET, "/setup")).await
}

async fn submit(service: &Service, code: &str, name: &str, password: &str) -> Answer {
    let fields = [("code", code), ("name", name), ("password", password)];
    Answer::of(form(service, "/setup", &fields)).await
}

on_both! {
    async fn the_code_makes_the_first_owner_and_signs_in(database: TestDatabase) {
        let (service, code) = fresh(database).await;
        let page = show(&service).await;
        is_page(&page, 200);
        assert_eq!(field(&page, "code"), "", "the code is pasted, or the page's script takes it from the fragment");
        assert!(!page.text.contains("role=\"alert\""), "{page:?}");
        let made = submit(&service, &code, "olivia", PASSWORD).await;
        assert_eq!((made.status, made.header("location")), (303, "/"), "{made:?}");
        let me = with_cookie(&service, &cookie(&made), Method::GET, "/me").await;
        assert_eq!(me.json(), json!({"name": "olivia", "role": "owner"}));
    }
}

on_both! {
    async fn without_the_code_nothing_can_be_made(database: TestDatabase) {
        let (service, code) = fresh(database).await;
        for wrong in
            ["", "x", &code[1..], &format!("{code}A"), &code.to_lowercase().replace(char::is_numeric, "a")]
        {
            // Without the code, name and password are not checked.
            is_page(&submit(&service, wrong, "a b", "short").await, 403);
            is_page(&submit(&service, wrong, "mallory", PASSWORD).await, 403);
            let json = json!({"code": wrong, "name": "mallory", "password": PASSWORD});
            Answer::of(service.anonymous(Method::POST, "/setup").json(&json)).await.problem(403);
        }
        assert!(setup::needed(&service.app).await.unwrap());
        assert_eq!(submit(&service, &code, "olivia", PASSWORD).await.status, 303);
    }
}

on_both! {
    async fn the_code_works_once(database: TestDatabase) {
        let (service, code) = fresh(database).await;
        let made = submit(&service, &code, "olivia", PASSWORD).await;
        assert_eq!(made.status, 303, "{made:?}");
        is_page(&submit(&service, &code, "mallory", PASSWORD).await, 403);
        let page = show(&service).await;
        assert_eq!((page.status, page.header("location")), (303, "/login"), "{page:?}");
        assert!(setup::begin(&service.app).await.unwrap().is_none());
        let users = with_cookie(&service, &cookie(&made), Method::GET, "/user").await.json();
        assert_eq!(users.as_array().map(Vec::len), Some(1), "{users}");
    }
}

on_both! {
    async fn the_code_ends_after_an_hour_and_with_the_next_one(database: TestDatabase) {
        let (service, code) = fresh(database).await;
        service.pass_millis(60 * 60 * 1000);
        is_page(&submit(&service, &code, "mallory", PASSWORD).await, 403);
        let next = setup::begin(&service.app).await.unwrap().expect("nobody is there yet");
        let last = setup::begin(&service.app).await.unwrap().expect("nobody is there yet");
        is_page(&submit(&service, next.reveal(), "mallory", PASSWORD).await, 403);
        service.pass_millis(60 * 60 * 1000 - 1);
        assert_eq!(submit(&service, last.reveal(), "olivia", PASSWORD).await.status, 303);
    }
}

on_both! {
    async fn several_who_come_at_once_make_exactly_one_owner(database: TestDatabase) {
        let (service, code) = fresh(database).await;
        let names: Vec<String> = (0..6).map(|n| format!("owner{n}")).collect();
        let all = names.iter().map(|name| submit(&service, &code, name, PASSWORD));
        let answers = futures_util::future::join_all(all).await;
        let made: Vec<_> = answers.iter().zip(&names).filter(|(answer, _)| answer.status == 303).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 303) {
            assert!(
                [403, 409].contains(&answer.status) && answer.header("set-cookie").is_empty(),
                "{answer:?}"
            );
        }
        let (answer, name) = made[0];
        let users = with_cookie(&service, &cookie(answer), Method::GET, "/user").await.json();
        assert_eq!((users.as_array().map(Vec::len), &users[0]["name"]), (Some(1), &json!(name)), "{users}");
    }
}

on_both! {
    async fn violations_stand_beside_the_fields(database: TestDatabase) {
        let (service, code) = fresh(database).await;
        let mut cases = vec![
            ("olivia", "short", None, Some("The password must have at least 10 characters, got 5.")),
            ("olivia", "password1234", None, Some("The password is one of the common passwords")),
            ("", PASSWORD, Some("The name must not be empty."), None),
            (
                "",
                "",
                Some("The name must not be empty."),
                Some("The password must have at least 10 characters, got 0."),
            ),
        ];
        cases.extend(
            HOSTILE.map(|name| (name, PASSWORD, Some("The name must consist of letters, digits and"), None)),
        );
        for (name, password, name_error, password_error) in cases {
            let page = submit(&service, &code, name, password).await;
            is_page(&page, 422);
            assert_eq!((field(&page, "name").as_str(), field(&page, "code")), (name, code.clone()));
            for (of, error) in [("name", name_error), ("password", password_error)] {
                let beside = format!("aria-invalid=\"true\" aria-describedby=\"{of}-error\"");
                assert_eq!(page.text.contains(&beside), error.is_some(), "{of}: {page:?}");
                let shown = page.text.split_once(&format!("id=\"{of}-error\">")).map(|(_, rest)| rest);
                assert_eq!(shown.is_some(), error.is_some(), "{of}: {page:?}");
                assert!(
                    error.is_none_or(|error| shown.is_some_and(|rest| rest.starts_with(error))),
                    "{page:?}"
                );
            }
            assert_eq!(page.text.matches("<script").count(), 1, "the page's own: {page:?}");
            for never in ["<img", PASSWORD] {
                assert!(!page.text.contains(never), "{never}: {page:?}");
            }
            assert_eq!(page.header("set-cookie"), "");
        }
        assert!(setup::needed(&service.app).await.unwrap());
    }
}

on_both! {
    async fn what_is_wrong_with_the_code_is_escaped_too(database: TestDatabase) {
        let (service, _) = fresh(database).await;
        for code in HOSTILE {
            let page = submit(&service, code, "olivia", PASSWORD).await;
            is_page(&page, 403);
            assert_eq!(field(&page, "code"), code);
            assert_eq!(page.text.matches("<script").count(), 1, "the page's own: {page:?}");
            assert!(!page.text.contains("<img"), "{page:?}");
        }
    }
}

on_both! {
    async fn json_makes_the_first_owner_too(database: TestDatabase) {
        let (service, code) = fresh(database).await;
        let post = |body: serde_json::Value| service.anonymous(Method::POST, "/setup").json(&body);
        let invalid = Answer::of(post(json!({"code": code, "name": "a b", "password": "short"}))).await;
        assert_eq!(invalid.places(422), ["/name", "/password"]);
        assert_eq!(
            Answer::of(post(json!({"role": "owner"}))).await.places(422),
            ["/code", "/name", "/password", "/role"]
        );
        let made = Answer::of(post(json!({"code": code, "name": "olivia", "password": PASSWORD}))).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(with_cookie(&service, &cookie(&made), Method::GET, "/me").await.json()["role"], "owner");
    }
}

on_both! {
    async fn a_page_of_another_site_cannot_send_the_form(database: TestDatabase) {
        let (service, code) = fresh(database).await;
        let fields = [("code", code.as_str()), ("name", "mallory"), ("password", PASSWORD)];
        for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
            Answer::of(form(&service, "/setup", &fields).header(header, value)).await.problem(403);
        }
        assert!(setup::needed(&service.app).await.unwrap());
    }
}

on_both! {
    async fn as_long_as_there_is_no_user_a_new_code_is_offered_when_one_has_ended(database: TestDatabase) {
        let (service, first) = fresh(database).await;
        let (codes, mut offered) = mpsc::unbounded_channel();
        let (begun, mut waits) = mpsc::unbounded_channel();
        let hour = Semaphore::new(0);
        let wait = async |time: Duration| {
            begun.send(time).expect("somebody looks");
            hour.acquire().await.expect("it is open").forget();
        };
        let offer = |code: &Secret| codes.send(code.reveal().to_owned()).expect("somebody looks");
        let walk = async {
            let mut last = first;
            for _ in 0..3 {
                assert_eq!(waits.recv().await, Some(SETUP_CODE_LIFETIME));
                assert!(offered.is_empty(), "no code before its time");
                service.pass_millis(60 * 60 * 1000);
                hour.add_permits(1);
                let next = offered.recv().await.expect("a code");
                is_page(&submit(&service, &last, "mallory", PASSWORD).await, 403);
                last = next;
            }
            assert_eq!(submit(&service, &last, "olivia", PASSWORD).await.status, 303);
            hour.add_permits(1);
        };
        tokio::join!(setup::renew(&service.app, wait, offer), walk);
        assert!(offered.is_empty(), "there is a user");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_could_not_be_made_is_tried_again_soon() {
    let (service, _) = fresh(TestDatabase::new(Kind::Postgres).await).await;
    let (waits, offered) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let wait = async |time: Duration| {
        let waits_before = {
            let mut waits = waits.lock().expect("waits");
            waits.push(time);
            waits.len() - 1
        };
        set_reachable(&service, waits_before != 0).await;
        if offered.load(SeqCst) > 0 {
            service.add_user("olivia", Role::Owner).await;
        }
    };
    let count = |_: &Secret| {
        offered.fetch_add(1, SeqCst);
    };
    setup::renew(&service.app, wait, count).await;
    let waits = waits.into_inner().expect("waits");
    let [first, tries @ .., last] = &waits[..] else { panic!("{waits:?}") };
    assert_eq!([*first, *last], [SETUP_CODE_LIFETIME; 2]);
    assert!(!tries.is_empty() && tries.iter().all(|time| *time < SETUP_CODE_LIFETIME / 10), "{tries:?}");
    assert_eq!(offered.into_inner(), 1);
}
