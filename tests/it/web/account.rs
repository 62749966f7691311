//! The account page: password, sessions and tokens.

use reqwest::Method;
use serde_json::json;

use super::{HOSTILE, between, field, form, is_page, no_other_site_sends, send, text, with_cookie};
use crate::{
    on_both,
    support::{Answer, PASSWORD, START, Service},
};

const NEW: &str = "another shelf of tapes";

async fn account(service: &Service, session: &str) -> Answer {
    let page = with_cookie(service, session, Method::GET, "/account").await;
    is_page(&page, 200);
    page
}

/// Checks that a form redirects to a page with a message.
async fn shows_flash(service: &Service, session: &str, answer: &Answer, place: &str, sentence: &str) {
    assert_eq!((answer.status, answer.header("location")), (303, place), "{answer:?}");
    let cookies = format!("{session}; {}", answer.cookie());
    let page = with_cookie(service, &cookies, Method::GET, place).await;
    assert!(page.text.contains(sentence), "{page:?}");
    assert!(page.header("set-cookie").starts_with("reelshelf_notice=;"), "{page:?}");
}

on_both! {
    async fn a_new_password_ends_all_sessions_and_keeps_tokens(service: &Service) {
        let (one, other) = (service.session_of("editor").await, service.session_of("editor").await);
        let fields = [("presentPassword", PASSWORD), ("password", NEW), ("passwordAgain", NEW)];
        let answer = send(service, &one, "/account/password", &fields).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/login"), "{answer:?}");
        let cookies: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
        assert!(cookies.iter().any(|cookie| cookie.starts_with("reelshelf_session=;")), "{cookies:?}");
        let page = with_cookie(service, "reelshelf_notice=password", Method::GET, "/login").await;
        assert!(page.text.contains("The new password is set"), "{page:?}");
        for session in [&one, &other] {
            assert_eq!(service.me_in(session).await.status, 401);
        }
        assert_eq!(service.me_as(&service.editor).await.status, 200);
        assert_eq!(service.log_in("editor", PASSWORD).await.status, 401);
        assert_eq!(service.log_in("editor", NEW).await.status, 200);
    }
}

on_both! {
    async fn what_is_wrong_with_a_password_stands_beside_its_field(service: &Service) {
        let session = service.session_of("editor").await;
        for (present, new, again, id, sentence) in [
            ("something else", NEW, NEW, "present", "The current password is wrong."),
            ("something else", "short", "short", "present", "The current password is wrong."),
            (PASSWORD, "short", "short", "password", "The new password must have at least 10 characters, got 5."),
            (PASSWORD, "password1234", "password1234", "password", "The new password is one of the common passwords"),
            (PASSWORD, NEW, "another shelf of types", "again", "It must be the same as above."),
            (PASSWORD, NEW, "", "again", "It must be the same as above."),
        ] {
            let fields = [("presentPassword", present), ("password", new), ("passwordAgain", again)];
            let page = send(service, &session, "/account/password", &fields).await;
            is_page(&page, 422);
            assert_eq!(between(&page.text, "aria-invalid=\"true\" aria-describedby=\"", "\""), [format!("{id}-error")]);
            assert!(between(&page.text, &format!("id=\"{id}-error\">"), "<")[0].starts_with(sentence), "{page:?}");
            assert!(!page.text.contains(new) || new.is_empty(), "{page:?}");
        }
        assert_eq!(service.me_in(&session).await.status, 200);
        assert_eq!(service.log_in("editor", PASSWORD).await.status, 200);
    }
}

on_both! {
    async fn who_guesses_the_present_password_is_stopped(service: &Service) {
        let session = service.session_of("editor").await;
        let fields = [("presentPassword", "a wrong password"), ("password", NEW), ("passwordAgain", NEW)];
        for _ in 0..5 {
            is_page(&send(service, &session, "/account/password", &fields).await, 422);
        }
        let stopped = send(service, &session, "/account/password", &fields).await;
        is_page(&stopped, 429);
        assert!(stopped.text.contains("role=\"alert\">Not done: too many failed sign-ins; try again in 60 seconds."), "{stopped:?}");
    }
}

