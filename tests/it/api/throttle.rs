//! The throttle of failed sign-ins.

use futures_util::future::join_all;
use reelshelf::http::Settings;
use reqwest::{Method, header::HeaderValue};
use serde_json::json;

use crate::{
    on_both,
    support::{Answer, PASSWORD, Service, signing_in::behind_a_proxy},
};

/// Signs in with Basic from an address, through a proxy.
async fn attempt(service: &Service, address: &str, name: &str, password: &str) -> Answer {
    let request = service.anonymous(Method::GET, "/me").header("x-forwarded-for", address);
    Answer::of(request.basic_auth(name, Some(password))).await
}

/// Fails a number of times from an address, with these names in turn.
async fn fail(service: &Service, times: usize, address: &str, names: &[&str]) {
    for name in names.iter().cycle().take(times) {
        attempt(service, address, name, "wrong").await.problem(401);
    }
}

/// Checks that an attempt was rejected, with a number of seconds.
#[track_caller]
fn refused(answer: &Answer, seconds: &str) {
    answer.problem(429);
    assert_eq!(answer.header("retry-after"), seconds, "{answer:?}");
    assert_eq!(answer.header("www-authenticate"), "", "{answer:?}");
}

const HERE: &str = "203.0.113.5";
const ELSEWHERE: &str = "198.51.100.7";

on_both! {
    async fn five_failures_for_one_account_from_one_address_are_enough(service: &Service) {
        let service = &service.another_instance(behind_a_proxy()).await;
        for _ in 0..5 {
            attempt(service, HERE, "owner", "wrong").await.problem(401);
            service.pass_millis(1000);
        }
        refused(&attempt(service, HERE, "owner", "wrong").await, "55");
        refused(&attempt(service, HERE, "owner", PASSWORD).await, "55");
        assert_eq!(attempt(service, HERE, "viewer", PASSWORD).await.status, 200, "another account");
        attempt(service, HERE, "nobody", "wrong").await.problem(401);
        assert_eq!(attempt(service, ELSEWHERE, "owner", PASSWORD).await.status, 200, "another address");
    }
}

on_both! {
    async fn a_minute_later_all_is_forgotten_even_if_one_goes_on_trying(service: &Service) {
        fail(service, 5, HERE, &["owner"]).await;
        service.pass_millis(30_000);
        for _ in 0..10 {
            refused(&attempt(service, HERE, "owner", "wrong").await, "30");
        }
        service.pass_millis(29_999);
        refused(&attempt(service, HERE, "owner", PASSWORD).await, "1");
        service.pass_millis(1);
        fail(service, 4, HERE, &["owner"]).await;
        assert_eq!(attempt(service, HERE, "owner", PASSWORD).await.status, 200);
    }
}

on_both! {
    async fn twenty_failures_from_one_address_are_enough_for_all_accounts(service: &Service) {
        let service = &service.another_instance(behind_a_proxy()).await;
        fail(service, 20, HERE, &["owner", "editor", "nobody", "somebody", "no name at all"]).await;
        for name in ["owner", "viewer", "anybody"] {
            refused(&attempt(service, HERE, name, PASSWORD).await, "60");
        }
        for name in ["owner", "viewer"] {
            assert_eq!(attempt(service, ELSEWHERE, name, PASSWORD).await.status, 200, "{name}");
        }
        service.pass_millis(60_000);
        assert_eq!(attempt(service, HERE, "editor", PASSWORD).await.status, 200);
    }
}

on_both! {
    async fn every_spelling_of_a_name_is_the_same_account(service: &Service) {
        for name in ["owner", "OWNER", "  owner", "öwner\u{2003}", "o\u{308}wner\t"] {
            service.log_in(name, "wrong").await.problem(401);
        }
        for name in ["owner", " Owner", "owner\n"] {
            refused(&service.log_in(name, PASSWORD).await, "60");
        }
    }
}

on_both! {
    async fn a_success_forgets_the_failures_of_that_account_from_that_address(service: &Service) {
        let service = &service.another_instance(behind_a_proxy()).await;
        fail(service, 4, HERE, &["owner", "viewer"]).await;
        fail(service, 4, ELSEWHERE, &["owner"]).await;
        fail(service, 2, HERE, &["owner"]).await;
        assert_eq!(attempt(service, HERE, "owner", PASSWORD).await.status, 200);
        fail(service, 5, HERE, &["owner"]).await;
        refused(&attempt(service, HERE, "owner", "wrong").await, "60");
        fail(service, 3, HERE, &["viewer"]).await;
        refused(&attempt(service, HERE, "viewer", PASSWORD).await, "60");
        fail(service, 1, ELSEWHERE, &["owner"]).await;
        refused(&attempt(service, ELSEWHERE, "owner", "wrong").await, "60");
    }
}