on_both! {
    async fn sessions_are_named_and_ended(service: &Service) {
        let begin = async |agent: &'static str| {
            let login = service.anonymous(Method::POST, "/login").header("user-agent", agent);
            Answer::of(login.json(&json!({"name": "editor", "password": PASSWORD}))).await.cookie().to_owned()
        };
        let own = begin("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0").await;
        let mac = begin("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15").await;
        let hostile = begin("<script>alert(1)</script> curl/8").await;
        let of_viewer = service.session_of("viewer").await;
        let page = account(service, &own).await;
        let rows: Vec<&str> = between(&page.text, "<ul class=\"rows\">", "</ul>")[0].split("<li>").skip(1).collect();
        assert!(rows[0].contains("<strong>Firefox on Linux</strong> <span class=\"mark\">this one</span>"), "{rows:?}");
        assert!(rows[0].contains("127.0.0.1, signed in <time datetime=\"2026-11-23T20:15:00.123Z\">") && !rows[0].contains("<form"));
        assert!(rows[1..].iter().all(|row| row.contains("action=\"/account/session/end\"")) && rows.len() == 3, "{rows:?}");
        assert!(page.text.contains("<strong>Safari on macOS</strong>") && !page.text.contains("<script>alert"), "{page:?}");

        let id = |program: &str| {
            let row = rows.iter().find(|row| row.contains(program)).unwrap();
            between(row, "name=\"id\" value=\"", "\"")[0].to_owned()
        };
        let ended = send(service, &own, "/account/session/end", &[("id", &id("Safari"))]).await;
        shows_flash(service, &own, &ended, "/account", "The session has ended.").await;
        assert_eq!((service.me_in(&mac).await.status, service.me_in(&hostile).await.status), (401, 200));
        for wrong in [&id("Safari"), "x", ""] {
            is_page(&send(service, &own, "/account/session/end", &[("id", wrong)]).await, 404);
        }
        let ended = send(service, &own, "/account/session/end-others", &[]).await;
        shows_flash(service, &own, &ended, "/account", "All other sessions have ended.").await;
        assert_eq!((service.me_in(&hostile).await.status, service.me_in(&own).await.status), (401, 200));
        assert_eq!(service.me_in(&of_viewer).await.status, 200);
        assert!(!account(service, &own).await.text.contains("End all others"));
        // Other users' sessions cannot be ended.
        let page = account(service, &of_viewer).await;
        assert_eq!(between(&page.text, "<ul class=\"rows\">", "</ul>")[0].matches("<li>").count(), 1);
    }
}

on_both! {
    async fn a_token_is_shown_once_however_often_the_page_is_loaded(service: &Service) {
        let session = service.session_of("editor").await;
        let once = field(&account(service, &session).await, "once");
        let fields = [("once", once.as_str()), ("name", "laptop <b>"), ("role", "viewer"), ("expiresAt", "2027-01-31")];
        let made = send(service, &session, "/account/token", &fields).await;
        is_page(&made, 200);
        let secret = between(&made.text, "id=\"secret\" value=\"", "\"")[0].to_owned();
        assert!(secret.starts_with("rsh_"), "{made:?}");
        assert!(text(&made.text).contains("Token “<bdi>laptop <b></bdi>” created"), "{made:?}");
        assert_eq!(service.me_as(&secret).await.json(), json!({"name": "editor", "role": "viewer"}));
        let again = send(service, &session, "/account/token", &fields).await;
        assert_eq!(between(&again.text, "id=\"secret\" value=\"", "\""), [&secret]);
        let listed = Answer::of(service.request_in(&session, Method::GET, "/token")).await.json();
        assert_eq!(listed.as_array().unwrap().len(), 2, "the tests' own and this one: {listed}");
        let page = account(service, &session).await;
        assert!(!page.text.contains(&secret) && page.text.contains("expires <time datetime=\"2027-01-31T00:00:00.000Z\">"));
        service.pass_millis(1_801_353_600_000 - START);
        let page = account(service, &service.session_of("editor").await).await;
        assert!(page.text.contains("expired <time datetime=\"2027-01-31"), "{page:?}");
        assert_eq!(service.me_as(&secret).await.status, 401);
    }
}