on_both! {
    async fn failures_side_by_side_are_counted_like_any_others(service: &Service) {
        let attempts = (0..12).map(|_| attempt(service, HERE, "owner", "wrong"));
        let mut statuses: Vec<u16> = join_all(attempts).await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [[401; 5].as_slice(), &[429; 7]].concat());
    }
}

on_both! {
    async fn what_is_signed_in_goes_on(service: &Service) {
        let session = service.session_of("owner").await;
        assert_eq!(service.me_with("viewer", PASSWORD).await.status, 200);
        fail(service, 20, HERE, &["viewer", "owner", "editor", "nobody"]).await;
        refused(&service.me_with("editor", PASSWORD).await, "60");
        refused(&service.log_in("editor", PASSWORD).await, "60");
        for (way, answer) in [
            ("a token", service.me_as(&service.editor).await),
            ("a session", service.me_in(&session).await),
            ("a pair that was right before", service.me_with("viewer", PASSWORD).await),
        ] {
            assert_eq!(answer.status, 200, "{way}: {answer:?}");
        }
        refused(&service.me_with("viewer", "wrong").await, "60");
        service.me_as("rsh_unknown").await.problem(401);
    }
}

on_both! {
    async fn a_token_or_a_cookie_that_is_wrong_is_no_failure(service: &Service) {
        for _ in 0..25 {
            service.me_as("rsh_unknown").await.problem(401);
            service.me_in("reelshelf_session=unknown").await.problem(401);
        }
        assert_eq!(service.me_with("owner", PASSWORD).await.status, 200);
    }
}

on_both! {
    async fn every_way_to_try_a_password_counts(service: &Service) {
        let own = json!({"presentPassword": "wrong", "password": "another shelf of tapes"});
        let form = || {
            let form = service.anonymous(Method::POST, "/login").body("name=owner&password=wrong");
            Answer::of(form.header("content-type", "application/x-www-form-urlencoded"))
        };
        service.me_with("owner", "wrong").await.problem(401);
        service.log_in("owner", "wrong").await.problem(401);
        assert_eq!(form().await.status, 401);
        for _ in 0..2 {
            assert_eq!(service.patch("/me", &own).await.places(422), ["/presentPassword"]);
        }
        refused(&service.me_with("owner", "wrong").await, "60");
        refused(&service.log_in("owner", "wrong").await, "60");
        refused(&service.patch("/me", &own).await, "60");
        let page = form().await;
        assert_eq!((page.status, page.header("retry-after")), (429, "60"), "{page:?}");
        assert_eq!(service.get("/me").await.status, 200);
    }
}

on_both! {
    async fn nobody_is_believed_about_his_address_who_is_no_trusted_proxy(service: &Service) {
        let trusted_proxies = vec!["192.0.2.0/24".parse().expect("a network")];
        let elsewhere = service.another_instance(Settings { trusted_proxies, ..Settings::default() }).await;
        for service in [service, &elsewhere] {
            for n in 0..5 {
                fail(service, 1, &format!("198.51.100.{n}"), &["owner"]).await;
            }
            refused(&attempt(service, "198.51.100.9", "owner", PASSWORD).await, "60");
            let request = service.anonymous(Method::GET, "/me").header("forwarded", "for=198.51.100.9");
            refused(&Answer::of(request.basic_auth("owner", Some(PASSWORD))).await, "60");
        }
    }
}

on_both! {
    async fn the_address_is_the_last_one_that_no_proxy_of_ours_has(service: &Service) {
        let service = &service.another_instance(behind_a_proxy()).await;
        for (headers, address) in [
            (&[][..], "127.0.0.1"),
            (&[&b"203.0.113.5"[..]], HERE),
            (&[b" 203.0.113.5 "], HERE),
            (&[b"::ffff:203.0.113.5"], HERE),
            (&[b"2001:db8::1"], "2001:db8::1"),
            // With a port, as some proxies write it.
            (&[b"203.0.113.5:5123"], HERE),
            (&[b"[2001:db8::1]"], "2001:db8::1"),
            (&[b"[2001:db8::1]:5123"], "2001:db8::1"),
            (&[b"[::ffff:203.0.113.5]:5123, 127.0.0.9:80"], HERE),
            (&[b"198.51.100.7, 203.0.113.5:x, 127.0.0.9"], "127.0.0.9"),
            (&[b"198.51.100.7, [203.0.113.5], 127.0.0.9"], "127.0.0.9"),
            (&[b"198.51.100.7, 203.0.113.5"], HERE),
            (&[b"198.51.100.7,203.0.113.5,127.0.0.9, 127.0.0.8"], HERE),
            (&[b"198.51.100.7", b"203.0.113.5"], HERE),
            (&[b"127.0.0.8,127.0.0.9"], "127.0.0.8"),
            // What the client itself sends stands before what the proxy appends, whatever it is.
            (&[b"unknown, 203.0.113.5"], HERE),
            (&[b"198.51.100.7, unknown, 203.0.113.5"], HERE),
            (&[b"198.51.100.7, \xff, 203.0.113.5"], HERE),
            (&[b"198.51.100.7", b"\xff, 203.0.113.5"], HERE),
            (&[b"198.51.100.7, , 203.0.113.5"], HERE),
            (&[b"203.0.113.5,", b""], HERE),
            (&[b"198.51.100.7, _hidden, 127.0.0.9"], "127.0.0.9"),
            (&[b"198.51.100.7, unknown"], "127.0.0.1"),
        ] {
            let login = service
                .anonymous(Method::POST, "/login")
                .json(&json!({"name": "viewer", "password": PASSWORD}));
            let login = headers.iter().fold(login, |login, value| {
                login.header("x-forwarded-for", HeaderValue::from_bytes(value).expect("a header"))
            });
            let session = Answer::of(login).await.cookie().to_owned();
            let sessions = Answer::of(service.request_in(&session, Method::GET, "/session")).await.json();
            let shown =
                sessions.as_array().expect("sessions").iter().find(|session| session["current"] == true);
            let headers: Vec<_> = headers.iter().map(|value| String::from_utf8_lossy(value)).collect();
            assert_eq!(shown.expect("the present one")["address"], address, "{headers:?}");
        }
    }
}

on_both! {
    async fn an_address_cannot_be_changed_by_what_is_put_before_it(service: &Service) {
        let service = &service.another_instance(behind_a_proxy()).await;
        for n in 0..5 {
            fail(service, 1, &format!("198.51.100.{n}, x, {HERE}"), &["owner"]).await;
        }
        refused(&attempt(service, &format!("198.51.100.9, x, {HERE}"), "owner", PASSWORD).await, "60");
        assert_eq!(attempt(service, "198.51.100.0", "owner", PASSWORD).await.status, 200);
    }
}

on_both! {
    async fn an_address_that_is_refused_learns_nothing_from_a_user_signed_in_elsewhere(service: &Service) {
        let service = &service.another_instance(behind_a_proxy()).await;
        assert_eq!(attempt(service, ELSEWHERE, "owner", PASSWORD).await.status, 200);
        fail(service, 5, HERE, &["owner"]).await;
        let from_here = |method, path| service.anonymous(method, path).header("x-forwarded-for", HERE);
        for path in ["/me", "/movie", "/user", "/events", "/nothing"] {
            let request = from_here(Method::GET, path).basic_auth("owner", Some(PASSWORD));
            refused(&Answer::of(request).await, "60");
        }
        let login = from_here(Method::POST, "/login").json(&json!({"name": "owner", "password": PASSWORD}));
        refused(&Answer::of(login).await, "60");
        let change = json!({"presentPassword": PASSWORD, "password": "another shelf of tapes"});
        let change = from_here(Method::PATCH, "/me").bearer_auth(&service.owner).json(&change);
        refused(&Answer::of(change).await, "60");
        assert_eq!(attempt(service, ELSEWHERE, "owner", PASSWORD).await.status, 200, "it goes on there");
    }
}

on_both! {
    async fn a_network_of_64_bits_is_one_address_to_go_on_from(service: &Service) {
        let service = &service.another_instance(behind_a_proxy()).await;
        assert_eq!(attempt(service, "2001:db8::1", "owner", PASSWORD).await.status, 200);
        fail(service, 5, "2001:db8::2", &["owner"]).await;
        assert_eq!(attempt(service, "2001:db8::3", "owner", PASSWORD).await.status, 200);
        fail(service, 5, "2001:db8:0:1::1", &["owner"]).await;
        refused(&attempt(service, "2001:db8:0:1::1", "owner", PASSWORD).await, "60");
    }
}