on_both! {
    async fn a_token_is_revoked(service: &Service) {
        let session = service.session_of("editor").await;
        let made = send(service, &session, "/account/token", &[("name", "laptop"), ("role", "editor")]).await;
        let secret = between(&made.text, "id=\"secret\" value=\"", "\"")[0];
        assert!(made.text.contains("does not expire"), "{made:?}");
        assert_eq!(service.me_as(secret).await.json()["role"], "editor");
        let page = account(service, &session).await;
        let id = page.text.split("<strong><bdi>laptop</bdi>").nth(1).unwrap();
        let revoked = send(service, &session, "/account/token/revoke", &[("id", between(id, "name=\"id\" value=\"", "\"")[0])]).await;
        shows_flash(service, &session, &revoked, "/account", "The token is revoked").await;
        assert_eq!(service.me_as(secret).await.status, 401);
        for wrong in ["1", "99", "x", ""] {
            is_page(&send(service, &session, "/account/token/revoke", &[("id", wrong)]).await, 404);
        }
        assert_eq!(service.me_as(&service.viewer).await.status, 200);
    }
}

on_both! {
    async fn what_is_wrong_with_a_token_stands_beside_its_field(service: &Service) {
        let session = service.session_of("editor").await;
        let page = account(service, &session).await;
        assert_eq!(between(&page.text, "<option>", "</option>"), ["viewer", "editor"], "no more than one's own role, the least first");
        let long = "n".repeat(51);
        for (name, role, date, ids) in [
            ("", "viewer", "", vec!["name"]),
            (&long, "viewer", "2027-01-31", vec!["name"]),
            ("laptop", "owner", "", vec!["role"]),
            ("laptop", "king", "", vec!["role"]),
            ("laptop", "viewer", "2026-11-23", vec!["expires"]),
            ("laptop", "viewer", "tomorrow", vec!["expires"]),
            ("", "king", "tomorrow", vec!["name", "role", "expires"]),
        ] {
            let fields = [("name", name), ("role", role), ("expiresAt", date)];
            let page = send(service, &session, "/account/token", &fields).await;
            is_page(&page, 422);
            let wrong = between(&page.text, "aria-invalid=\"true\" aria-describedby=\"", "-error");
            assert_eq!(wrong, ids, "{name} {role} {date}");
            assert!(page.text.contains(&format!("name=\"name\" value=\"{name}\"")), "{page:?}");
            assert!(page.text.contains(&format!("value=\"{date}\"")), "{page:?}");
        }
        for hostile in HOSTILE {
            let fields = [("name", hostile), ("role", hostile), ("expiresAt", hostile)];
            let page = send(service, &session, "/account/token", &fields).await;
            is_page(&page, 422);
            assert!(!page.text.contains("<script>alert") && !page.text.contains("<img"), "{page:?}");
            let made = send(service, &session, "/account/token", &[("name", hostile), ("role", "viewer")]).await;
            assert!(!made.text.contains("<script>alert") && !made.text.contains("<img"), "{made:?}");
        }
    }
}

on_both! {
    async fn nothing_of_the_account_is_done_for_another_site(service: &Service) {
        let session = service.session_of("owner").await;
        let other = service.session_of("owner").await;
        let password = [("presentPassword", PASSWORD), ("password", NEW), ("passwordAgain", NEW)];
        for (path, fields) in [
            ("/account/password", &password[..]),
            ("/account/session/end", &[("id", "2")]),
            ("/account/session/end-others", &[]),
            ("/account/token", &[("name", "evil"), ("role", "owner")]),
            ("/account/token/revoke", &[("id", "3")]),
        ] {
            no_other_site_sends(service, &session, path, fields).await;
        }
        assert_eq!((service.me_in(&other).await.status, service.me_as(&service.owner).await.status), (200, 200));
        let tokens = Answer::of(service.request_in(&session, Method::GET, "/token")).await.json();
        assert_eq!(tokens.as_array().unwrap().len(), 1, "{tokens}");
    }
}

on_both! {
    async fn a_narrowed_token_does_not_widen_itself_here_either(service: &Service) {
        let narrowed = service.token_as(&service.owner, &json!({"name": "narrow", "role": "editor"})).await;
        let secret = crate::support::signing_in::secret(&narrowed);
        for (path, fields) in [
            ("/account/token", &[("name", "wide"), ("role", "owner")][..]),
            ("/account/session/end-others", &[]),
            ("/users/add", &[("name", "mallory"), ("role", "owner"), ("password", PASSWORD)]),
        ] {
            let request = form(service, path, fields).bearer_auth(secret);
            assert_eq!(Answer::of(request).await.status, 403, "{path}");
        }
    }
}
